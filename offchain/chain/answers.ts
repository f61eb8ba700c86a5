/**
 * What an answer of an execution node means, whichever client or provider spells it: the one place that tells what the chain says from what is
 * the matter with the node. The chain's word is final; all else is asked of the next node, and never stands for an answer.
 */
import { isHexString } from "ethers";
import { AppError, EXIT } from "../util/errors.ts";

/** The error object of a JSON-RPC answer. */
export interface RpcError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly data?: unknown;
}

export type Meaning =
  /** The contract refuses: it would do so at every node. */
  | "reverted"
  /** The request itself is refused, or the transaction: every node would. */
  | "request"
  /** The account's ether, nonce or fee, as this node knows them. */
  | "account"
  /** A rate limit, or a node that is overloaded: later, or slower. */
  | "busy"
  /** Too much asked at once: a range, a batch, an answer, gas. */
  | "size"
  /** The machine that answered does not have the block yet. */
  | "behind"
  /** It no longer has, or never had, what was asked: pruned state, a method that the plan leaves out, a wrong key. */
  | "lacking"
  /** It could not be reached. */
  | "network"
  /** Anything else is the matter with it. */
  | "node";

/** Why a node did not answer. `waitSeconds` is how long it wants to be left alone. */
export class NodeFailure extends AppError {
  readonly meaning: Meaning;
  readonly waitSeconds: number | undefined;
  /** As the node gave it. */
  readonly rpc: RpcError | undefined;

  constructor(
    meaning: Meaning,
    message: string,
    options: ErrorOptions & { waitSeconds?: number | undefined; rpc?: RpcError | undefined } = {},
  ) {
    super(EXIT.unavailable, message, options);
    this.name = "NodeFailure";
    this.meaning = meaning;
    this.waitSeconds = options.waitSeconds;
    this.rpc = options.rpc;
  }
}

