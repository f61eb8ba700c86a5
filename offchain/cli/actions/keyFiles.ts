/** Keys, keystores and files of deposit data, for `operator keys` and `operator predeposit`. */
import { readFile, writeFile } from "node:fs/promises";
import { join as joinPath } from "node:path";
import { getBytes } from "ethers";
import { ValidatorReader } from "../../chain/validatorReader.ts";
import type { ValidatorEntry } from "../../chain/validatorBook.ts";
import { predeposit } from "../../chain/write/operator.ts";
import { PREDEPOSIT } from "../../protocol/units.ts";
import { isSignedBy, signDeposit } from "../../keys/deposit.ts";
import { checkDepositFile, depositFile } from "../../keys/depositFile.ts";
import { describeProblem } from "../../keys/depositProblems.ts";
import { PREDEPOSIT_GWEI } from "../../keys/depositRoots.ts";
import { checkMnemonic, deriveKeys, newMnemonic } from "../../keys/hd.ts";
import { checkPassword, writeKeystores } from "../../keys/keystore.ts";
import { NETWORKS, networkNamed } from "../../keys/networks.ts";
import { field, optional, readConfig, text } from "../../util/config.ts";
import { AppError, EXIT, messageOf } from "../../util/errors.ts";
import type { Hex } from "../../util/hex.ts";
import { actAll, step } from "../act.ts";
import { ether, renderRows } from "../format.ts";
import type { Io } from "../io.ts";
import { operatorId } from "../parse.ts";
import { whole } from "../session.ts";
import type { Session } from "../session.ts";

/** Secrets of `operator keys`, from the environment or files only: arguments are seen by every user of the machine. */
const NETWORK_FIELD = { NETWORK: field(text, { about: "network of deposits", fallback: "mainnet" }) };

export const KEYS_FIELDS = {
  ...NETWORK_FIELD,
  MNEMONIC: optional(text, {
    about: "words that validator keys are derived from; without them new ones are made",
    secret: true,
  }),
  KEYS_PASSWORD: optional(text, {
    about: "password of the validator keystores, at least 8 characters",
    secret: true,
  }),
};

/** Hours of deriving and encrypting, and of memory for what was derived. */
const MOST_KEYS = 10_000;

export interface KeysOptions {
  readonly count: string;
  readonly first: string;
  readonly folder: string;
  readonly network?: string;
  readonly kdf: string;
}

export async function makeKeys(session: Session, options: KeysOptions): Promise<void> {
  const { io } = session;
  const config = readConfig(KEYS_FIELDS, session.env);
  const network = options.network ?? config.NETWORK;
  if (options.kdf !== "scrypt" && options.kdf !== "pbkdf2")
    throw new AppError(EXIT.usage, `--kdf: scrypt or pbkdf2, not ${options.kdf}`);
  const forkVersion = forkVersionOf(network);
  const [first, count] = [whole("--first", options.first), whole("--count", options.count)];
  if (count < 1 || count > MOST_KEYS) throw new AppError(EXIT.usage, `--count: from 1 to ${MOST_KEYS}, not ${count}`);
  const password = config.KEYS_PASSWORD ?? (await newPassword(io));
  checkPassword(password);
  // nothing more to find wrong: new words are shown once
  const mnemonic = config.MNEMONIC === undefined ? tellNewMnemonic(io) : checkMnemonic(config.MNEMONIC);
  const keys = deriveKeys({ mnemonic, first, count });
  const credentials = (await session.protocol.validators.withdrawalCredentials()) as Hex;
  const time = Math.floor(Date.now() / 1_000);
  const files = await writeKeystores(keys, {
    folder: options.folder,
    password,
    time,
    kdf: options.kdf,
    onProgress: (done, count) => io.err(`keystore ${done} of ${count}`),
  });
  const deposits = keys.map((key) => signDeposit(key, credentials, PREDEPOSIT_GWEI, getBytes(forkVersion)));
  const file = joinPath(options.folder, `deposit_data-${time}.json`);
  await writeFile(file, depositFile(deposits, forkVersion, nameOf(network)), { flag: "wx" });
  const pubkeys = keys.map(({ pubkey }) => pubkey);
  session.show({ keystores: files, depositData: file, pubkeys, withdrawalCredentials: credentials }, () =>
    renderRows([
      ["keystores", `${files.length} in ${options.folder}`],
      ["deposit data", file],
      ["credentials", credentials],
      ["next", `estuary operator predeposit <operator> ${file} --network ${network}`],
    ]),
  );
}

