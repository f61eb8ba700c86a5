/** operator keys, predeposit, claim, bond, fund-own, join. */
import { readFile, writeFile } from "node:fs/promises";
import { join as joinPath } from "node:path";
import type { Command } from "commander";
import { getBytes } from "ethers";
import { ValidatorReader } from "../../chain/validatorReader.ts";
import {
  addBond,
  claimRewards,
  compoundRewards,
  fundOwn,
  join,
  predeposit,
  withdrawBond,
} from "../../chain/write/operator.ts";
import { PREDEPOSIT_GWEI, signDeposit } from "../../keys/deposit.ts";
import { NETWORKS, checkDepositFile, depositFile } from "../../keys/depositFile.ts";
import { checkMnemonic, deriveKeys, newMnemonic } from "../../keys/hd.ts";
import { writeKeystores } from "../../keys/keystore.ts";
import { shares, wei } from "../../protocol/units.ts";
import { optional, readConfig, text as plainText } from "../../util/config.ts";
import { AppError, EXIT, messageOf } from "../../util/errors.ts";
import type { Hex } from "../../util/hex.ts";
import { ether, renderRows } from "../io.ts";
import type { Io } from "../io.ts";
import { act, parseAmount } from "../session.ts";
import type { Session } from "../session.ts";

type Run = (handle: (session: Session) => Promise<void>) => Promise<void>;

/** Secrets of `operator keys`, from the environment or files only: arguments are seen by every user of the machine. */
export const KEYS_FIELDS = {
  MNEMONIC: optional(plainText, {
    about: "words that validator keys are derived from; without them new ones are made",
    secret: true,
  }),
  KEYS_PASSWORD: optional(plainText, {
    about: "password of the validator keystores, at least 8 characters",
    secret: true,
  }),
};

export function operatorCommands(program: Command, run: Run): void {
  const operator = program.command("operator").description("run validators");
  operator
    .command("keys")
    .description("derive validator keys: keystores, and 1-ETH deposit data for this protocol")
    .requiredOption("--count <count>", "how many")
    .option("--first <index>", "index of the first", "0")
    .option("--folder <path>", "where the files go", "validator_keys")
    .option(
      "--network <name>",
      `the deposits' network: ${Object.keys(NETWORKS).join(", ")}, or a genesis fork version`,
      "mainnet",
    )
    .option("--kdf <name>", "scrypt or pbkdf2", "scrypt")
    .addHelpText(
      "after",
      "\nESTUARY_KEYS_PASSWORD(_FILE) encrypts the keystores. ESTUARY_MNEMONIC(_FILE) has the words; without them, new ones are written to stderr once.",
    )
    .action((options: KeysOptions) => run((session) => makeKeys(session, options)));
  operator
    .command("predeposit")
    .description("check a file of deposit data and send its keys to the registry, 1 ETH each")
    .argument("<operator>", "its id")
    .argument("<file>", "deposit_data-*.json")
    .option("--network <name>", "the network that the deposits are for", "mainnet")
    .action((id: string, file: string, options: { network: string }) =>
      run((session) => sendKeys(session, operatorId(id), file, forkVersionOf(options.network))),
    );
  operator
    .command("join")
    .description("become an operator of an open tier")
    .argument("<tier>", "its id")
    .argument("<name>", "a name")
    .option("--reward-address <address>", "who may claim rewards (default: you)")
    .action((tier: string, name: string, options: { rewardAddress?: string }) =>
      run(async (session) => {
        const context = await session.context();
        const rewardAddress = options.rewardAddress ?? (await context.signer.getAddress());
        await act(session, await join(context, operatorId(tier), rewardAddress, name), (made) => [
          ["operator", `${made.operatorId}`],
        ]);
      }),
    );
  operator
    .command("claim")
    .description("claim the operator's rewards")
    .argument("<operator>", "its id")
    .option("--wrapped", "as westETH")
    .option("--compound", "into the bond")
    .action((id: string, options: { wrapped?: boolean; compound?: boolean }) =>
      run(async (session) => {
        const context = await session.context();
        const prepared =
          options.compound === true
            ? await compoundRewards(context, operatorId(id))
            : await claimRewards(context, operatorId(id), options.wrapped === true ? "westETH" : "estETH");
        await act(session, prepared, (change) => [["shares", `${change.shares}`]]);
      }),
    );
  operator
    .command("bond")
    .description("add to the bond, or withdraw what is free")
    .argument("<add|withdraw>", "what")
    .argument("<operator>", "its id")
    .argument("<amount>", "ETH; of a withdrawal, the worth in estETH")
    .action((what: string, id: string, text: string) =>
      run((session) => changeBond(session, what, operatorId(id), text)),
    );
  operator
    .command("fund-own")
    .description("fund a queued key of yours out of turn, with 31 ETH for estETH")
    .argument("<pubkey>", "48 bytes")
    .action((pubkey: string) =>
      run(async (session) => {
        if (!/^0x[0-9a-f]{96}$/i.test(pubkey))
          throw new AppError(EXIT.usage, "a public key is 0x and 96 hexadecimal digits");
        await act(session, await fundOwn(await session.context(), pubkey.toLowerCase() as Hex), () => []);
      }),
    );
}

