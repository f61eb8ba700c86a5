/**
 * Blocks of one beacon node, verified by their roots, and the execution block that belongs to each.
 *
 * In Gloas (EIP-7732) a block carries only a bid. Its payload comes later in an envelope, or never; whether it counts is seen in the next block,
 * whose bid builds on it or on what was before. The block's state knows nothing of its own payload's deposits yet, and has deducted withdrawals
 * that only that payload pays, or the next that comes.
 */
import { ssz } from "@lodestar/types";
import type { Hex } from "../util/hex.ts";
import { expectSame, hex } from "./blockCodec.ts";
import type { Bid, Block, Execution } from "./blockCodec.ts";
import type { BeaconNode } from "./node.ts";
import type { Header } from "./proofs.ts";
import { Unusable } from "./requests.ts";
import type { BeaconBlockInfo } from "./types.ts";

/** How far a block is looked for over missed slots, or a payload over blocks without one: a day. */
const MOST_MISSED = 7_200;
/** Slots that are asked for one after the other. */
const EACH_SLOT = 32;

export class Blocks {
  readonly #node: BeaconNode;

  constructor(node: BeaconNode) {
    this.#node = node;
  }

  /** @throws Error where the node does not have the block, or none after a slot that it shows no block at */
  async atOrBefore(slot: number): Promise<BeaconBlockInfo> {
    return this.#settled(await this.#lastAt(slot));
  }

  /** The slot of the first block after this one: under its timestamp EIP-4788 has this one's root. */
  async successor(block: BeaconBlockInfo): Promise<number> {
    const successor = await this.#after(block);
    if (successor === undefined) throw new Error(`no block after slot ${block.slot} yet: its root is not in EIP-4788`);
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
      const next = await this.#after(block);
      if (next === undefined) throw new Error(`no block with a payload after slot ${slot} yet`);
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
      const block = await this.#node.block(before);
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

  /**
   * That a node shows no block at a slot proves nothing: it may not have it, or not yet. The next block tells, by its parents, which is the last one
   * up to the slot.
   */
  async #lastAt(slot: number): Promise<Block> {
    const here = await this.#node.headerAt(slot);
    if (here !== undefined) return this.#shown(here);
    let block = await this.#firstFrom(slot + 1);
    if (block === undefined)
      throw new Error(`shows no block at slot ${slot} and none after it yet: whether the slot was missed is not known`);
    for (let step = 0; step < MOST_MISSED; step++) {
      if (block.slot <= slot) return block;
      block = await this.#parentOf(block);
    }
    throw new Error(`has no block in ${MOST_MISSED} blocks before slot ${block.slot}`);
  }

  /** Whether the next block builds on this block's own payload. */
  async #isFull(block: Block, bid: Bid): Promise<boolean> {
    const next = await this.#after(block);
    if (next === undefined)
      throw new Error(`no block after slot ${block.slot} yet, which says whether its payload counts (gloas)`);
    return "bid" in next.content && next.content.bid.parentBlockHash === bid.blockHash;
  }

  /** The block whose parent this one is; undefined where this is the head. */
  async #after({ root, slot }: Pick<Block, "root" | "slot">): Promise<Block | undefined> {
    let next = await this.#firstFrom(slot + 1);
    if (next === undefined) return undefined;
    // the node may have left out some in between
    while (next.header.parentRoot !== root && next.slot > slot + 1) {
      const parent: Block = await this.#parentOf(next);
      if (parent.slot <= slot) break;
      next = parent;
    }
    expectSame("parent", next.header.parentRoot, root);
    return next;
  }

  /**
   * A block that the node shows at a slot or after it, the first if few are missed; undefined where its head is before.
   * @throws Unusable where it shows none in a day
   */
  async #firstFrom(slot: number): Promise<Block | undefined> {
    const head = await this.#node.head();
    for (let at = slot, step = 1; at < Math.min(head.slot, slot + MOST_MISSED); at += step) {
      const header = await this.#node.headerAt(at);
      if (header !== undefined) return this.#shown(header);
      // a node without blocks that old has none of them: their parents say what lies between
      if (at >= slot + EACH_SLOT) step *= 2;
    }
    if (head.slot < slot) return undefined;
    if (head.slot <= slot + MOST_MISSED) return this.#shown(head);
    throw new Unusable(`shows no block in ${MOST_MISSED} slots from slot ${slot} on`);
  }

  async #shown({ root, slot }: { readonly root: Hex; readonly slot: number }): Promise<Block> {
    const block = await this.#node.block(root, slot);
    expectSame("slot of the block", block.slot, slot);
    return block;
  }

  async #parentOf({ header, slot }: Block): Promise<Block> {
    const parent = await this.#node.block(header.parentRoot);
    if (parent.slot >= slot) throw new Error(`the parent of the block of slot ${slot} is of slot ${parent.slot}`);
    return parent;
  }

  /** The payload of a block's envelope, as far as the bid commits to it. Its number is the node's word: ask the execution layer. */
  async #payload(root: Hex, bid: Bid): Promise<{ execution: Execution; deposits: Map<Hex, bigint> }> {
    const { message } = await this.#node.envelope(root);
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