/** Asked for twice. @throws AppError: usage where nobody can be asked, refused where they differ */
async function newPassword({ interactive, prompts }: Io): Promise<string> {
  if (!interactive || prompts === undefined) throw new AppError(EXIT.usage, "ESTUARY_KEYS_PASSWORD: is required");
  const password = await prompts.secret("Password of the new keystores, at least 8 characters");
  if (password === undefined || password !== (await prompts.secret("The same again")))
    throw new AppError(EXIT.refused, "not the same password twice: nothing was written");
  return password;
}

function tellNewMnemonic(io: Io): string {
  const mnemonic = newMnemonic();
  if (!io.interactive)
    throw new AppError(EXIT.usage, "ESTUARY_MNEMONIC: is required where nobody can write new words down");
  io.err("New words. Write them down now: they are shown once and stored nowhere.\n");
  io.err(`  ${mnemonic}\n`);
  return mnemonic;
}

export async function sendKeys(
  session: Session,
  operator: string,
  file: string,
  options: { readonly network?: string },
): Promise<void> {
  const { protocol } = session;
  const id = operatorId(operator);
  const network = options.network ?? readConfig(NETWORK_FIELD, session.env).NETWORK;
  const forkVersion = forkVersionOf(network);
  const reader = new ValidatorReader(protocol.validators, protocol.provider, protocol.fromBlock);
  const [credentials, book, json] = await Promise.all([
    protocol.validators.withdrawalCredentials(),
    protocol.provider.getBlockNumber().then((block) => reader.bookAt(block)),
    readFile(file, "utf8").catch((error: unknown) => {
      throw new AppError(EXIT.usage, `can't read ${file}: ${messageOf(error)}`);
    }),
  ]);
  // a file whose first transactions went through can be sent again
  const isSent = (entry: ValidatorEntry): boolean => entry.operatorId === id && entry.status === "predeposited";
  const entries = [...book.values()];
  const sent = new Set(entries.filter(isSent).map(({ pubkey }) => pubkey));
  const known = new Set(entries.filter((entry) => !isSent(entry)).map(({ pubkey }) => pubkey));
  const withdrawalCredentials = credentials as Hex;
  const checked = await checkDepositFile(json, { withdrawalCredentials, forkVersion, known, sent, isSignedBy });
  if (!checked.ok)
    throw new AppError(
      EXIT.invalid,
      checked.problems.map((problem) => `${file}: ${describeProblem(problem)}`).join("\n"),
    );
  if (checked.batches.length === 0) {
    session.show({ keys: 0 }, () => "all of its keys were sent before");
    return;
  }
  const context = await session.context();
  await actAll(
    session,
    checked.batches.map((deposits) =>
      step(() => predeposit(context, id, deposits), {
        expected: () => [["gets", `${deposits.length} keys of operator ${id} deposited; ${BOND_LATER}`]],
        details: ({ keyRoots }) => [
          ["keys", `${keyRoots.length}, with ${ether(PREDEPOSIT * BigInt(keyRoots.length))}`],
          ["next", `estuary operator status ${id}: proven once the beacon chain has them`],
        ],
      }),
    ),
  );
}

const BOND_LATER = "the 1 ETH of each becomes bond when it is funded";

/** Local networks begin with mainnet's fork version. */
function nameOf(network: string): string {
  return network === "local" ? "mainnet" : network;
}

function forkVersionOf(network: string): Hex {
  const known = networkNamed(nameOf(network));
  if (known !== undefined) return known.genesisForkVersion;
  if (/^0x[0-9a-f]{8}$/i.test(network)) return network.toLowerCase() as Hex;
  throw new AppError(
    EXIT.usage,
    `--network: ${Object.keys(NETWORKS).join(", ")}, local, or a fork version of 4 bytes, not ${network}`,
  );
}
