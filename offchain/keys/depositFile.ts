/** Files of deposit data as the staking launchpad's tools write them, and everything that can be wrong with one. */
import { getBytes, hexlify } from "ethers";
import { z } from "zod";
import { exactNumber } from "../util/exact.ts";
import type { Hex } from "../util/hex.ts";
import type { DepositProblem, EntryProblem } from "./depositProblems.ts";
import { PREDEPOSIT_GWEI, depositDataRoot, depositMessageRoot, depositSigningRoot } from "./depositRoots.ts";
import type { DepositData, DepositMessage } from "./depositRoots.ts";
import { networkNamed } from "./networks.ts";
import { secretIn } from "./secrets.ts";

/** The most keys that one transaction takes. */
export const MAX_KEYS = 64;

/** What `predeposit` takes of a key. */
export interface KeyToDeposit {
  readonly pubkey: Hex;
  readonly signature: Hex;
  readonly depositDataRoot: Hex;
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
  /** Whether a key signed this root: `isSignedBy`, or what a browser has instead. */
  readonly isSignedBy: (pubkey: Hex, signature: Hex, signingRoot: Uint8Array) => boolean;
  readonly signal?: AbortSignal | undefined;
  /** Waited for: a page draws meanwhile. */
  readonly onProgress?: (done: number, count: number) => void | Promise<void>;
}

export type CheckedFile =
  /** A batch goes into one transaction; `sent`: how many keys were left out. */
  | { readonly ok: true; readonly batches: readonly (readonly KeyToDeposit[])[]; readonly sent: number }
  | { readonly ok: false; readonly problems: readonly DepositProblem[] };

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
export async function checkDepositFile(text: string, expected: Expected): Promise<CheckedFile> {
  const refused = (problem: DepositProblem): CheckedFile => ({ ok: false, problems: [problem] });
  const secret = secretIn(text);
  if (secret !== undefined) return refused({ kind: "secret", secret });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refused({ kind: "not-json" });
  }
  if (!Array.isArray(json)) return refused({ kind: "not-a-list" });
  if (json.length === 0) return refused({ kind: "empty" });
  const seen = new Map<Hex, number>();
  const good: Entry[] = [];
  const problems: DepositProblem[] = [];
  for (const [position, item] of (json as unknown[]).entries()) {
    expected.signal?.throwIfAborted();
    const deposit = position + 1;
    const parsed = entrySchema.safeParse(item);
    const found: EntryProblem[] = parsed.success
      ? problemsOf(parsed.data, expected, seen.get(parsed.data.pubkey))
      : parsed.error.issues.map(({ path, message }) => ({ kind: "field", field: path.join(".") || "entry", message }));
    problems.push(...found.map((problem) => ({ ...problem, deposit })));
    if (parsed.success) {
      if (!seen.has(parsed.data.pubkey)) seen.set(parsed.data.pubkey, deposit);
      if (expected.sent?.has(parsed.data.pubkey) !== true) good.push(parsed.data);
    }
    await expected.onProgress?.(deposit, json.length);
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, batches: batchesOf(good), sent: json.length - good.length };
}

function problemsOf(entry: Entry, expected: Expected, before: number | undefined): EntryProblem[] {
  const problems: EntryProblem[] = [];
  const { pubkey, signature } = entry;
  const message: DepositMessage = {
    pubkey,
    withdrawalCredentials: entry.withdrawal_credentials,
    amountGwei: BigInt(entry.amount),
  };
  const ours = expected.forkVersion.toLowerCase() as Hex;
  if (before !== undefined) problems.push({ kind: "twice", pubkey, before });
  if (expected.known?.has(pubkey) === true) problems.push({ kind: "in-use", pubkey });
  if (entry.withdrawal_credentials !== expected.withdrawalCredentials.toLowerCase())
    problems.push(foreignCredentials(entry.withdrawal_credentials, expected.withdrawalCredentials));
  if (message.amountGwei !== PREDEPOSIT_GWEI) problems.push({ kind: "amount", gwei: message.amountGwei });
  const found = entry.fork_version ?? ours;
  if (found !== ours) problems.push({ kind: "network", found, ours });
  const named = networkNamed(entry.network_name);
  if (found === ours && named !== undefined && named.genesisForkVersion !== ours)
    problems.push({ kind: "network-name", found: entry.network_name ?? "", ours });
  if (entry.deposit_message_root !== undefined && entry.deposit_message_root !== hexlify(depositMessageRoot(message)))
    problems.push({ kind: "root", field: "deposit_message_root" });
  if (entry.deposit_data_root !== depositDataRoot(message, signature))
    problems.push({ kind: "root", field: "deposit_data_root" });
  // signed for another network, it can't be valid here
  if (found === ours && !expected.isSignedBy(pubkey, signature, depositSigningRoot(message, getBytes(ours))))
    problems.push({ kind: "signature", ours });
  return problems;
}

function foreignCredentials(found: Hex, ours: Hex): EntryProblem {
  const isBls = found.startsWith("0x00");
  const owner: Hex | undefined = !isBls && found.slice(4, 26) === "00".repeat(11) ? `0x${found.slice(26)}` : undefined;
  return { kind: "credentials", found, ours, isBls, owner };
}

function batchesOf(entries: readonly Entry[]): KeyToDeposit[][] {
  const keys = entries.map(({ pubkey, signature, deposit_data_root: depositDataRoot }) => ({
    pubkey,
    signature,
    depositDataRoot,
  }));
  return Array.from({ length: Math.ceil(keys.length / MAX_KEYS) }, (_, at) =>
    keys.slice(at * MAX_KEYS, (at + 1) * MAX_KEYS),
  );
}
