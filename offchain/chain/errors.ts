/**
 * Whatever a node, a wallet or a contract refuses, as one readable sentence: custom errors of all our contracts decoded by one interface, and
 * the failures of wallets and nodes by kind.
 */
import { AbiCoder, Interface, formatEther, formatUnits, isHexString } from "ethers";
import type { ErrorDescription } from "ethers";
import { ProtocolError } from "../protocol/errors.ts";
import { AppError, EXIT, isAbort, messageOf } from "../util/errors.ts";
import type { ExitCode } from "../util/errors.ts";
import { CONTRACT_ABIS } from "./abis.ts";
import { meaningOf, revertIn, rpcErrorIn } from "./answers.ts";
import { sentenceFor } from "./errorSentences.ts";

export type ChainErrorKind =
  | "reverted"
  | "insufficient-funds"
  | "rejected-by-user"
  | "nonce"
  | "underpriced"
  /** A limit of the caller's own: nothing was sent. */
  | "refused"
  /** Another transaction took its place: it can't be mined any more. */
  | "replaced"
  /** It was sent and not mined in time: it may still be. */
  | "pending"
  | "unavailable"
  | "unknown";

/** A custom error of a contract. */
export interface Revert {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export class ChainError extends AppError {
  readonly kind: ChainErrorKind;
  /** Where a contract refused with an error that is known. */
  readonly revert: Revert | undefined;

  constructor(kind: ChainErrorKind, message: string, options?: ErrorOptions & { revert?: Revert | undefined }) {
    super(exitCodeFor(kind), message, options);
    this.name = "ChainError";
    this.kind = kind;
    this.revert = options?.revert;
  }
}

function exitCodeFor(kind: ChainErrorKind): ExitCode {
  if (kind === "unavailable") return EXIT.unavailable;
  return kind === "refused" ? EXIT.refused : EXIT.failure;
}

/** All custom errors of all contracts. */
export const ERRORS = new Interface(errorFragments());

const STATUSES = ["unknown", "predeposited", "queued", "active", "exiting", "withdrawn", "dropped"];
const FAR_FUTURE = 2n ** 64n - 1n;
const ERROR_SELECTOR = "0x08c379a0";
const PANIC_SELECTOR = "0x4e487b71";
const PANICS: Readonly<Record<string, string>> = {
  1: "an assertion failed",
  17: "an amount overflows or falls below zero",
  18: "a division by zero",
  33: "a value outside an enumeration",
  50: "an index outside an array",
};

/** What revert data says; undefined if it is none that is known. An error inside an error's bytes is the one that is told. */
export function decodeRevert(data: string): Revert | undefined {
  if (!isHexString(data) || data.length < 10) return undefined;
  const selector = data.slice(0, 10).toLowerCase();
  const rest = `0x${data.slice(10)}`;
  try {
    if (selector === ERROR_SELECTOR) {
      const [reason] = AbiCoder.defaultAbiCoder().decode(["string"], rest) as unknown as [string];
      return { name: "Error", args: { reason }, message: reason };
    }
    if (selector === PANIC_SELECTOR) {
      const [code] = AbiCoder.defaultAbiCoder().decode(["uint256"], rest) as unknown as [bigint];
      return { name: "Panic", args: { code }, message: PANICS[String(code)] ?? `the contract panicked (code ${code})` };
    }
    const parsed = ERRORS.parseError(data);
    return parsed === null ? undefined : (nested(parsed) ?? described(parsed));
  } catch {
    return undefined; // a selector of ours before data that does not fit
  }
}

/** What `quote` gives, of a formula of the contracts. @throws ChainError: what they would refuse, before they are asked */
export function foretold<T>(quote: () => T): T {
  try {
    return quote();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const revert = decodeRevert(ERRORS.encodeErrorResult(error.errorName, error.values));
    throw new ChainError("reverted", revert?.message ?? error.message, { revert, cause: error });
  }
}

/** Any failure of a call or a transaction. An AppError, and the end of an operation by its signal, stay what they are. */
export function toChainError(error: unknown): Error {
  if (error instanceof AppError || isAbort(error)) return error as Error;
  const data = revertDataOf(error);
  if (data !== undefined) {
    const revert = decodeRevert(data);
    const unknown = data === "0x" ? "the contract refused without a reason" : `the contract refused: ${data}`;
    return new ChainError("reverted", revert?.message ?? unknown, { revert, cause: error });
  }
  const kind = kindOf(error);
  return new ChainError(kind, SENTENCES[kind] ?? sentenceOf(error), { cause: error });
}

/** Runs `work` and makes whatever it throws readable. */
export async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toChainError(error);
  }
}

const SENTENCES: Partial<Record<ChainErrorKind, string>> = {
  "insufficient-funds": "the account has not enough ether for the amount and the gas",
  "rejected-by-user": "the signature was refused in the wallet",
  nonce: "another transaction of the account took this nonce: try again",
  underpriced: "the fee is too low to replace the account's waiting transaction",
};

