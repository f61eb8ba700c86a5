/** docs/security-tests.md names tests: each must exist, where the table says. */
import { expect } from "chai";
import { readFileSync } from "node:fs";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");

interface Row {
  readonly file: string;
  readonly title: string;
}

function rows(): Row[] {
  return read("docs/security-tests.md")
    .split("\n")
    .map((line) => /^\|[^|]*\| *`([^`]+)` *\| *(.+?) *\|$/.exec(line))
    .flatMap((match) =>
      match?.[1] === undefined || match[2] === undefined ? [] : [{ file: match[1], title: match[2] }],
    );
}

describe("docs/security-tests.md", () => {
  it("names a test for each line, and each test is there", () => {
    const missing = rows().filter(({ file, title }) => !read(file).includes(`("${title}`));
    expect(missing).to.deep.equal([]);
    expect(rows()).to.have.length(62);
  });
});
