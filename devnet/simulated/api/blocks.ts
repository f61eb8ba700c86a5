/** What the Beacon API names blocks and states by, and their JSON and SSZ. */
import { SLOTS_PER_EPOCH } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { getBytes } from "ethers";
import type { SimulatedBeacon } from "../beacon.ts";
import type { BeaconBlock } from "../history.ts";

/** An answer other than 200: its status and message, in the specification's shape. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * A block id or state id: head, genesis, finalized, justified, a slot, or a root (of the block; of the state, for a state id).
 * A slot without a block is not found, also as a state id: the simulated layer keeps no state of empty slots.
 */
export function blockById(beacon: SimulatedBeacon, id: string, kind: "block" | "state"): BeaconBlock {
  if (id === "head") return beacon.head;
  if (id === "genesis") return beacon.blockAt(0);
  if (id === "finalized") return beacon.finalized().block;
  if (id === "justified") return beacon.blockAt(beacon.head.state.currentJustifiedEpoch * SLOTS_PER_EPOCH);
  if (/^0x[0-9a-f]{64}$/.test(id)) {
    const block = beacon.blockByRoot(id);
    const root = kind === "block" ? block?.root : block?.header.stateRoot;
    if (block === undefined || root !== id) throw new ApiError(404, `${kind} not found`);
    return block;
  }
  if (!/^\d+$/.test(id)) throw new ApiError(400, `invalid ${kind} id: ${id}`);
  const slot = Number(id);
  const block = slot > beacon.head.slot ? undefined : beacon.blockAt(slot);
  if (block?.slot !== slot) throw new ApiError(404, `${kind} not found`);
  return block;
}

export function isFinal(beacon: SimulatedBeacon, block: BeaconBlock): boolean {
  return block.slot <= beacon.finalized().block.slot;
}

/** BeaconBlockHeader with the signature that nobody made. */
export function headerJson(beacon: SimulatedBeacon, block: BeaconBlock): object {
  const { header } = block;
  return {
    root: block.root,
    canonical: true,
    header: {
      message: {
        slot: String(header.slot),
        proposer_index: String(header.proposerIndex),
        parent_root: header.parentRoot,
        state_root: header.stateRoot,
        body_root: header.bodyRoot,
      },
      signature: `0x${"00".repeat(96)}`,
    },
  };
}

function signedBlock(block: BeaconBlock) {
  return {
    message: {
      slot: block.slot,
      proposerIndex: Number(block.header.proposerIndex),
      parentRoot: getBytes(block.header.parentRoot),
      stateRoot: getBytes(block.header.stateRoot),
      body: ssz.electra.BeaconBlockBody.deserialize(block.body),
    },
    signature: new Uint8Array(96),
  };
}

export function blockJson(block: BeaconBlock): unknown {
  return ssz.electra.SignedBeaconBlock.toJson(signedBlock(block));
}

export function blockBytes(block: BeaconBlock): Uint8Array {
  return ssz.electra.SignedBeaconBlock.serialize(signedBlock(block));
}

export function stateBytes(block: BeaconBlock): Uint8Array {
  const view =
    block.fork === "fulu" ? ssz.fulu.BeaconState.getViewDU(block.node) : ssz.electra.BeaconState.getViewDU(block.node);
  return view.serialize();
}
