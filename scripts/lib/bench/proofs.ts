/** What proofs out of a large beacon state cost: thirty validators with their balances, and a hop through `block_roots`. */
import { setHasher } from "@chainsafe/persistent-merkle-tree";
import { hasher } from "@chainsafe/persistent-merkle-tree/hasher/hashtree";
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import type { Cost } from "./cost.ts";
import { inFreshProcess } from "./fresh.ts";
import { judged, measureMachine } from "./measures.ts";
import type { Judged, Limits } from "./measures.ts";
import { makeState } from "./state.ts";

const VALIDATORS = 1_000_000;
const PROVEN = 30;
const SLOT = 8_192;
const LIMITS: Limits = { maxDeserialisations: 1, maxPeakMiB: 1_024 };
/** Levels of a full million, up to the state root: validators 20 + 1 + 6, balances 18 + 1 + 6, block_roots 13 + 6. */
const LENGTHS = { validator: 27, balance: 25, hop: 19 } as const;

export interface Proving extends Limits, Judged {
  readonly what: string;
  readonly validators: number;
}

export async function measureProving(): Promise<Proving[]> {
  const { bytes, pubkeys } = makeState(VALIDATORS, PROVEN);
  new DataView(bytes.buffer).setBigUint64(40, BigInt(SLOT), true);
  const root = `0x${"01".repeat(32)}`;
  // by another way than that which is measured: the whole tree
  setHasher(hasher);
  const stateRoot = hexlify(ssz.electra.BeaconState.deserializeToViewDU(bytes).hashTreeRoot());
  const header = { slot: SLOT, parentRoot: root, stateRoot, bodyRoot: root };
  const measures = await measureMachine(bytes);
  const rows: Proving[] = [];
  for (const { what, task, branches, hop } of [
    {
      what: `proofs of ${PROVEN} validators and balances`,
      task: { pubkeys, header },
      branches: [...pubkeys.map(() => LENGTHS.validator), ...pubkeys.map(() => LENGTHS.balance)],
      hop: 0,
    },
    { what: "a hop", task: { pubkeys: [], header, hopTo: 1 }, branches: [], hop: LENGTHS.hop },
  ]) {
    const found = await inFreshProcess<{ branches: number[]; hop: number; cost: Cost }>(bytes, "./proveOnce.ts", task);
    if (String(found.branches) !== String(branches) || found.hop !== hop)
      throw new Error(`${what}: branches of ${String(found.branches)}, a hop of ${found.hop}`);
    rows.push({ what, validators: VALIDATORS, ...LIMITS, ...judged(found.cost, measures, LIMITS) });
  }
  return rows;
}
