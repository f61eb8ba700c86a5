/** The blocks that the beacon produced, with the state after each. */
import type { Node } from "@chainsafe/persistent-merkle-tree";
import { hexlify } from "ethers";
import type { CoreState, Hex } from "./state/state.ts";
import { startSlotOf } from "./state/state.ts";
import type { ExecutionBlock } from "./execution.ts";
import type { Header } from "../../offchain/beacon/proofs.ts";
import type { BlockHeader, ForkName } from "./ssz/stateTree.ts";

export interface BeaconBlock {
  readonly slot: number;
  readonly root: Hex;
  readonly header: Header;
  /** The last block of the execution layer that belongs to this slot. */
  readonly execution: ExecutionBlock;
  /** electra.BeaconBlockBody, serialized. */
  readonly body: Uint8Array;
  readonly fork: ForkName;
  /** The post-state, in plain numbers and as an SSZ tree. Neither may be changed. */
  readonly state: Readonly<CoreState>;
  readonly node: Node;
  readonly sszHeader: BlockHeader;
  /** How many historical summaries the state has. */
  readonly summaries: number;
}

export class History {
  readonly #blocks: BeaconBlock[] = [];

  get length(): number {
    return this.#blocks.length;
  }

  get head(): BeaconBlock {
    return this.#blocks.at(-1) ?? missing("the beacon has no genesis block yet");
  }

  push(block: BeaconBlock): void {
    this.#blocks.push(block);
  }

  truncate(length: number): void {
    this.#blocks.length = length;
  }

  /** The last block at or before the slot. */
  at(slot: number): BeaconBlock {
    return this.#blocks[this.#position(slot)] ?? missing(`no block at or before slot ${slot}`);
  }

  byRoot(root: string): BeaconBlock | undefined {
    return this.#blocks.find((block) => block.root === root);
  }

  byStateRoot(root: string): BeaconBlock | undefined {
    return this.#blocks.find(({ header }) => header.stateRoot === root);
  }

  /** The block produced next after the one at `slot`, whose execution block makes that root available in EIP-4788. */
  after(slot: number): BeaconBlock | undefined {
    return this.#blocks[this.#position(slot) + 1];
  }

  /** The root of a checkpoint: of the last block at or before the epoch's first slot; zero for the genesis epoch. */
  checkpointRoot(epoch: number): Uint8Array {
    if (epoch === 0) return new Uint8Array(32);
    return Uint8Array.from(Buffer.from(this.at(startSlotOf(epoch)).root.slice(2), "hex"));
  }

  get finalized(): BeaconBlock {
    return this.at(startSlotOf(this.head.state.finalizedEpoch));
  }

  #position(slot: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle] as BeaconBlock).slot <= slot) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

export function toHeader(header: BlockHeader): Header {
  return {
    slot: BigInt(header.slot),
    proposerIndex: BigInt(header.proposerIndex),
    parentRoot: hexlify(header.parentRoot) as Hex,
    stateRoot: hexlify(header.stateRoot) as Hex,
    bodyRoot: hexlify(header.bodyRoot) as Hex,
  };
}

function missing(message: string): never {
  throw new RangeError(message);
}