// Spellings: execution-apis' error groups (github.com/ethereum/execution-apis), Nethermind and Parity's -32015 (NethermindEth/nethermind#2098,
// #6024, graphprotocol/graph-node#5533), -32602 for a range beyond the head and for results (ethereum/execution-apis#875, reth), and what
// Infura, Alchemy, QuickNode, dRPC, Ankr and PublicNode document as limits.
const SIZE = new RegExp(
  [
    /\bblocks? range\b(?!.*beyond)|\brange (?:is |of blocks |limit|[\d,_]+ )?(?:is )?(?:too|exceed|limit|over)|too (?:wide|large|big|long)/,
    /more than [\d,_]+ (?:results|logs|blocks|requests|calls)|(?:is )?limited to .*(?:range|blocks)|ranges? over|max(?:imum)? (?:block range|results|logs|response)/,
    /too many (?:blocks|logs|results|calls|batch|items)|(?:response|result|body|payload|content|log|logs)[\w ]* (?:size|limit|length)[\w ]* exceed/,
    /(?:exceed|over|above)\w* .*(?:\brange\b|results|\blogs\b|response size|number of blocks)|\bbatch\b/,
    /(?:query|request|execution|operation)? ?(?:timeout|timed out)|took too long|deadline exceeded/,
    /out of gas|gas required exceeds|exceeds? .*gas (?:cap|limit|allowance)|gas limit .*exceed|outofgas/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "i",
);
const BUSY =
  /rate.?limit|too many (?:requests|concurrent|connections)|(?:request|call|credit|concurrency|throughput|usage|rps)s? (?:count |rate )?(?:limit|capacity|quota)|limit (?:was |is )?(?:reached|exceeded)|per.second|\/sec|compute units|\bquota\b|capacity|slow down|back.?off|try again (?:later|in)|throttl|overload|server (?:is )?busy/i;
const BEHIND =
  /header (?:for hash )?not found|(?:unknown|unfinali[sz]ed) block|block .*not (?:yet )?(?:found|available|known|exist|imported)|beyond .*head|future block|could not find block|\bbehind\b|(?:from|to)block\W.*(?:greater|higher|future)|not (?:yet )?synced|syncing|cannot be found/i;
const LACKING =
  /missing trie node|prun|archive|histor(?:y|ical)|ancient|state .*(?:not|isn't|un) ?available|no state|old data|unauthori[sz]ed|forbidden|api.?key|project id|upgrade|\bplan\b|\btier\b/i;
const ACCOUNT =
  /insufficient (?:funds|balance)|enough (?:funds|ether|balance)|nonce|underpriced|fee ?cap|fee too low|max ?fee|priority fee|base ?fee|gas price/i;
/** Of the node's own settings and memory: another one may take the transaction. */
const OWN_LIMIT = /configured cap|pool is full|txpool.*full|internal|unavailable/i;

const BUSY_CODES = new Set([429, -32_005, -32_007, -32_016, -32_029, -32_097]);
const NODE_CODES = new Set([30, 4_444, -32_603, -32_002, -32_700, -32_001, -32_004, -32_006]);
const REQUEST_CODES = new Set([-32_600, -32_601, -32_602]);

/**
 * @param method of the call; without one only what is said counts
 * @returns what a JSON-RPC error says, and of whom
 */
export function meaningOf(error: RpcError, method?: string): Meaning {
  if (revertIn(error) !== undefined) return "reverted";
  const code = typeof error.code === "string" ? Number(error.code) : error.code;
  const said = typeof error.message === "string" ? error.message : "";
  const isSending = method === "eth_sendRawTransaction" || method === "eth_sendTransaction";
  if (isSending) return sendingMeaning(code, said);
  if (BEHIND.test(said)) return "behind";
  if (SIZE.test(said)) return "size";
  if (BUSY_CODES.has(code as number) || BUSY.test(said)) return "busy";
  if (code === 4_444 || LACKING.test(said)) return "lacking";
  if (ACCOUNT.test(said)) return "account";
  return REQUEST_CODES.has(code as number) ? "request" : "node";
}

/** A transaction that was refused is refused: the next node would only say that it knows it. */
function sendingMeaning(code: unknown, said: string): Meaning {
  if (BUSY_CODES.has(code as number)) return "busy";
  if (NODE_CODES.has(code as number) && !ACCOUNT.test(said) && !/known/i.test(said)) return "node";
  if (OWN_LIMIT.test(said)) return "node";
  if (!ACCOUNT.test(said)) {
    if (BUSY.test(said) && !/gas/i.test(said)) return "busy";
    if (BEHIND.test(said)) return "behind";
    if (LACKING.test(said) && !/known/i.test(said)) return "lacking";
  }
  return "request";
}

/** Whether another node would say the same. */
export function isFinal(meaning: Meaning): boolean {
  return meaning === "reverted" || meaning === "request";
}

/**
 * What a contract refused with, in whichever place and spelling: hex data, "Reverted 0x...", or "0x" where the node only says that it reverted.
 * Undefined for every other error.
 */
export function revertIn({ code, message, data }: RpcError): string | undefined {
  const found = dataIn(data);
  if (found !== undefined && found.length >= 10) return found;
  const says = code === 3 || saysReverted(message) || (typeof data === "string" && saysReverted(data));
  return says ? "0x" : undefined;
}

/** "missing revert data" is what ethers says of whatever failed. */
function saysReverted(text: unknown): boolean {
  return typeof text === "string" && /\breverted\b|(?<!missing )\brevert\b/i.test(text);
}

function dataIn(data: unknown, depth = 0): string | undefined {
  if (typeof data === "string") {
    const hex = /^(?:Reverted )?(0x(?:[0-9a-f]{2})*)$/i.exec(data.trim())?.[1];
    return hex !== undefined && isHexString(hex) ? hex : undefined;
  }
  if (typeof data !== "object" || data === null || depth > 3) return undefined;
  const { data: inner, originalError, result } = data as Record<string, unknown>;
  for (const next of [inner, originalError, result]) {
    const found = dataIn(next, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The node's own error inside what a library or a wallet threw. */
export function rpcErrorIn(error: unknown, depth = 0): RpcError | undefined {
  if (typeof error !== "object" || error === null || depth > 6) return undefined;
  const { code, message, error: inner, info, cause, data } = error as Record<string, unknown>;
  if (typeof code === "number" && typeof message === "string") {
    // wallets wrap the node's error into an internal one of their own
    const wrapped = code === -32_603 ? (rpcErrorIn(data, depth + 1) ?? rpcErrorIn(cause, depth + 1)) : undefined;
    return wrapped ?? { code, message, data };
  }
  for (const next of [info, inner, cause]) {
    const found = rpcErrorIn(next, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a failed read means, whoever threw. */
export function meaningOfThrown(error: unknown, method?: string): Meaning {
  if (error instanceof NodeFailure) return error.meaning;
  const rpc = rpcErrorIn(error);
  if (rpc !== undefined) return meaningOf(rpc, method);
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = `${typeof code === "string" ? code : ""} ${typeof message === "string" ? message : ""}`;
  if (/ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|socket hang up|fetch failed|NETWORK_ERROR/i.test(text))
    return "network";
  return meaningOf({ message }, method);
}

/** Seconds that an error asks for: Infura puts them into its data. */
export function waitIn({ data }: RpcError): number | undefined {
  const { rate } = (data ?? {}) as { rate?: { backoff_seconds?: unknown } };
  const seconds = Number(rate?.backoff_seconds);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(600, seconds) : undefined;
}