interface KeysOptions {
  readonly count: string;
  readonly first: string;
  readonly folder: string;
  readonly network: string;
  readonly kdf: string;
}

async function makeKeys(session: Session, options: KeysOptions): Promise<void> {
  const { io } = session;
  const config = readConfig(KEYS_FIELDS, io.env);
  const password = config.KEYS_PASSWORD;
  if (password === undefined) throw new AppError(EXIT.usage, "ESTUARY_KEYS_PASSWORD: is required");
  if (options.kdf !== "scrypt" && options.kdf !== "pbkdf2")
    throw new AppError(EXIT.usage, `--kdf: scrypt or pbkdf2, not ${options.kdf}`);
  const forkVersion = forkVersionOf(options.network);
  const mnemonic = config.MNEMONIC === undefined ? tellNewMnemonic(io) : checkMnemonic(config.MNEMONIC);
  const keys = deriveKeys({ mnemonic, first: whole("--first", options.first), count: whole("--count", options.count) });
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
  await writeFile(file, depositFile(deposits, forkVersion, options.network), { flag: "wx" });
  const pubkeys = keys.map(({ pubkey }) => pubkey);
  session.show({ keystores: files, depositData: file, pubkeys, withdrawalCredentials: credentials }, () =>
    renderRows([
      ["keystores", `${files.length} in ${options.folder}`],
      ["deposit data", file],
      ["credentials", credentials],
      ["next", `estuary operator predeposit <operator> ${file} --network ${options.network}`],
    ]),
  );
}

function tellNewMnemonic(io: Io): string {
  const mnemonic = newMnemonic();
  if (!io.interactive)
    throw new AppError(EXIT.usage, "ESTUARY_MNEMONIC: is required where nobody can write new words down");
  io.err("New words. Write them down now: they are shown once and stored nowhere.\n");
  io.err(`  ${mnemonic}\n`);
  return mnemonic;
}

async function sendKeys(session: Session, id: bigint, file: string, forkVersion: Hex): Promise<void> {
  const { protocol, io } = session;
  const reader = new ValidatorReader(protocol.validators, protocol.provider, protocol.fromBlock);
  const [credentials, book, json] = await Promise.all([
    protocol.validators.withdrawalCredentials(),
    protocol.provider.getBlockNumber().then((block) => reader.bookAt(block)),
    readFile(file, "utf8").catch((error: unknown) => {
      throw new AppError(EXIT.usage, `can't read ${file}: ${messageOf(error)}`);
    }),
  ]);
  const known = new Set([...book.values()].map(({ pubkey }) => pubkey));
  const checked = checkDepositFile(json, { withdrawalCredentials: credentials as Hex, forkVersion, known });
  if (!checked.ok)
    throw new AppError(EXIT.invalid, checked.problems.map((problem) => `${file}: ${problem}`).join("\n"));
  const context = await session.context();
  for (const [i, batch] of checked.batches.entries()) {
    if (checked.batches.length > 1) io.err(`transaction ${i + 1} of ${checked.batches.length}`);
    const deposits = batch.pubkeys.map((pubkey, at) => ({
      pubkey,
      signature: batch.signatures[at] ?? "0x",
      depositDataRoot: batch.depositDataRoots[at] ?? "0x",
    }));
    await act(session, await predeposit(context, id, deposits), ({ keyRoots }) => [["keys", `${keyRoots.length}`]]);
  }
}

async function changeBond(session: Session, what: string, id: bigint, text: string): Promise<void> {
  const amount = wei(parseAmount("amount", text));
  const context = await session.context();
  if (what === "add") {
    await act(session, await addBond(context, id, amount), () => [["added", ether(amount)]]);
  } else if (what === "withdraw") {
    const part = await session.protocol.token.getSharesByPooledEth(amount);
    await act(session, await withdrawBond(context, id, shares(part)), (change) => [["shares", `${change.shares}`]]);
  } else {
    throw new AppError(EXIT.usage, `add or withdraw, not ${what}`);
  }
}

function forkVersionOf(network: string): Hex {
  const known = NETWORKS[network];
  if (known !== undefined) return known;
  if (/^0x[0-9a-f]{8}$/i.test(network)) return network.toLowerCase() as Hex;
  throw new AppError(
    EXIT.usage,
    `--network: ${Object.keys(NETWORKS).join(", ")}, or a fork version of 4 bytes, not ${network}`,
  );
}

function operatorId(text: string): bigint {
  return BigInt(whole("id", text));
}

function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new AppError(EXIT.usage, `${name}: a whole number, not ${text}`);
  return Number(text);
}
