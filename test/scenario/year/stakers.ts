/** What stakers do: stake in three ways, transfer, ask for their ether in two, claim. */
import { ZeroAddress } from "ethers";
import type { ContractTransaction } from "ethers";
import { toEtherDown } from "../../../offchain/protocol/shares.ts";
import { SHARES_PER_UNIT, VALIDATOR_DEPOSIT, shares, wei } from "../../../offchain/protocol/units.ts";
import { exitsAsked } from "./world.ts";
import type { World } from "./world.ts";

export const ETH = 10n ** 18n;
const MIN_REQUEST = 100n; // wei

export async function newStakers({ chain }: World, count: number): Promise<string[]> {
  const accounts: string[] = [];
  for (let i = 0; i < count; i++) accounts.push(await chain.account(`staker ${i}`));
  return accounts;
}

/** How ether is staked: the transaction, and whose shares it mints. */
type Way = (
  world: World,
  who: string,
) => { readonly prepared: Promise<ContractTransaction>; readonly receiver: string };

const direct: Way = ({ p }, who) => ({ prepared: p.pool.deposit.populateTransaction(who, ZeroAddress), receiver: who });
const plain: Way = ({ at }, who) => ({ prepared: Promise.resolve({ to: at.pool, data: "0x" }), receiver: who });
/** Straight to westETH, which the wrapper holds shares for. */
const wrapped: Way = ({ p, at }, who) => ({
  prepared: p.wrapped.stake.populateTransaction(who, ZeroAddress),
  receiver: at.wrapped,
});

export async function stake(world: World, who: string, amount: bigint, way = direct): Promise<void> {
  const { chain, ledger } = world;
  const { prepared, receiver } = way(world, who);
  const now = await chain.send(who, prepared, amount);
  ledger.deposit(receiver, wei(amount), now);
  world.deposited += amount;
}

async function transfer({ chain, p, ledger }: World, from: string, to: string, amount: bigint): Promise<void> {
  await chain.send(from, p.token.transfer.populateTransaction(to, amount));
  ledger.transfer(from, to, wei(amount));
}

export async function request(world: World, who: string, amounts: readonly bigint[]): Promise<void> {
  const { chain, p, ledger, requests } = world;
  const now = await chain.send(who, p.queue.requestWithdrawals.populateTransaction([...amounts], who));
  for (const id of ledger.request(who, amounts.map(wei), now)) requests.push({ id, owner: who });
}

async function requestWrapped(world: World, who: string, wrapped: bigint): Promise<void> {
  const { chain, p, at, ledger, requests } = world;
  const now = await chain.send(who, p.wrapped.requestWithdrawals.populateTransaction([wrapped], who));
  const ids = ledger.requestShares(at.wrapped, [shares(wrapped * SHARES_PER_UNIT)], now);
  for (const id of ids) requests.push({ id, owner: who });
}

/** Asks for so much that `demand` wei must come from exits that nobody was asked for yet. */
export async function requestUntil(world: World, who: string, demand: bigint): Promise<void> {
  const { ledger } = world;
  const coming = ledger.books.leaving + VALIDATOR_DEPOSIT * exitsAsked(world);
  const here = ledger.buffer() + coming - ledger.promised();
  // a wei more for the rounding to shares
  await request(world, who, [demand + here + 1n]);
}

/** Each owner claims all it can, into the common purse. */
export async function claimAll(world: World): Promise<void> {
  const { chain, p, at, ledger, requests } = world;
  const last = ledger.lastFinalizedId();
  const byOwner = new Map<string, number[]>();
  for (const { id, owner } of requests) if (id <= last) byOwner.set(owner, [...(byOwner.get(owner) ?? []), id]);
  for (const [owner, ids] of byOwner) {
    const hints = ids.map(() => 0n);
    await chain.send(owner, p.queue.claimWithdrawals.populateTransaction(ids, hints, at.purse));
    // the books hold a wrapped request under the wrapper, which asked for it
    for (const id of ids) world.claimed += ledger.claim(ledger.ownerOf(id) ?? owner, id);
  }
  const open = requests.filter(({ id }) => id > last);
  requests.splice(0, requests.length, ...open);
}

/**
 * A day of small things: `actions` of them, by stakers chosen at random.
 * @param refused while no deposits are possible: where the names of the answers to them go
 */
export async function stakersDay(
  world: World,
  stakers: readonly string[],
  actions: number,
  refused?: (string | undefined)[],
): Promise<void> {
  const { p, ledger, random } = world;
  const anyone = () => stakers[random(stakers.length)] ?? ZeroAddress;
  // down to the wei, so that nothing comes out even by accident
  const amount = (ether: number) => (BigInt(1 + random(ether * 1_000)) * ETH) / 1_000n + BigInt(random(1_000_000_007));
  const tryToStake = async (who: string, sum: bigint, way: Way): Promise<void> => {
    if (refused === undefined) await stake(world, who, sum, way);
    else refused.push(await world.chain.refusal(who, way(world, who).prepared, sum));
  };
  for (let i = 0; i < actions; i++) {
    const who = anyone();
    const balance = ledger.balanceOf(who);
    switch (random(8)) {
      case 0:
        await tryToStake(who, amount(3), plain);
        break;
      case 1:
        await tryToStake(who, amount(5), wrapped);
        break;
      case 2:
        if (balance > 0n) await transfer(world, who, anyone(), balance / BigInt(1 + random(9)));
        break;
      case 3: {
        const part = (await p.wrapped.balanceOf(who)) / BigInt(2 + random(5));
        if (toEtherDown(shares(part * SHARES_PER_UNIT), ledger.totals) >= MIN_REQUEST)
          await requestWrapped(world, who, part);
        break;
      }
      case 4:
      case 5: {
        const part = balance / BigInt(4 + random(40));
        if (part > 3n * MIN_REQUEST) await request(world, who, [part, MIN_REQUEST, part / 2n]);
        break;
      }
      default:
        await tryToStake(who, amount(12), direct);
    }
  }
}

/** Stakes what the pool lacks for `ether` of fundings. */
export async function stakeFor(world: World, who: string, ether: bigint): Promise<void> {
  const lacking = ether - world.ledger.depositable();
  if (lacking > 0n) await stake(world, who, lacking + BigInt(world.random(10 ** 9)));
}
