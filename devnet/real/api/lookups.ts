/** `state_id` and `block_id` of the Beacon API, and what every answer about them says beside the data. */
import type { BeaconStateElectra } from "@lodestar/state-transition";
import type { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import { SLOTS_PER_EPOCH } from "@lodestar/params";
import type { Hex } from "../../../offchain/util/hex.ts";
import type { BeaconChain } from "../chain.ts";
import type { BlockEntry } from "../history.ts";
import { ApiError } from "./router.ts";

export interface FoundState {
  readonly state: BeaconStateElectra;
  readonly meta: Meta;
}

export interface Meta {
  readonly execution_optimistic: false;
  readonly finalized: boolean;
}

/** @throws ApiError 400, 404 */
export function findBlock(chain: BeaconChain, id: string): BlockEntry {
  const named = namedEntry(chain, id);
  if (named !== undefined) return named;
  const entry = /^0x[\da-f]{64}$/i.test(id)
    ? chain.history.byRoot(id.toLowerCase() as Hex)
    : chain.history.atSlot(wholeNumber("block_id", id));
  if (entry === undefined) throw new ApiError(404, `no block ${id}`);
  return entry;
}

/** By slot it is the state of that very slot, a missed one included. @throws ApiError 400, 404 */
export function findState(chain: BeaconChain, id: string): FoundState {
  const { history, head } = chain;
  const named = namedEntry(chain, id);
  if (named !== undefined) return { state: history.state(named), meta: metaOf(chain, named.slot) };
  if (/^0x[\da-f]{64}$/i.test(id)) {
    const entry = history.byStateRoot(id.toLowerCase() as Hex);
    if (entry === undefined) throw new ApiError(404, `no state ${id}`);
    return { state: history.state(entry), meta: metaOf(chain, entry.slot) };
  }
  const slot = wholeNumber("state_id", id);
  const entry = slot > head.entry.slot ? undefined : history.atOrBefore(slot);
  if (entry === undefined) throw new ApiError(404, `no state of slot ${slot} yet`);
  return { state: history.stateAtSlot(entry, slot), meta: metaOf(chain, slot) };
}

export function metaOf(chain: BeaconChain, slot: number): Meta {
  const finalizedSlot = chain.head.state.finalizedCheckpoint.epoch * SLOTS_PER_EPOCH;
  return { execution_optimistic: false, finalized: slot <= finalizedSlot };
}

export function versionAt(chain: BeaconChain, slot: number): string {
  return chain.config.getForkName(slot);
}

export function typesAt(chain: BeaconChain, slot: number): typeof ssz.electra {
  return chain.config.getForkTypes(slot) as unknown as typeof ssz.electra;
}

/** @throws ApiError 400 */
export function wholeNumber(name: string, text: string | null): number {
  if (text === null || !/^\d{1,15}$/.test(text)) throw new ApiError(400, `${name}: a whole number, not ${text}`);
  return Number(text);
}

function namedEntry({ history, head }: BeaconChain, id: string): BlockEntry | undefined {
  const checkpoint = (root: Uint8Array): BlockEntry => history.byRoot(hexlify(root) as Hex) ?? history.genesis;
  switch (id) {
    case "head":
      return head.entry;
    case "genesis":
      return history.genesis;
    case "finalized":
      return checkpoint(head.state.finalizedCheckpoint.root);
    case "justified":
      return checkpoint(head.state.currentJustifiedCheckpoint.root);
    default:
      return undefined;
  }
}
