/** What any turn of a member may have to read, asked for once, each with a reason of its own. */
import { call, readAll } from "../chain/multicall.ts";
import { fundedKeys } from "../chain/validatorBook.ts";
import { reasons, singleValidators, wholeStates } from "../beacon/serving.ts";
import type { BeaconBlockInfo } from "../beacon/types.ts";
import type { CheckList } from "../util/check.ts";
import type { Hex } from "../util/hex.ts";
import type { Nodes } from "./assemble.ts";
import { dueSlot } from "./contract.ts";
import type { Standing } from "./contract.ts";
import type { Reason } from "./metrics.ts";

/** Keys that each node is asked for: more would say no more. */
const SAMPLE = 20;
const NEEDS_WHOLE_STATE: Reason = "needs_whole_state";
const UNKNOWN = [false, "needs both layers"] as const;

/** The slot whose report is due, or else one as old as a report that is still to come may be. */
function slotToRead(standing: Standing, finalized: bigint): bigint {
  const last = BigInt(standing.lastReportHash) === 0n ? finalized : standing.lastRefSlot;
  return dueSlot(standing, finalized) ?? (last < finalized ? last : finalized);
}

/** @param standing and finalized undefined where they could not be read */
export async function checkReading(
  list: CheckList,
  { protocol, beacon, validators }: Nodes,
  standing: Standing | undefined,
  finalized: bigint | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const block = await list.run<BeaconBlockInfo>("reference", async () => {
    if (standing === undefined || finalized === undefined) return UNKNOWN;
    const slot = slotToRead(standing, finalized);
    const found = await beacon.blockAtOrBefore(Number(slot), signal);
    const { number, hash } = found.execution;
    const there = await protocol.provider.getBlock(number);
    if (there === null) return [false, `the execution node does not have block ${number}`];
    if (there.hash?.toLowerCase() !== hash)
      return [false, `execution block ${number} is ${there.hash}, the beacon chain has ${hash}`];
    return [true, `slot ${found.slot}, execution block ${number}`, found];
  });
  const isBefore = block !== undefined && block.execution.number < protocol.fromBlock;
  const keys = await list.run<readonly Hex[]>("events", async () => {
    if (block === undefined) return [false, "needs reference"];
    const book = await validators.bookAt(block.execution.number, { signal });
    const funded = fundedKeys(book);
    return [true, `${book.size} keys of the registry, ${funded.length} funded, as of that block`, funded];
  });
  await list.run("old state", async () => {
    if (block === undefined) return [false, "needs reference"];
    const { number } = block.execution;
    if (isBefore) return [true, `block ${number} is older than the contracts: nothing to ask yet`];
    const { pool } = protocol;
    await Promise.all([
      readAll(protocol, { books: call(pool, pool.books) }, number),
      protocol.provider.getBalance(protocol.rewardsVault, number),
    ]);
    return [true, `contracts and balances are answered as of block ${number}`];
  });
  await list.run("validators", async () => {
    if (block === undefined || keys === undefined) return [false, "needs reference and events"];
    const { validators: found } = await beacon.readState(block, keys, signal, true);
    return [true, `${found.size} of ${keys.length} read at slot ${block.slot}`];
  });
  await list.run("whole states", async () => {
    if (block === undefined) return [false, "needs reference"];
    const found = await beacon.serving(block, keys?.slice(0, SAMPLE) ?? [], signal);
    const [states, single] = [wholeStates(found), singleValidators(found)];
    if (states.count > 0) return [true, `${states.text}; ${single.text}`];
    const hosts = found.map(({ host }) => host).join(", ");
    // reports without slashings are read from nodes without that endpoint too
    return [
      "warning",
      `no beacon node serves /eth/v2/debug/beacon/states (${hosts}): after a slashing of a validator of ours this member can't sign${reasons(found, "lacksStates")}; ${single.text} (${NEEDS_WHOLE_STATE})`,
    ];
  });
}
