/** The life cycle that `npm start` tells, and its reconciliation. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { NetworkConnection } from "hardhat/types/network";
import { ZeroHash } from "ethers";
import type { Report } from "../../offchain/protocol/report.ts";
import { gwei } from "../../offchain/protocol/units.ts";
import { startLocalProtocol } from "../simulated/localProtocol.ts";
import { keep } from "./keeping.ts";
import { DemoMarket } from "./liquidity.ts";
import { CLAIMS_TO, aprBp, isEqual, reconcile, residualWei } from "./reconcile.ts";
import type { Line, Totals } from "./reconcile.ts";
import { DemoWorld, ETH, refusalOf } from "./world.ts";
import type { DemoOperator } from "./world.ts";

const DAYS = 30;
/** Enough that the correlation penalty of one slashing stays small. */
const STRANGERS = 320;
const DUST = 1_000_000_007n; // wei

export interface Step {
  readonly name: string;
  readonly gasUsed: number;
  readonly seconds: number;
}

export interface Result {
  readonly ok: boolean;
  readonly residualWei: string;
  readonly steps: readonly Step[];
  readonly totals: Totals;
  /** After fees, of the month of daily reports: before the outage. */
  readonly aprBp: number;
  readonly validators: Readonly<Record<"proven" | "funded" | "exited" | "slashed" | "ejected", number>>;
  readonly seconds: number;
  /** Each book, as the contracts have it and as it must be. */
  readonly reconciliation: readonly Line[];
}

export interface Listener {
  onStep(step: Step, detail: string): void;
  onProgress(text: string): void;
}

/** Tells the whole story on a fresh chain. */
export async function tellStory(connection: NetworkConnection, listener: Listener): Promise<Result> {
  const started = performance.now();
  const steps: Step[] = [];
  const secondsSince = (start: number) => Math.round(performance.now() - start) / 1_000;
  const { world, market, curated, joins, halves, lender, comer } = await open(connection);
  const step = async (name: string, act: () => Promise<string>) => {
    const start = performance.now();
    const detail = await act();
    const done = { name, gasUsed: await gasUsed(), seconds: secondsSince(start) };
    steps.push(done);
    listener.onStep(done, detail);
  };
  const { p } = world;
  let counted = 0; // the last block whose gas belongs to a step
  const gasUsed = async () => {
    const since = await world.gasSince(counted);
    counted = since.last;
    return Number(since.gasUsed);
  };
  const deployed = { name: "deploy", gasUsed: await gasUsed(), seconds: secondsSince(started) };
  steps.push(deployed);
  listener.onStep(deployed, `the whole protocol, beside a beacon chain of ${STRANGERS} other validators`);

  await step("stake", async () => {
    await world.stake(p.alice, 300n * ETH);
    await world.stakeByTransfer(p.alice, 5n * ETH);
    await world.stake(p.bob, DUST);
    await world.stakeWrapped(p.carol, 20n * ETH);
    return `a whale 305 ETH, dust ${DUST} wei, 20 ETH straight to westETH`;
  });
  await step("predeposit and prove", async () => {
    const community = await world.join(joins, 1, "Community");
    await world.addBond(community, (25n * ETH) / 10n); // 3 and 1.5 ETH, of which 2 come with the keys
    await world.predepositAndProve(curated, 3, 0);
    await world.predepositAndProve(community, 2, 3);
    return "a curated and a community operator; 5 credentials proven against beacon roots (EIP-4788)";
  });
  await step("fund", async () => {
    const count = await world.fundAll();
    return `${count} x 31 ETH, tiers in turn; ${show(await p.pool.buffer())} stays as buffer`;
  });
  await step("bad reports refused", () => refuseBadReports(world));
  await step(`${DAYS} daily reports`, () => month(world, halves, listener));
  const ofTheMonth = await aprBp(world);
  await step("LP enters", async () => {
    await market.bringToTarget();
    const { lp, ether, staked } = await market.provide(lender, 30n * ETH, 30n);
    return `the EtherPool opens; 30 ETH lent, ${show(ether)} as ether and ${show(staked)} staked, for ${show(lp, "LP")}`;
  });
  await step("leave at once", () => leaveAtOnce(world, market));
  await step("arbitrage brings ether", async () => {
    const { bought, gain, staked } = await market.stake(comer, 12n * ETH);
    return `a newcomer of 12 ETH buys for ${show(bought)} and stakes ${show(staked)}: ${show(gain)} above the rate`;
  });
  await step("announced fall", () => announcedFall(world));
  await step("LP leaves", async () => {
    const { ether, requestId } = await market.exit(lender, 300n);
    if (requestId === undefined) throw new Error("a pool that is not calm trades nothing: its estETH should be queued");
    return `nothing trades after the fall, and LPs go: ${show(ether)} at once, the estETH is queued`;
  });
  await step("slashing settled", () => settleSlashing(world, listener));
  await step("claims", async () => {
    await world.claimAll(CLAIMS_TO);
    return `${show(await world.etherOf(CLAIMS_TO))} claimed`;
  });

  const { lines, totals } = await reconcile(world);
  const { validators } = world;
  return {
    ok: world.requests.length === 0 && lines.every(isEqual),
    residualWei: residualWei(lines).toString(),
    steps,
    totals,
    aprBp: ofTheMonth,
    validators: {
      proven: world.proven,
      funded: validators.length,
      exited: validators.filter(({ state }) => state === "withdrawn").length,
      slashed: validators.filter(({ slashed }) => slashed).length,
      ejected: validators.filter(({ ejected }) => ejected).length,
    },
    seconds: secondsSince(started),
    reconciliation: lines,
  };
}

