import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { deriveValidatorKeys } from "../../../../devnet/keys.ts";
import { keysOf } from "../../../../devnet/real/ownKeys.ts";
import { encryptKey } from "../../../../offchain/keys/keystore.ts";
import { AppError } from "../../../../offchain/util/errors.ts";
import { UsageError, readOptions } from "../../../../scripts/lib/devnet/options.ts";
import { expectRejection } from "./expectRejection.ts";

describe("an operator's own keys on the devnet", () => {
  const folder = mkdtempSync(join(tmpdir(), "estuary-own-keys-"));
  const passwordFile = join(folder, "password.txt");
  const [first, second] = deriveValidatorKeys(2, 100);
  after(() => rmSync(folder, { recursive: true, force: true }));
  const write = async (name: string, key = first): Promise<void> => {
    if (key === undefined) throw new Error("no key");
    writeFileSync(join(folder, name), await encryptKey(key, " with spaces ", "pbkdf2"));
  };
  const failure = async (source = { folder, passwordFile }): Promise<string> =>
    (await expectRejection(keysOf(source), AppError)).message;

  it("are all keystores of a folder, the password being the file but for one final newline", async () => {
    writeFileSync(passwordFile, " with spaces \n");
    await write("keystore-m_1.json");
    await write("keystore-m_2.json", second);
    writeFileSync(join(folder, "deposit_data-1.json"), "[]");
    const keys = await keysOf({ folder, passwordFile });
    expect(keys.map(({ pubkey }) => pubkey)).to.deep.equal([first?.pubkey, second?.pubkey]);
  });

  it("are refused with the file that is at fault", async () => {
    await write("keystore-m_3.json");
    expect(await failure()).to.equal(`two keystores in ${folder} hold ${first?.pubkey}`);
    writeFileSync(join(folder, "keystore-m_3.json"), "{}");
    expect(await failure()).to.equal(`${join(folder, "keystore-m_3.json")}: not a keystore (EIP-2335)`);
    writeFileSync(passwordFile, "with spaces");
    expect(await failure()).to.equal(`${join(folder, "keystore-m_1.json")}: wrong password`);
    expect(await failure({ folder: join(folder, "none"), passwordFile })).to.contain(join(folder, "none"));
    expect(await failure({ folder, passwordFile: join(folder, "none") })).to.contain(join(folder, "none"));
  });

  it("need a password file", () => {
    expect(() => readOptions(["--keystores", folder])).to.throw(UsageError, "--password-file");
    expect(readOptions(["--keystores", folder, "--password-file", passwordFile]).keystores).to.deep.equal({
      folder,
      passwordFile,
    });
  });
});

describe("the devnet's options", () => {
  it("are refused in words", () => {
    expect(readOptions([])).to.include({ keys: 16, daemons: false });
    expect(() => readOptions(["--keys", "many"])).to.throw(UsageError, "--keys: a whole number from 0 to 1000");
    expect(() => readOptions(["--nothing"])).to.throw(UsageError, "--nothing");
    expect(() => readOptions(["--fork", "gloas"])).to.throw(UsageError, "electra or fulu");
  });
});
