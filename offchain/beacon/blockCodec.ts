/** Blocks and payload envelopes, as SSZ or JSON, of whichever fork: what was asked for is recognised by its root. */
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import type { Hex } from "../util/hex.ts";
import { headerRoot } from "./proofs.ts";
import type { ForkName, Header } from "./proofs.ts";
import type { BeaconBlockInfo } from "./types.ts";

export type Execution = BeaconBlockInfo["execution"];

/** EIP-7732: what a block commits to. */
export interface Bid {
  readonly blockHash: Hex;
  readonly parentBlockHash: Hex;
  readonly requestsRoot: Hex;
}

export interface Block {
  readonly header: Header;
  readonly root: Hex;
  readonly slot: number;
  readonly content: { readonly execution: Execution } | { readonly bid: Bid };
}

export type Envelope = ReturnType<typeof ssz.gloas.SignedExecutionPayloadEnvelope.deserialize>;

/** A node's answer is about something else than what was asked for. */
export class Mismatch extends Error {}

export function expectSame<T>(what: string, found: T, expected: T): void {
  if (found !== expected)
    throw new Mismatch(`another ${what} than asked for: ${String(found)}, not ${String(expected)}`);
}

/** What a node sent, before it is known what it is. */
export interface Encoded {
  readonly bytes: Uint8Array;
  /** `Eth-Consensus-Version`, in lower case; some nodes and providers leave it out. */
  readonly version: string | undefined;
}

/** SSZ of a block or an envelope begins with an offset, 100, and JSON with a brace: whatever the node calls it. */
export function isJson(bytes: Uint8Array): boolean {
  const start = bytes.subarray(0, 16).find((byte) => byte > 0x20);
  return start === 0x7b;
}

/**
 * @param root of the block asked for
 * @throws Error where the bytes are no block, or of a fork that is not known; Mismatch where it is another block
 */
export function decodeBlock(encoded: Encoded, root: Hex): Block {
  const { value, version } = opened(encoded, "block", root);
  let other: Block | undefined;
  let cause: unknown;
  // the blocks of Electra and Fulu have one type; the root tells whether a fork was the right one
  for (const fork of new Set<ForkName>([version ?? "fulu", "fulu", "gloas"])) {
    try {
      const block = blockOf(value, fork);
      if (block.root === root) return block;
      other ??= block;
    } catch (error) {
      cause ??= error;
    }
  }
  if (other !== undefined) expectSame("root of the block", other.root, root);
  throw new Error(`the block ${root} is not an SSZ block of ${version ?? "a known fork"}`, { cause });
}

/** @throws Error where the bytes are no envelope; what is in it the caller compares with the bid */
export function decodeEnvelope(encoded: Encoded, root: Hex): Envelope {
  const { value } = opened({ ...encoded, version: "gloas" }, "payload of the block", root);
  const type = ssz.gloas.SignedExecutionPayloadEnvelope;
  try {
    return value instanceof Uint8Array ? type.deserialize(value) : type.fromJson(value);
  } catch (error) {
    throw new Error(`the payload of the block ${root} is not an SSZ envelope of gloas`, { cause: error });
  }
}

interface Opened {
  /** SSZ, or the `data` of JSON. */
  readonly value: unknown;
  readonly version: ForkName | undefined;
}

function opened({ bytes, version: named }: Encoded, what: string, root: Hex): Opened {
  let value: unknown = bytes;
  let version: unknown = named;
  if (isJson(bytes)) {
    try {
      const json = JSON.parse(new TextDecoder().decode(bytes)) as { version?: unknown; data?: unknown };
      [value, version] = [json.data, json.version ?? named];
    } catch (error) {
      throw new Error(`the ${what} ${root} is neither SSZ nor JSON`, { cause: error });
    }
  }
  const name = typeof version === "string" ? version.toLowerCase() : undefined;
  if (name === undefined || name === "electra" || name === "fulu" || name === "gloas") return { value, version: name };
  throw new Error(`blocks of the fork "${name}" are not known`);
}

function blockOf(value: unknown, fork: ForkName): Block {
  if (fork === "gloas") {
    const type = ssz.gloas.SignedBeaconBlock;
    const { message } = value instanceof Uint8Array ? type.deserialize(value) : type.fromJson(value);
    const { blockHash, parentBlockHash, executionRequestsRoot } = message.body.signedExecutionPayloadBid.message;
    const bid = {
      blockHash: hex(blockHash),
      parentBlockHash: hex(parentBlockHash),
      requestsRoot: hex(executionRequestsRoot),
    };
    return withHeader(message, ssz.gloas.BeaconBlockBody.hashTreeRoot(message.body), { bid });
  }
  const type = ssz[fork].SignedBeaconBlock;
  const { message } = value instanceof Uint8Array ? type.deserialize(value) : type.fromJson(value);
  const { blockNumber: number, blockHash, timestamp } = message.body.executionPayload;
  const execution = { number, hash: hex(blockHash), timestamp };
  return withHeader(message, ssz[fork].BeaconBlockBody.hashTreeRoot(message.body), { execution });
}

function withHeader(
  message: { slot: number; proposerIndex: number; parentRoot: Uint8Array; stateRoot: Uint8Array },
  bodyRoot: Uint8Array,
  content: Block["content"],
): Block {
  const header: Header = {
    slot: BigInt(message.slot),
    proposerIndex: BigInt(message.proposerIndex),
    parentRoot: hex(message.parentRoot),
    stateRoot: hex(message.stateRoot),
    bodyRoot: hex(bodyRoot),
  };
  return { header, root: headerRoot(header), slot: message.slot, content };
}

export function hex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}
