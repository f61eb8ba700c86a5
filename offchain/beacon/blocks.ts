/**
 * Blocks of one beacon node, verified by their roots, and the execution block that belongs to each.
 *
 * In Gloas (EIP-7732) a block carries only a bid. Its payload comes later in an envelope, or never; whether it counts is seen in the next block,
 * whose bid builds on it or on what was before. The block's state knows nothing of its own payload's deposits yet, and has deducted withdrawals
 * that only that payload pays, or the next that comes.
 */
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import { z } from "zod";
import type { Hex } from "../util/hex.ts";
import { hexField, numberField } from "./fields.ts";
import type { BeaconNodes } from "./nodes.ts";
import { headerRoot } from "./proofs.ts";
import type { Header } from "./proofs.ts";
import type { BeaconBlockInfo } from "./types.ts";

/** How far back a block is looked for over missed slots, or a payload over blocks without one: a day. */
export const MOST_MISSED = 7_200;

export const headerSchema = z.object({
  data: z.object({
    root: hexField,
    canonical: z.boolean().optional(),
    header: z.object({ message: z.object({ slot: numberField }) }),
  }),
});

type Execution = BeaconBlockInfo["execution"];

/** EIP-7732: what a block commits to. */
interface Bid {
  readonly blockHash: Hex;
  readonly parentBlockHash: Hex;
  readonly requestsRoot: Hex;
}

interface Block {
  readonly header: Header;
  readonly root: Hex;
  readonly slot: number;
  readonly content: { readonly execution: Execution } | { readonly bid: Bid };
}

export class Blocks {
  readonly #nodes: BeaconNodes;
  readonly #url: string;
  readonly #signal: AbortSignal | undefined;

  constructor(nodes: BeaconNodes, url: string, signal: AbortSignal | undefined) {
    this.#nodes = nodes;
    this.#url = url;
    this.#signal = signal;
  }

  /** @throws Error if there is no block in a day up to the slot */
  async atOrBefore(slot: number): Promise<BeaconBlockInfo> {
    return this.#settled(await this.#lastAt(slot));
  }

