import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  address,
  amountField,
  field,
  httpUrl,
  list,
  oneOf,
  optional,
  readConfig,
  redacted,
  text,
  wholeNumber,
  yesOrNo,
} from "../../../offchain/util/config.ts";
import { AppError, EXIT } from "../../../offchain/util/errors.ts";

const FIELDS = {
  URLS: field(list(httpUrl), { about: "nodes" }),
  PORT: field(wholeNumber(0, 65_535), { about: "port", fallback: "9000" }),
  FEE: amountField(9, { about: "gwei", fallback: "1.5" }),
  DRY_RUN: field(yesOrNo, { about: "dry", fallback: "false" }),
  LEVEL: field(oneOf("info", "debug"), { about: "level", fallback: "info" }),
  ACCOUNT: optional(address, { about: "account" }),
  TOKEN: optional(text, { about: "token", secret: true }),
};

function problemsOf(env: Record<string, string>): string[] {
  try {
    readConfig(FIELDS, env);
  } catch (error) {
    expect(error).to.be.instanceOf(AppError);
    expect((error as AppError).exitCode).to.equal(EXIT.usage);
    return (error as AppError).message.split("\n");
  }
  throw new Error("no problem");
}

describe("configuration", () => {
  it("reads values, lists and fallbacks, and takes an empty variable for an unset one", () => {
    const config = readConfig(FIELDS, {
      ESTUARY_URLS: "http://a:1/, https://b/key/",
      ESTUARY_PORT: "",
      ESTUARY_FEE: "0.000000001",
      ESTUARY_DRY_RUN: "Yes",
    });
    expect(config).to.deep.equal({
      URLS: ["http://a:1", "https://b/key"],
      PORT: 9000,
      FEE: 1n,
      DRY_RUN: true,
      LEVEL: "info",
      ACCOUNT: undefined,
      TOKEN: undefined,
    });
  });

  it("reports every problem at once, a line each, with the variable's name", () => {
    expect(
      problemsOf({
        ESTUARY_PORT: "65536",
        ESTUARY_FEE: "1e9",
        ESTUARY_DRY_RUN: "maybe",
        ESTUARY_LEVEL: "loud",
        ESTUARY_ACCOUNT: "0x12",
      }),
    ).to.deep.equal([
      "ESTUARY_URLS: is required",
      'ESTUARY_PORT: a whole number from 0 to 65535, not "65536"',
      'ESTUARY_FEE: a decimal number with at most 9 places, not "1e9"',
      'ESTUARY_DRY_RUN: true or false, not "maybe"',
      'ESTUARY_LEVEL: one of info, debug, not "loud"',
      'ESTUARY_ACCOUNT: an address, not "0x12"',
    ]);
    for (const urls of ["ftp://a", "nonsense", ","]) expect(problemsOf({ ESTUARY_URLS: urls })).to.have.length(1);
    for (const fee of ["-1", "1.0000000001", "0x10", "1,5"])
      expect(problemsOf({ ESTUARY_URLS: "http://a", ESTUARY_FEE: fee })).to.have.length(1);
  });

  it("takes a secret from a file as it is, but for one line break at its end", () => {
    const file = join(mkdtempSync(join(tmpdir(), "estuary-")), "token");
    writeFileSync(file, " two words \n\n");
    const config = readConfig(FIELDS, { ESTUARY_URLS: "http://a", ESTUARY_TOKEN_FILE: file });
    expect(config.TOKEN).to.equal(" two words \n");
    expect(problemsOf({ ESTUARY_URLS: "http://a", ESTUARY_TOKEN_FILE: `${file}x` })).to.deep.equal([
      `ESTUARY_TOKEN_FILE: can't read ${file}x (ENOENT)`,
    ]);
    expect(problemsOf({ ESTUARY_URLS: "http://a", ESTUARY_TOKEN: "x", ESTUARY_TOKEN_FILE: file })).to.deep.equal([
      "ESTUARY_TOKEN: set it or ESTUARY_TOKEN_FILE, not both",
    ]);
  });

  it("adds what only several settings together tell to the other problems", () => {
    const check = ({ PORT, TOKEN }: { PORT?: number; TOKEN?: string | undefined }): void => {
      if (PORT === 1 && TOKEN === undefined) throw new AppError(EXIT.usage, "ESTUARY_TOKEN: port 1 needs it");
    };
    expect(() => readConfig(FIELDS, { ESTUARY_PORT: "1" }, check)).to.throw(
      "ESTUARY_URLS: is required\nESTUARY_TOKEN: port 1 needs it",
    );
  });

  it("prints amounts in the unit they are set in, and neither secrets nor what may be one in a URL", () => {
    const config = readConfig(FIELDS, { ESTUARY_URLS: "https://user:pass@node:8545/v3/key", ESTUARY_TOKEN: "hush" });
    const printed = JSON.stringify(redacted(FIELDS, config));
    expect(printed).to.include('"URLS":["node:8545"]').and.include('"TOKEN":"(hidden)"').and.include('"FEE":"1.5"');
    expect(printed).not.to.match(/hush|pass|key/);
  });
});
