/** An EtherPool of 200 ETH at its target beside a protocol in use, and a Router. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { EtherPool, Router } from "../../../typechain-types/index.ts";
import type { Curve, Totals } from "../../helpers/feeCurve.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import type { Protocol } from "../../helpers/protocol.ts";
import { ETH, apply, borrow, staked } from "../../helpers/reporting.ts";
import { CHAIN, DEADLINE, signPermit } from "../../helpers/behaviour/erc2612.ts";

export const UNIT = 10n ** 9n;
export const BP = 10_000n;
export const NEVER = 2n ** 64n; // a deadline
export const SEED = ETH / 10n;
export const PARAMETERS = { minFeeBp: 10n, maxFeeBp: 300n, targetBp: 3_000n, rebateBp: 5_000n, entryFeeBp: 2n };

export interface Liquid extends Protocol {
  readonly etherPool: EtherPool;
  readonly router: Router;
  readonly dave: HardhatEthersSigner;
}

/**
 * Alice and Bob hold estETH, Carol and Dave none; a unit is worth more than a wei. Bob has all lp but what is locked; everybody approved
 * estETH to pool and Router. T is over 3,000 ETH: three slashings are tolerated.
 */
export async function liquid(): Promise<Liquid> {
  const p = await loadFixture(staked);
  const dave = (await ethers.getSigners())[10] as HardhatEthersSigner;
  await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 2_000n * ETH });
  await apply(p, { gain: (7n * ETH) / 10n });
  const etherPool = await ethers.deployContract("EtherPool", [p.token, PARAMETERS], { value: SEED });
  const router = await ethers.deployContract("Router", [etherPool, p.wrapped]);
  for (const who of [p.alice, p.bob, p.carol, dave])
    for (const spender of [etherPool, router]) await p.token.connect(who).approve(spender, ethers.MaxUint256);
  const q = { ...p, etherPool, router, dave };
  await etherPool.connect(p.bob).sell(await unitsOf(q, (7n * SEED) / 10n), 0n, p.bob);
  await etherPool.connect(p.bob).enter(200n * ETH, ethers.MaxUint256, p.bob, { value: 200n * ETH });
  return q;
}

/** As `liquid`, with half of the target sold by Alice. */
export async function scarce(): Promise<Liquid> {
  const p = await loadFixture(liquid);
  const { ether_ } = await books(p);
  await p.etherPool
    .connect(p.alice)
    .sellFor(ether_ - (await p.etherPool.targetEther()) / 2n, ethers.MaxUint256, p.alice);
  return p;
}

export async function books({ etherPool }: Liquid): Promise<{ ether_: bigint; units: bigint; lp: bigint }> {
  const [ether_, units] = await etherPool.reserves();
  return { ether_, units, lp: await etherPool.totalSupply() };
}

export async function curveOf({ etherPool }: Liquid): Promise<Curve> {
  const { minFeeBp, maxFeeBp } = PARAMETERS;
  return { target: await etherPool.targetEther(), minFeeBp, maxFeeBp };
}

export async function totalsOf({ token }: Protocol): Promise<Totals> {
  const [totalEther, totalShares] = await token.totals();
  return { totalEther, totalShares };
}

/** Units worth `amount` wei, rounded down. */
export async function unitsOf({ token }: Protocol, amount: bigint): Promise<bigint> {
  return (await token.getSharesByPooledEth(amount)) / UNIT;
}

/** Everything of pool, token and Router that a refused call must leave as it was. */
export async function everything(p: Liquid): Promise<readonly bigint[]> {
  const { ether_, units, lp } = await books(p);
  const { totalEther, totalShares } = await totalsOf(p);
  const held = [p.etherPool, p.router, p.alice, p.bob, p.carol, p.dave];
  return [
    ...[ether_, units, lp, totalEther, totalShares, await p.queue.lastRequestId()],
    ...(await Promise.all(held.map((who) => p.token.sharesOf(who)))),
    ...(await Promise.all(held.map((who) => p.wrapped.balanceOf(who)))),
    ...(await Promise.all(held.map((who) => p.etherPool.balanceOf(who)))),
    ...(await Promise.all([p.etherPool, p.router].map((who) => ethers.provider.getBalance(who)))),
  ];
}

/** Every reason for not being calm, each done to a protocol that is. */
export const NOT_CALM: Readonly<Record<string, (p: Liquid) => Promise<unknown>>> = {
  "requests are paused": (p) => p.queue.connect(p.guardian).pauseRequests(true),
  "slashings are proven": async (p) => {
    const registry = p.pool.connect(await borrow(p.validators));
    for (let i = 0; i < 4; i++) await registry.noteSlashing((await p.pool.books()).lastRefTime + 12n);
  },
  "a report is held": async (p) => p.pool.connect(await borrow(p.oracle)).hold(),
  "the last report saw an incident": (p) => apply(p, { incident: true }),
  "the last report lowered the rate by 1.01 bp": async (p) =>
    apply(p, { gain: -((await p.token.getTotalPooledEther()) * 101n) / 1_000_000n }),
};

/** A permit in the form that the Router takes. */
export async function permitFor(
  token: { getAddress(): Promise<string>; nonces(owner: string): Promise<bigint> },
  domainName: string,
  owner: Pick<HardhatEthersSigner, "address" | "signTypedData">,
  router: Router,
  value: bigint,
  deadline = DEADLINE,
) {
  const spender = { address: await router.getAddress() };
  const { v, r, s } = await signPermit({ token, domainName, owner, spender }, CHAIN, deadline, value);
  return { value, deadline, v, r, s };
}
