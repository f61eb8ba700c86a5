/** All of the pool's books, and what others may do by them: the model's, and some once more from the beacon's states. */
import { slotTime } from "../../../offchain/protocol/frames.ts";
import { WEI_PER_GWEI } from "../../../offchain/protocol/units.ts";
import type { Line } from "./checks.ts";
import { exitsAsked } from "./world.ts";
import type { World } from "./world.ts";

/** By then a slashed validator is on its way out. */
const FOURTEEN_DAYS = 14 * 225; // epochs

export async function poolLines(world: World): Promise<Line[]> {
  const { p, ledger, chain } = world;
  const [seen, [isCalm], demand, incident, finalised, now] = await Promise.all([
    p.pool.books(),
    p.pool.calm(),
    p.validators.exitDemand(),
    p.oracle.incident(),
    p.queue.lastFinalizedId(),
    chain.now(),
  ]);
  const fields = Object.entries(ledger.books) as [keyof typeof ledger.books, bigint | boolean][];
  return [
    ...fields.map(([field, books]) => ({ name: `the pool's ${field}`, chain: seen[field], books })),
    { name: "leaving, by the beacon's state", chain: seen.leaving, books: leavingAt(world) },
    { name: "whether payments may go on", chain: isCalm, books: ledger.isCalm(now) },
    { name: "demand for exits", chain: demand, books: ledger.exitDemand(exitsAsked(world)) },
    { name: "the last request that is paid", chain: finalised, books: BigInt(ledger.lastFinalizedId()) },
    { name: "whether others should be careful", chain: incident, books: isAlarming(world, now) },
  ];
}

/** Balances of validators that leave, at the last reference: whose exit has begun, slashed ones for their last 14 days. */
function leavingAt({ p, validators, lastRefSlot }: World): bigint {
  const slot = Number(lastRefSlot);
  const state = p.beacon.stateAt(slot);
  const time = BigInt(p.beacon.timeOf(slot));
  let gwei = 0n;
  for (const { key, fundedAt } of validators) {
    if (fundedAt === 0n || fundedAt > time) continue;
    const seen = state.validator(key.pubkey);
    if (seen === undefined || seen.exitEpoch === Infinity) continue;
    if (seen.slashed && seen.withdrawableEpoch > Math.floor(slot / 32) + FOURTEEN_DAYS) continue;
    gwei += state.balanceGwei(key.pubkey);
  }
  return gwei * WEI_PER_GWEI;
}

function isAlarming({ careful, outcomes, lastRefSlot, grid }: World, now: bigint): boolean {
  const last = outcomes.at(-1);
  const fell = last !== undefined && last.judged.ether * last.before.shares < last.before.ether * last.judged.shares;
  const overdue = now > slotTime(lastRefSlot + grid.slotsPerFrame, grid.genesisTime) + grid.grace;
  return careful || fell || overdue;
}
