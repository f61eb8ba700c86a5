/** A fresh process that proves validators, or a hop, as the keeper does, and says on stdout what that cost it. Argument: a task file. */
import { readFileSync } from "node:fs";
import { downloadState, provableState } from "../../../offchain/beacon/stateDownload.ts";
import type { Header } from "../../../offchain/beacon/proofs.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { withCost } from "./cost.ts";

interface Task {
  readonly url: string;
  readonly pubkeys: Hex[];
  readonly header: Omit<Header, "slot" | "proposerIndex"> & { readonly slot: number };
  /** Where a hop is wanted. */
  readonly hopTo?: number;
}

const { url, pubkeys, header: fields, hopTo } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Task;
const header = { ...fields, slot: BigInt(fields.slot), proposerIndex: 0n };
const { value, cost } = await withCost(async () =>
  downloadState(url, "/state", 60, undefined, async (download) => {
    const { state, indices } = await provableState(download, header, pubkeys);
    const balances = indices.map((index) => state.balance(index));
    const hop = hopTo === undefined ? [] : state.blockRoot(hopTo);
    return { validators: indices.map((index) => state.validator(index, 0n)), balances, hop };
  }),
);
const { validators, balances, hop } = value;
const branches = [...validators, ...balances].map(({ branch }) => branch.length);
console.log(JSON.stringify({ branches, hop: hop.length, cost }));