  /** The slot of the first block after this one: under its timestamp EIP-4788 has this one's root. */
  async successor(block: BeaconBlockInfo): Promise<number> {
    const next = await this.#after(block.slot);
    if (next === undefined) throw new Error(`no block after slot ${block.slot} yet: its root is not in EIP-4788`);
    const successor = await this.#block(next);
    // only a payload that counts has written the root
    if ("bid" in successor.content && !(await this.#isFull(successor, successor.content.bid)))
      throw new Error(`the block after slot ${block.slot} has no payload: EIP-4788 never gets the root before it`);
    return successor.slot;
  }

  /** @throws Error if there is no block with a payload after them yet */
  async headersToPayload(slot: number): Promise<readonly Header[]> {
    let block = await this.#lastAt(slot);
    const headers = [block.header];
    for (let step = 0; step < MOST_MISSED; step++) {
      const root = await this.#after(block.slot);
      if (root === undefined) throw new Error(`no block with a payload after slot ${slot} yet`);
      const next = await this.#block(root);
      expectSame("parent", next.header.parentRoot, block.root);
      if ("execution" in next.content || (await this.#isFull(next, next.content.bid))) return headers;
      headers.push(next.header);
      block = next;
    }
    throw new Error(`no block with a payload in ${MOST_MISSED} blocks after slot ${slot}`);
  }

  /** With its execution block. */
  async #settled({ header, root, slot, content }: Block): Promise<BeaconBlockInfo> {
    if ("execution" in content) return { header, root, slot, execution: content.execution };
    const { bid } = content;
    if (await this.#isFull({ header, root, slot, content }, bid)) {
      const { execution, deposits } = await this.#payload(root, bid);
      return { header, root, slot, execution, unsettled: { deposits, owesWithdrawals: false } };
    }
    const unsettled = { deposits: new Map<Hex, bigint>(), owesWithdrawals: true };
    let before = header.parentRoot;
    for (let step = 0; step < MOST_MISSED; step++) {
      const block = await this.#block(before);
      if ("execution" in block.content) {
        expectSame("execution block", block.content.execution.hash, bid.parentBlockHash);
        return { header, root, slot, execution: block.content.execution, unsettled };
      }
      if (block.content.bid.blockHash === bid.parentBlockHash) {
        const { execution } = await this.#payload(block.root, block.content.bid);
        return { header, root, slot, execution, unsettled };
      }
      before = block.header.parentRoot;
    }
    throw new Error(`has no payload in ${MOST_MISSED} blocks up to slot ${slot}`);
  }

  async #lastAt(slot: number): Promise<Block> {
    for (let at = slot; at >= 0 && at > slot - MOST_MISSED; at--) {
      const root = await this.#rootAt(at);
      if (root !== undefined) return this.#block(root);
    }
    throw new Error(`has no block in ${MOST_MISSED} slots up to ${slot}`);
  }

  /** Whether the next block builds on this block's own payload. */
  async #isFull(block: Block, bid: Bid): Promise<boolean> {
    const next = await this.#after(block.slot);
    if (next === undefined)
      throw new Error(`no block after slot ${block.slot} yet, which says whether its payload counts (gloas)`);
    const { header, content } = await this.#block(next);
    expectSame("parent", header.parentRoot, block.root);
    return "bid" in content && content.bid.parentBlockHash === bid.blockHash;
  }

  async #after(slot: number): Promise<Hex | undefined> {
    const head = await this.#nodes.json(this.#url, "/eth/v1/beacon/headers/head", headerSchema, {
      signal: this.#signal,
    });
    for (let at = slot + 1; at <= (head?.data.header.message.slot ?? 0); at++) {
      const root = await this.#rootAt(at);
      if (root !== undefined) return root;
    }
    return undefined;
  }

  async #rootAt(slot: number): Promise<Hex | undefined> {
    const path = `/eth/v1/beacon/headers/${slot}`;
    const answer = await this.#nodes.json(this.#url, path, headerSchema, { signal: this.#signal });
    return answer === undefined || answer.data.canonical === false ? undefined : answer.data.root;
  }

  async #block(root: Hex): Promise<Block> {
    const path = `/eth/v2/beacon/blocks/${root}`;
    const answer = await this.#nodes.fetch(this.#url, path, { ssz: true, signal: this.#signal });
    if (answer.status === 404) throw new Error(`does not have the block ${root}`);
    const { version } = answer;
    if (version !== "electra" && version !== "fulu" && version !== "gloas")
      throw new Error(`blocks of the fork "${version ?? "unknown"}" are not known`);
    try {
      const block = decode(answer.body, version);
      expectSame("root of the block", block.root, root);
      return block;
    } catch (error) {
      if (error instanceof Mismatch) throw error;
      throw new Error(`the block ${root} is not an SSZ block of ${version}`, { cause: error });
    }
  }

  /** The payload of a block's envelope, as far as the bid commits to it. Its number is the node's word: ask the execution layer. */
  async #payload(root: Hex, bid: Bid): Promise<{ execution: Execution; deposits: Map<Hex, bigint> }> {
    const path = `/eth/v1/beacon/execution_payload_envelopes/${root}`;
    const answer = await this.#nodes.fetch(this.#url, path, { ssz: true, signal: this.#signal });
    if (answer.status === 404) throw new Error(`does not have the payload of the block ${root}`);
    let message;
    try {
      ({ message } = ssz.gloas.SignedExecutionPayloadEnvelope.deserialize(answer.body));
    } catch (error) {
      throw new Error(`the payload of the block ${root} is not an SSZ envelope of gloas`, { cause: error });
    }
    const { payload, executionRequests, beaconBlockRoot } = message;
    expectSame("block of the payload", hex(beaconBlockRoot), root);
    expectSame("execution block", hex(payload.blockHash), bid.blockHash);
    const requestsRoot = hex(ssz.gloas.ExecutionRequests.hashTreeRoot(executionRequests));
    expectSame("root of execution requests", requestsRoot, bid.requestsRoot);
    const deposits = new Map<Hex, bigint>();
    for (const { pubkey, amount } of executionRequests.deposits)
      deposits.set(hex(pubkey), (deposits.get(hex(pubkey)) ?? 0n) + BigInt(amount));
    const { blockNumber: number, timestamp } = payload;
    return { execution: { number, hash: bid.blockHash, timestamp }, deposits };
  }
}

function decode(bytes: Uint8Array, fork: "electra" | "fulu" | "gloas"): Block {
  if (fork === "gloas") {
    const { message } = ssz.gloas.SignedBeaconBlock.deserialize(bytes);
    const { blockHash, parentBlockHash, executionRequestsRoot } = message.body.signedExecutionPayloadBid.message;
    const bid = {
      blockHash: hex(blockHash),
      parentBlockHash: hex(parentBlockHash),
      requestsRoot: hex(executionRequestsRoot),
    };
    return blockOf(message, ssz.gloas.BeaconBlockBody.hashTreeRoot(message.body), { bid });
  }
  const { message } = ssz[fork].SignedBeaconBlock.deserialize(bytes);
  const { blockNumber: number, blockHash, timestamp } = message.body.executionPayload;
  const execution = { number, hash: hex(blockHash), timestamp };
  return blockOf(message, ssz[fork].BeaconBlockBody.hashTreeRoot(message.body), { execution });
}

function blockOf(
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

/** A node's answer is about something else than what was asked for. */
class Mismatch extends Error {}

export function expectSame<T>(what: string, found: T, expected: T): void {
  if (found !== expected)
    throw new Mismatch(`another ${what} than asked for: ${String(found)}, not ${String(expected)}`);
}

function hex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}
