/** Files of deposit data as the staking launchpad's tools write them, and everything that can be wrong with one. */
import { getBytes, hexlify } from "ethers";
import { z } from "zod";
import { exactNumber } from "../util/exact.ts";
import type { Hex } from "../util/hex.ts";
import { PREDEPOSIT_GWEI, depositDataRoot, depositMessageRoot, isValidDepositSignature } from "./deposit.ts";
import type { DepositData, DepositMessage } from "./deposit.ts";

/** Genesis fork versions: deposits are signed for one network. */
export const NETWORKS: Readonly<Record<string, Hex>> = {
  mainnet: "0x00000000",
  hoodi: "0x10000910",
  sepolia: "0x90000069",
};

/** The most keys that one transaction takes. */
export const MAX_KEYS = 64;

/** Arguments of `ValidatorRegistry.predeposit` after the operator's id. */
export interface PredepositBatch {
  readonly pubkeys: readonly Hex[];
  readonly signatures: readonly Hex[];
  readonly depositDataRoots: readonly Hex[];
}

export interface Expected {
  /** Of this protocol. */
  readonly withdrawalCredentials: Hex;
  /** Genesis fork version, 4 bytes. */
  readonly forkVersion: Hex;
  /** Keys that are taken: of the registry, or of other files. Lower case. */
  readonly known?: ReadonlySet<Hex>;
  /** Keys that were sent before, as this file says: they are checked and left out. Lower case. */
  readonly sent?: ReadonlySet<Hex>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, count: number) => void;
}

export type CheckedFile =
  | { readonly ok: true; readonly batches: readonly PredepositBatch[] }
  /** One line each, with the number of the entry, from 1. */
  | { readonly ok: false; readonly problems: readonly string[] };

const bytes = (length: number) =>
  z
    .string()
    .regex(new RegExp(`^(0x)?[0-9a-fA-F]{${2 * length}}$`), `${length} bytes in hexadecimal`)
    .transform((text): Hex => `0x${text.replace(/^0x/, "").toLowerCase()}`);
const entrySchema = z.object({
  pubkey: bytes(48),
  withdrawal_credentials: bytes(32),
  amount: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  signature: bytes(96),
  deposit_message_root: bytes(32).optional(),
  deposit_data_root: bytes(32),
  fork_version: bytes(4).optional(),
  network_name: z.string().optional(),
});
type Entry = z.infer<typeof entrySchema>;

/** The text of a file of these deposits. @param network its name, for readers @throws RangeError where JSON can't hold an amount exactly */
export function depositFile(deposits: readonly DepositData[], forkVersion: Hex, network: string): string {
  const plain = (value: string): string => value.replace(/^0x/, "");
  const entries = deposits.map((deposit) => ({
    pubkey: plain(deposit.pubkey),
    withdrawal_credentials: plain(deposit.withdrawalCredentials),
    amount: exactNumber(deposit.amountGwei),
    signature: plain(deposit.signature),
    deposit_message_root: plain(hexlify(depositMessageRoot(deposit))),
    deposit_data_root: plain(deposit.depositDataRoot),
    fork_version: plain(forkVersion),
    network_name: network,
    deposit_cli_version: "estuary",
  }));
  return `${JSON.stringify(entries, undefined, 2)}\n`;
}

/** Checks the whole file and reports everything that is wrong, or returns what to send, at most 64 keys a transaction. */
export function checkDepositFile(text: string, expected: Expected): CheckedFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, problems: ["not JSON"] };
  }
  if (!Array.isArray(json)) return { ok: false, problems: ["not a list of deposits"] };
  if (json.length === 0) return { ok: false, problems: ["no deposit in it"] };
  const seen = new Map<Hex, number>();
  const good: Entry[] = [];
  const problems: string[] = [];
  for (const [position, item] of (json as unknown[]).entries()) {
    expected.signal?.throwIfAborted();
    const number = position + 1;
    const parsed = entrySchema.safeParse(item);
    const found = parsed.success
      ? problemsOf(parsed.data, expected, seen.get(parsed.data.pubkey))
      : parsed.error.issues.map((issue) => `${issue.path.join(".") || "entry"}: ${issue.message}`);
    problems.push(...found.map((problem) => `deposit ${number}: ${problem}`));
    if (parsed.success) {
      if (!seen.has(parsed.data.pubkey)) seen.set(parsed.data.pubkey, number);
      if (expected.sent?.has(parsed.data.pubkey) !== true) good.push(parsed.data);
    }
    expected.onProgress?.(number, json.length);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, batches: batchesOf(good) };
}

