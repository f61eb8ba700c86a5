/** The simulated chain as a Gloas node would show it (EIP-7732): some of its blocks have no payload, and EIP-4788 has only the roots that payloads wrote. */
import { ssz } from "@lodestar/types";
import { getBytes, toBeHex } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import type { BeaconBlock } from "../../../devnet/simulated/history.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { BEACON_ROOTS } from "../../../devnet/predeploys.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { ZERO_ROOT, gloasBlock, gloasEnvelope, hex, ownHeader, rootOf } from "../beacon/gloasChain.ts";
import type { BlockParts, ServedChain, SignedBlock } from "../beacon/gloasChain.ts";

const ROOTS_BUFFER = 8_191;
/** Blocks before the reference that are shown too. */
const BEFORE = 4;

export interface GloasWorld {
  readonly chain: ServedChain;
  /** At exactly this slot. */
  blockAt(slot: number): SignedBlock;
}

/**
 * From a few slots before the reference slot up to the head.
 * @param empty slots whose blocks have no payload, or one that does not count
 */
export async function gloasWorld(
  connection: NetworkConnection,
  { beacon }: LocalProtocol,
  refSlot: number,
  empty: readonly number[],
): Promise<GloasWorld> {
  const blocks: SignedBlock[] = [];
  const envelopes = new Map<Hex, Uint8Array>();
  let reported: { readonly root: Hex; readonly bytes: Uint8Array } | undefined;
  let parentRoot: Uint8Array = new Uint8Array(32).fill(9);
  let parentBlockHash: Uint8Array = new Uint8Array(32).fill(8);
  for (const simulated of blocksFrom(beacon, refSlot - BEFORE)) {
    const { slot, execution } = simulated;
    const parts: BlockParts = { slot, parentRoot, parentBlockHash, blockHash: getBytes(execution.hash) };
    const isReported = slot === beacon.blockAt(refSlot).slot;
    const state = isReported ? stateOf(simulated, parts) : undefined;
    const signed = gloasBlock({ ...parts, stateRoot: state?.hashTreeRoot() ?? ZERO_ROOT });
    if (state !== undefined) reported = { root: hex(state.hashTreeRoot()), bytes: state.serialize() };
    const isFull = !empty.includes(slot);
    await writeRoot(connection, beacon.timeOf(slot), isFull ? hex(parentRoot) : undefined);
    blocks.push(signed);
    const { number: blockNumber, timestamp } = execution;
    const envelope = gloasEnvelope(signed, { blockNumber, timestamp });
    envelopes.set(hex(rootOf(signed)), ssz.gloas.SignedExecutionPayloadEnvelope.serialize(envelope));
    parentRoot = rootOf(signed);
    if (isFull) parentBlockHash = parts.blockHash;
  }
  const chain: ServedChain = {
    genesisTime: beacon.genesisTime,
    chainId: 31_337,
    genesisValidatorsRoot: getBytes(beacon.genesisValidatorsRoot),
    finalizedEpoch: beacon.finalized().epoch,
    blocks,
    envelopes,
    stateOf: (id) => (id === reported?.root ? reported.bytes : undefined),
  };
  return {
    chain,
    blockAt(slot) {
      const found = blocks.find(({ message }) => message.slot === slot);
      if (found === undefined) throw new RangeError(`no block at slot ${slot}`);
      return found;
    },
  };
}

function blocksFrom(beacon: LocalProtocol["beacon"], first: number): BeaconBlock[] {
  const found: BeaconBlock[] = [];
  for (let slot = first; slot <= beacon.head.slot; slot++) {
    const block = beacon.blockAt(slot);
    if (block.slot === slot) found.push(block);
  }
  return found;
}

/** The simulated state's validators, balances and checkpoints, as far as a report reads them. */
function stateOf({ slot, node }: BeaconBlock, parts: BlockParts) {
  const simulated = ssz.electra.BeaconState.getViewDU(node);
  const view = ssz.gloas.BeaconState.defaultViewDU();
  view.slot = slot;
  view.genesisValidatorsRoot = simulated.genesisValidatorsRoot;
  view.finalizedCheckpoint = simulated.finalizedCheckpoint;
  for (const validator of simulated.validators.getAllReadonlyValues())
    view.validators.push(ssz.phase0.Validator.toViewDU(validator));
  for (const balance of simulated.balances.getAll()) view.balances.push(balance);
  view.latestBlockHeader = ownHeader(parts);
  view.commit();
  return view;
}

/** As the payload's system call would have done; with no payload there is no entry. */
async function writeRoot({ provider }: NetworkConnection, timestamp: number, root: Hex | undefined): Promise<void> {
  const position = timestamp % ROOTS_BUFFER;
  const entries = [
    [position, root === undefined ? 0 : timestamp],
    [position + ROOTS_BUFFER, root ?? 0],
  ] as const;
  for (const [place, value] of entries)
    await provider.request({
      method: "hardhat_setStorageAt",
      params: [BEACON_ROOTS, `0x${place.toString(16)}`, toBeHex(value, 32)],
    });
}