async function open(connection: NetworkConnection) {
  const p = await startLocalProtocol(connection, { beacon: { genesisValidators: STRANGERS } });
  const [joins, halves, lender, comer, purse] = (await connection.ethers.getSigners()).slice(9);
  if (!joins || !halves || !lender || !comer || !purse) throw new Error("the network has too few accounts");
  const { feeBp } = await p.operators.tier(0);
  const world = await DemoWorld.open(p);
  world.market = await DemoMarket.deploy(connection, world, purse);
  const curated: DemoOperator = { id: p.operatorId, owner: p.nodeOperator, tier: 0, feeBp };
  return { world, market: world.market, curated, joins, halves, lender, comer };
}

async function refuseBadReports(world: DemoWorld): Promise<string> {
  const { committee } = world.p;
  await world.report();
  const before = await snapshot(world);
  const good = await committee.read();
  const signed = async (report: Report, signatures?: number) =>
    world.refused(report, await committee.sign(report, signatures));
  const inflated = { ...good, clBalanceGwei: gwei(good.clBalanceGwei * 2n) };
  const bad: [string, string | undefined, ...string[]][] = [
    ["too few signatures", await signed(good, 4), "NotEnoughSignatures"],
    // whoever they recover to is a stranger, before or after the last one
    [
      "signatures of another",
      await world.refused(inflated, await committee.sign(good)),
      "NotMember",
      "SignaturesNotSorted",
    ],
    ["an old reference", await signed({ ...good, refSlot: await world.p.oracle.lastRefSlot() }), "ReferenceNotNewer"],
    ["a wrong predecessor", await signed({ ...good, prevReportHash: ZeroHash }), "WrongPreviousReport"],
    // five members may not lower the rate by more than 50 bp
    [
      "a tenth lost",
      await signed({ ...good, clBalanceGwei: gwei((good.clBalanceGwei * 9n) / 10n) }),
      "NotEnoughSignatures",
    ],
  ];
  for (const [what, found, ...expected] of bad)
    if (found === undefined || !expected.includes(found))
      throw new Error(`a report with ${what} should be refused with ${expected.join(" or ")}: ${found ?? "accepted"}`);
  if (before !== (await snapshot(world))) throw new Error("a refused report changed the books");
  return `${bad.map(([what]) => what).join("; ")}: nothing changed`;
}

async function snapshot({ p }: DemoWorld): Promise<string> {
  return [...Object.values(await p.pool.books()), await p.token.rate(), await p.oracle.lastReportHash()].join();
}

/**
 * A month of daily reports: rewards on both layers, small and large withdrawals, a newcomer, forced exits that pass over its young validators, a
 * slashing, and the exit of what the slashed operator has left.
 */