function problemsOf(entry: Entry, expected: Expected, before: number | undefined): string[] {
  const problems: string[] = [];
  const message: DepositMessage = {
    pubkey: entry.pubkey,
    withdrawalCredentials: entry.withdrawal_credentials,
    amountGwei: BigInt(entry.amount),
  };
  if (before !== undefined) problems.push(`the key ${entry.pubkey} is also deposit ${before}`);
  if (expected.known?.has(entry.pubkey) === true) problems.push(`the key ${entry.pubkey} is already in use`);
  if (entry.withdrawal_credentials !== expected.withdrawalCredentials.toLowerCase())
    problems.push(foreignCredentials(entry.withdrawal_credentials, expected.withdrawalCredentials));
  if (message.amountGwei !== PREDEPOSIT_GWEI)
    problems.push(`the amount is ${entry.amount} gwei; a predeposit is ${PREDEPOSIT_GWEI} (1 ETH)`);
  const isNetwork = entry.fork_version === undefined || entry.fork_version === expected.forkVersion.toLowerCase();
  if (!isNetwork)
    problems.push(`it is for ${networkOf(entry.fork_version)}, not for ${networkOf(expected.forkVersion)}`);
  const named = NETWORKS[entry.network_name ?? ""];
  if (isNetwork && named !== undefined && named !== expected.forkVersion.toLowerCase())
    problems.push(`its network_name is ${entry.network_name}, not ${networkOf(expected.forkVersion)}`);
  if (entry.deposit_message_root !== undefined && entry.deposit_message_root !== hexlify(depositMessageRoot(message)))
    problems.push("deposit_message_root does not fit the other fields");
  if (entry.deposit_data_root !== depositDataRoot(message, entry.signature))
    problems.push("deposit_data_root does not fit the other fields");
  // signed for another network, it can't be valid here
  if (isNetwork && !isValidDepositSignature(message, entry.signature, getBytes(expected.forkVersion)))
    problems.push(
      `the signature is not valid for this key, amount, credentials and ${networkOf(expected.forkVersion)}`,
    );
  return problems;
}

function foreignCredentials(found: Hex, ours: Hex): string {
  const type = found.slice(2, 4);
  if (type === "00") return "its withdrawal credentials are a BLS key (0x00), not this protocol's vault";
  const whose = found.slice(4, 26) === "00".repeat(11) ? `those of 0x${found.slice(26)} (type 0x${type})` : found;
  return `its withdrawal credentials are ${whose}, not this protocol's: ${ours}`;
}

function networkOf(forkVersion: Hex | undefined): string {
  const name = Object.entries(NETWORKS).find(([, version]) => version === forkVersion?.toLowerCase())?.[0];
  return name ?? `the network with fork version ${forkVersion ?? "unknown"}`;
}

function batchesOf(entries: readonly Entry[]): PredepositBatch[] {
  const batches: PredepositBatch[] = [];
  for (let from = 0; from < entries.length; from += MAX_KEYS) {
    const batch = entries.slice(from, from + MAX_KEYS);
    batches.push({
      pubkeys: batch.map(({ pubkey }) => pubkey),
      signatures: batch.map(({ signature }) => signature),
      depositDataRoots: batch.map(({ deposit_data_root: root }) => root),
    });
  }
  return batches;
}