/** The error's data, wherever libraries and nodes put it; never a transaction's own. "0x" where it reverted without any. */
function revertDataOf(error: unknown, depth = 0): string | undefined {
  if (typeof error !== "object" || error === null || depth > 6) return undefined;
  const { code, message, shortMessage = message, data, error: inner, info, cause } = error as Record<string, unknown>;
  // ethers puts the whole request into `message`
  const own = revertIn({ code, message: shortMessage, data });
  if (own !== undefined) return own;
  for (const next of [data, inner, info, cause]) {
    const found = revertDataOf(next, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function kindOf(error: unknown): ChainErrorKind {
  const { code, info, receipt } = (error ?? {}) as {
    code?: unknown;
    info?: { error?: { code?: unknown } };
    receipt?: unknown;
  };
  const text = textOf(error);
  if (code === "INSUFFICIENT_FUNDS" || /insufficient funds|enough funds/i.test(text)) return "insufficient-funds";
  if (code === "ACTION_REJECTED" || code === 4001 || info?.error?.code === 4001) return "rejected-by-user";
  if (/user (rejected|denied)/i.test(text)) return "rejected-by-user";
  if (code === "REPLACEMENT_UNDERPRICED" || /underpriced/i.test(text)) return "underpriced";
  if (code === "NONCE_EXPIRED" || /nonce too (low|high)|nonce has already been used/i.test(text)) return "nonce";
  const NETWORK = /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|socket hang up|fetch failed/i;
  if (
    code === "NETWORK_ERROR" ||
    code === "TIMEOUT" ||
    code === "SERVER_ERROR" ||
    NETWORK.test(`${String(code)} ${text}`)
  )
    return "unavailable";
  const rpc = rpcErrorIn(error);
  if (rpc !== undefined) return meaningOf(rpc) === "request" ? "unknown" : "unavailable";
  // only a receipt says so without data
  if (code === "CALL_EXCEPTION") return receipt === undefined || receipt === null ? "unavailable" : "reverted";
  return "unknown";
}

function textOf(error: unknown, depth = 0): string {
  if (typeof error !== "object" || error === null || depth > 4) return typeof error === "string" ? error : "";
  const { message, info, error: inner, cause } = error as Record<string, unknown>;
  return [
    typeof message === "string" ? message : "",
    ...[info, inner, cause].map((next) => textOf(next, depth + 1)),
  ].join(" ");
}

/** The node's own sentence, or the library's: ethers puts the whole request into `message`. */
function sentenceOf(error: unknown): string {
  const { message } = rpcErrorIn(error) ?? {};
  if (typeof message === "string" && message !== "") return messageOf(new Error(message));
  const { shortMessage } = (error ?? {}) as { shortMessage?: unknown };
  return typeof shortMessage === "string" ? shortMessage : messageOf(error);
}

function nested({ fragment, args }: ErrorDescription): Revert | undefined {
  const index = fragment.inputs.findIndex(({ type }) => type === "bytes");
  return index === -1 ? undefined : decodeRevert(String(args[index]));
}

function described({ name, fragment, args }: ErrorDescription): Revert {
  const named: Record<string, unknown> = {};
  const values: readonly unknown[] = [...args];
  fragment.inputs.forEach(({ name: key }, index) => (named[key === "" ? String(index) : key] = values[index]));
  const sentence = sentenceFor(fragment);
  const list = Object.entries(named).map(([key, value]) => `${key} ${String(value)}`);
  const plain = [name.replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase(), ...list].join(", ");
  const message = sentence?.replace(/\{(\w+)(?::(\w+))?\}/g, (_, key: string, format?: string) =>
    formatted(/^\d+$/.test(key) ? values[Number(key)] : named[key], format),
  );
  return { name, args: named, message: message ?? plain };
}

function formatted(value: unknown, format: string | undefined): string {
  const number = typeof value === "bigint" ? value : 0n;
  switch (format) {
    case "eth":
      return `${formatEther(number)} ETH`;
    case "gwei":
      return `${formatEther(number * 10n ** 9n)} ETH`;
    case "shares":
      return formatEther(number / 10n ** 9n);
    case "time":
      return number < 8n * 10n ** 12n ? new Date(Number(number) * 1_000).toISOString() : "never";
    case "units":
      return `${formatEther(number)} westETH`;
    case "bp":
      return `${formatUnits(number, 2)}%`;
    case "nano":
      return `${formatUnits(number, 7)}%`;
    case "far":
      return number === FAR_FUTURE ? "never" : String(number);
    case "status":
      return STATUSES[Number(number)] ?? String(number);
    case undefined:
    default:
      return String(value);
  }
}

function errorFragments(): string[] {
  const signatures = new Set<string>();
  for (const abi of CONTRACT_ABIS)
    new Interface(abi).forEachError((fragment) => signatures.add(fragment.format("full")));
  return [...signatures];
}