async function month(world: DemoWorld, newcomer: HardhatEthersSigner, listener: Listener): Promise<string> {
  const { p } = world;
  const vault = await p.rewardsVault.getAddress();
  for (let day = 1; day <= DAYS; day++) {
    p.beacon.creditExecutionReward(vault, 6n * 10n ** 15n + BigInt(day));
    if (day === 5) await world.request(p.bob, DUST / 2n);
    if (day === 6) await world.requestWrapped(p.carol, 5n * ETH);
    if (day === 7) {
      const classic = await world.join(newcomer, 2, "Half and half");
      await world.addBond(classic, 30n * ETH); // 16 ETH each, of which 2 come with the keys
      await world.predepositAndProve(classic, 2, 5);
      await world.fundAll();
    }
    if (day === 8) await world.request(p.alice, 240n * ETH);
    if (day === 15) {
      const target = world.validators.findLast(({ state, operator }) => state === "funded" && operator.tier === 2);
      if (target !== undefined) await world.slash(target);
    }
    if (day > 2) await keep(world);
    const outcome = await world.report();
    const { ether } = world.books.totals;
    listener.onProgress(
      `day ${day}: ${show(outcome.recognised)} recognised, ${show(outcome.paid)} paid, T ${show(ether)}`,
    );
  }
  const asked = world.validators.filter(({ state, ejected }) => state !== "funded" && !ejected).length;
  const ejected = world.validators.filter((one) => one.ejected).length;
  return `240 ETH asked of a smaller buffer: exits forced (EIP-7002), ${world.passed} times past a validator too young to leave; one slashed of ${asked} that left, ${ejected} ejected after a week, its operator being frozen`;
}

/** A part at once within 0.3%, a part queued; and what another takes for the highest fee. */
async function leaveAtOnce(world: DemoWorld, market: DemoMarket): Promise<string> {
  const { alice } = world.p;
  const cheap = await market.leave(alice, 5n * ETH, 30n);
  if (cheap.requestId === undefined) throw new Error("0.3% should not reach for all of it");
  const dear = await market.leave(alice, 6n * ETH, 300n);
  return `of 5 estETH ${show(cheap.ether)} within 0.3%, the rest queued; then ${show(dear.ether)} for 6 estETH, whatever the fee`;
}

/** An outage costs more than a quorum may report: it is announced, everything waits, and seven signatures apply it. */
async function announcedFall(world: DemoWorld): Promise<string> {
  const { committee, pool, beacon, alice } = world.p;
  const running = world.validators.filter(({ state }) => state === "funded");
  for (const { key } of running) beacon.penalise(key.pubkey, 500_000_000n);
  const report = await committee.read();
  const expect = (what: string, found: unknown, expected: unknown): void => {
    if (found !== expected) throw new Error(`${what} should be ${String(expected)}: ${String(found)}`);
  };
  expect("five signatures", await world.refused(report, await committee.sign(report)), "NotEnoughSignatures");
  await world.announce(report);
  expect("calm while it is held", (await pool.calm())[0], false);
  const stake = pool.connect(alice).deposit.staticCall(alice, alice, { value: ETH });
  expect("a deposit while it is held", await refusalOf(stake), "ReportOverdue");
  const { fee, recognised } = await world.report(report, 7);
  expect("the fee on a loss", fee, 0n);
  return `${show(recognised)} lost in an outage: announced with 5 signatures, held, applied with 7`;
}

/** A slashed validator is withdrawable 8192 epochs later; its loss moves from the operator's bond to all holders. */
async function settleSlashing(world: DemoWorld, listener: Listener): Promise<string> {
  for (let day = 0; day < 60 && world.validators.some((v) => v.slashed && v.state !== "withdrawn"); day++) {
    await keep(world);
    await world.report();
    if (day % 10 === 0) listener.onProgress(`waiting for the slashed validator: ${day} days`);
  }
  for (let day = 0; day < 3; day++) await world.report();
  const slashed = world.validators.find((v) => v.slashed);
  if (slashed === undefined) throw new Error("nobody was slashed");
  const { frozen } = await world.p.operators.operator(slashed.operator.id);
  return `its operator's bond is frozen (${String(frozen)}); the shortfall went to cover`;
}

export function show(amount: bigint, unit = "ETH"): string {
  const digits = 6;
  const scaled = amount / 10n ** BigInt(18 - digits);
  const sign = scaled < 0n ? "-" : "";
  const absolute = (scaled < 0n ? -scaled : scaled).toString().padStart(digits + 1, "0");
  return `${sign}${absolute.slice(0, -digits)}.${absolute.slice(-digits)} ${unit}`;
}
