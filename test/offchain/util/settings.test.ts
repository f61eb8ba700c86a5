import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { KEEPER_FIELDS } from "../../../offchain/keeper/config.ts";
import { readConfig } from "../../../offchain/util/config.ts";
import { AppError } from "../../../offchain/util/errors.ts";
import { settingLine, withSettings } from "../../../offchain/util/settings.ts";

describe("the settings file", () => {
  let folder: string;
  let file: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "estuary-settings-"));
    file = join(folder, "estuary.env");
  });
  after(() => rmSync(folder, { recursive: true }));

  function settings(text: string, env: Record<string, string> = {}): Record<string, string | undefined> {
    writeFileSync(file, text);
    return { ...withSettings({ ESTUARY_SETTINGS: file, ...env }).values };
  }

  function refusal(work: () => unknown): string {
    try {
      work();
    } catch (error) {
      expect(error).to.be.instanceOf(AppError).with.property("exitCode", 2);
      return (error as AppError).message;
    }
    throw new Error("not refused");
  }

  it("goes under the environment, setting by setting, whether given as value or as file", () => {
    const text = "# nodes\nESTUARY_EXECUTION_URLS=http://a\nESTUARY_DEPLOYMENT=d.json\nESTUARY_BATCH=3\n";
    expect(settings(text)).to.include({ ESTUARY_EXECUTION_URLS: "http://a", ESTUARY_BATCH: "3" });
    expect(settings(text, { ESTUARY_BATCH: "4" })).to.include({ ESTUARY_DEPLOYMENT: "d.json", ESTUARY_BATCH: "4" });
    expect(settings(text, { ESTUARY_BATCH: "" })).to.include({ ESTUARY_BATCH: "3" });
    const other = settings(text, { ESTUARY_BATCH_FILE: "batch" });
    expect(other).to.include({ ESTUARY_BATCH_FILE: "batch" }).and.not.have.property("ESTUARY_BATCH");
  });

  it("gives way to an account of the environment as a whole", () => {
    const text = "ESTUARY_KEYSTORE=key.json\nESTUARY_KEYSTORE_PASSWORD_FILE=password\nESTUARY_POLL_SECONDS=5\n";
    const values = settings(text, { ESTUARY_PRIVATE_KEY_FILE: "key" });
    expect(values).to.include({ ESTUARY_PRIVATE_KEY_FILE: "key", ESTUARY_POLL_SECONDS: "5" });
    expect(values).to.not.have.any.keys("ESTUARY_KEYSTORE", "ESTUARY_KEYSTORE_PASSWORD_FILE");
    // what belongs to the file's account leaves it in force
    for (const name of ["ESTUARY_ACCOUNT", "ESTUARY_KEYSTORE_PASSWORD"])
      expect(settings(text, { [name]: "x" })).to.include({ ESTUARY_KEYSTORE: "key.json", [name]: "x" });
  });

  it("is read by whatever reads settings, which names it where a value is wrong", () => {
    settings("ESTUARY_EXECUTION_URLS=http://a\nESTUARY_BEACON_URLS=http://b\nESTUARY_BATCH=none\n");
    expect(refusal(() => readConfig(KEEPER_FIELDS, { ESTUARY_SETTINGS: file, ESTUARY_REPLACEMENTS: "x" }))).to.equal(
      [
        "ESTUARY_DEPLOYMENT: is required",
        'ESTUARY_REPLACEMENTS: a whole number from 0 to 20, not "x"',
        `ESTUARY_BATCH: a whole number from 1 to 64, not "none" (in ${file})`,
      ].join("\n"),
    );
  });

  it("holds no keys or passwords, no other names and no other lines, and repeats no value where it refuses", () => {
    const key = `0x${"12".repeat(32)}`;
    const said = refusal(() =>
      settings(`ESTUARY_PRIVATE_KEY=${key}\n\nESTUARY_KEYSTORE_PASSWORD='hush'\nHOODI_RPC_URL=x\n${key}\n`),
    );
    expect(said.split("\n")).to.have.length(4);
    expect(said)
      .to.include(`${file}, line 1: ESTUARY_PRIVATE_KEY is a secret`)
      .and.include("ESTUARY_PRIVATE_KEY_FILE")
      .and.include("line 4: HOODI_RPC_URL is no setting")
      .and.include("line 5: NAME=value")
      .and.not.match(/hush|1212/);
    expect(refusal(() => withSettings({ ESTUARY_SETTINGS: `${file}.gone` }))).to.equal(
      `ESTUARY_SETTINGS: can't read ${file}.gone (ENOENT)`,
    );
  });

  it("is written so that it is read back, whatever the value", () => {
    for (const value of ["http://a:1/v3/k?x=1&y=2", "a # b", "it's", 'say "so"', " blank ", "C:\\keys\\n", "$HOME", ""])
      expect(settings(settingLine("ESTUARY_X", value))["ESTUARY_X"], value).to.equal(value);
    for (const value of ["two\nlines", `all '"\``])
      expect(refusal(() => settingLine("ESTUARY_X", value))).to.include("ESTUARY_X: it can't be written");
  });
});
