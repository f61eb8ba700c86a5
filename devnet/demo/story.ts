/** The life cycle that `npm start` tells, and its reconciliation. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { NetworkConnection } from "hardhat/types/network";
import { ZeroHash } from "ethers";
import type { Report } from "../../offchain/protocol/report.ts";
import { YEAR, gwei } from "../../offchain/protocol/units.ts";
import { startLocalProtocol } from "../localProtocol.ts";
import { DemoWorld, ETH } from "./world.ts";
import type { DemoOperator } from "./world.ts";

const DAYS = 30;
/** Enough that the correlation penalty of one slashing stays small. */
const STRANGERS = 320;
const DUST = 1_000_000_007n; // wei
/** Fresh, so that its balance is what was claimed and nothing else. */
const CLAIMS_TO = "0x00000000000000000000000000000000000c1a15";

export interface Step {
  readonly name: string;
  readonly gasUsed: number;
  readonly seconds: number;
}

export interface Result {
  readonly ok: boolean;
  readonly residualWei: string;
  readonly steps: readonly Step[];
  readonly totals: Readonly<
    Record<"depositedWei" | "rewardsWei" | "feeWei" | "lossWei" | "claimedWei" | "owedWei" | "pooledWei", string>
  >;
  readonly aprBp: number;
  readonly validators: Readonly<Record<"proven" | "funded" | "exited" | "slashed", number>>;
  readonly seconds: number;
  /** Each book, as the contracts have it and as it must be. */
  readonly reconciliation: readonly Line[];
}

export interface Line {
  readonly name: string;
  readonly unit: "wei" | "shares";
  /** As the contracts have it. */
  readonly chain: bigint;
  /** As it must be. */
  readonly books: bigint;
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
  const { world, curated, others } = await open(connection);
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
    const [joins, halves] = others;
    if (joins === undefined || halves === undefined) throw new Error("the network has too few accounts");
    const community = await world.join(joins, 1, "Community");
    await world.addBond(community, (25n * ETH) / 10n); // 3 and 1.5 ETH, of which 2 come with the keys
    const classic = await world.join(halves, 2, "Half and half");
    await world.addBond(classic, 15n * ETH);
    await world.predepositAndProve(curated, 3, 0);
    await world.predepositAndProve(community, 2, 3);
    await world.predepositAndProve(classic, 1, 5);
    return "a curated, a community and a classic operator; 6 credentials proven against beacon roots (EIP-4788)";
  });
  await step("fund", async () => {
    const count = await world.fundAll();
    return `${count} x 31 ETH, tiers in turn; ${show(await p.pool.buffer())} stays as buffer`;
  });
  await step("bad reports refused", () => refuseBadReports(world));
  await step(`${DAYS} daily reports`, () => month(world, listener));
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
    aprBp: await aprBp(world),
    validators: {
      proven: world.proven,
      funded: validators.length,
      exited: validators.filter(({ state }) => state === "withdrawn").length,
      slashed: validators.filter(({ slashed }) => slashed).length,
    },
    seconds: secondsSince(started),
    reconciliation: lines,
  };
}

async function open(
  connection: NetworkConnection,
): Promise<{ world: DemoWorld; curated: DemoOperator; others: HardhatEthersSigner[] }> {
  const p = await startLocalProtocol(connection, { beacon: { genesisValidators: STRANGERS } });
  const others = (await connection.ethers.getSigners()).slice(9);
  const { feeBp } = await p.operators.tier(0);
  return {
    world: await DemoWorld.open(p),
    curated: { id: p.operatorId, owner: p.nodeOperator, tier: 0, feeBp },
    others,
  };
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

/** A month of daily reports: rewards on both layers, small and large withdrawals, a forced exit, a slashing. */
async function month(world: DemoWorld, listener: Listener): Promise<string> {
  const { p } = world;
  const vault = await p.rewardsVault.getAddress();
  for (let day = 1; day <= DAYS; day++) {
    p.beacon.creditExecutionReward(vault, 6n * 10n ** 15n + BigInt(day));
    if (day === 5) await world.request(p.bob, DUST / 2n);
    if (day === 6) await world.requestWrapped(p.carol, 5n * ETH);
    if (day === 8) await world.request(p.alice, 200n * ETH);
    if (day === 15) {
      const target = world.validators.findLast(({ state, operator }) => state === "funded" && operator.tier === 1);
      if (target !== undefined) await world.slash(target);
    }
    if (day > 2) await world.keep();
    const outcome = await world.report();
    const { ether } = world.books.totals;
    listener.onProgress(
      `day ${day}: ${show(outcome.recognised)} recognised, ${show(outcome.paid)} paid, T ${show(ether)}`,
    );
  }
  return "rewards on both layers; 200 ETH asked of a smaller buffer forces exits (EIP-7002); one validator slashed";
}

/** A slashed validator is withdrawable 8192 epochs later; its loss moves from the operator's bond to all holders. */
async function settleSlashing(world: DemoWorld, listener: Listener): Promise<string> {
  for (let day = 0; day < 60 && world.validators.some((v) => v.slashed && v.state !== "withdrawn"); day++) {
    await world.keep();
    await world.report();
    if (day % 10 === 0) listener.onProgress(`waiting for the slashed validator: ${day} days`);
  }
  for (let day = 0; day < 3; day++) await world.report();
  const slashed = world.validators.find((v) => v.slashed);
  if (slashed === undefined) throw new Error("nobody was slashed");
  const { frozen } = await world.p.operators.operator(slashed.operator.id);
  return `its operator's bond is frozen (${String(frozen)}); the shortfall went to cover`;
}

export function isEqual({ chain, books }: Line): boolean {
  return chain === books;
}

/** What the books that count wei are apart, summed. */
export function residualWei(lines: readonly Line[]): bigint {
  const apart = ({ chain, books }: Line) => (chain > books ? chain - books : books - chain);
  return lines.filter(({ unit }) => unit === "wei").reduce((sum, line) => sum + apart(line), 0n);
}

/** Every book twice: as the contracts have it, and from what people sent, beacon states hold and vaults received. */
export async function reconcile(world: DemoWorld): Promise<{ lines: Line[]; totals: Result["totals"] }> {
  const { p, books, outcomes } = world;
  const onChain = await p.pool.books();
  const owed = await world.etherOf(p.queue);
  const claimed = await world.etherOf(CLAIMS_TO);
  const sum = (pick: (outcome: (typeof outcomes)[number]) => bigint) => outcomes.reduce((a, o) => a + pick(o), 0n);
  const recognised = sum((o) => o.recognised);
  const bonds = BigInt(world.validators.length) * ETH;
  const line = (name: string, chain: bigint, expected: bigint, unit: Line["unit"] = "wei"): Line => ({
    name,
    unit,
    chain,
    books: expected,
  });
  const pooled = await p.token.getTotalPooledEther();
  const lines = [
    line(
      "pooled = deposited + bonds + recognised - claimed - owed",
      pooled,
      world.deposited + bonds + recognised - claimed - owed,
    ),
    line("pooled ether T", pooled, books.totals.ether),
    line("total shares S", await p.token.getTotalShares(), books.totals.shares, "shares"),
    line("the pool's ether = its buffer", await world.etherOf(p.pool), books.buffer()),
    line("ether at validators", await p.pool.etherAtValidators(), books.etherAtValidators()),
    line("gains held back", onChain.heldBack, books.books.heldBack),
    line("cover", onChain.cover, books.books.cover, "shares"),
    line(
      "paid out by the pool = claimed + owed",
      claimed + owed,
      sum((o) => o.paid),
    ),
  ];
  await world.payTreasury();
  for (const [name, account] of Object.entries({
    alice: p.alice.address,
    bob: p.bob.address,
    "westETH (carol)": await p.wrapped.getAddress(),
    "the operators": await p.operators.getAddress(),
    "the treasury": p.treasury.address,
    "the queue": await p.queue.getAddress(),
  }))
    lines.push(line(`shares of ${name}`, await p.token.sharesOf(account), books.sharesOf(account), "shares"));
  const positive = (o: (typeof outcomes)[number]) => (o.recognised > 0n ? o.recognised : 0n);
  const totals = {
    depositedWei: world.deposited.toString(),
    rewardsWei: sum(positive).toString(),
    feeWei: sum((o) => o.fee).toString(),
    lossWei: (sum(positive) - recognised).toString(),
    claimedWei: claimed.toString(),
    owedWei: owed.toString(),
    pooledWei: pooled.toString(),
  };
  return { lines, totals };
}

/** Of the whole run, after fees, from the rates at its first and last report. */
async function aprBp({ p }: DemoWorld): Promise<number> {
  const rebases = await p.token.queryFilter(p.token.filters.TokenRebased());
  const first = rebases[0];
  const last = rebases.at(-1);
  if (first === undefined || last === undefined) return 0;
  const [from, , , , shares0, ether0] = first.args;
  const [to, , , , shares1, ether1] = last.args;
  const growth = (ether1 * shares0 * 10n ** 12n) / (ether0 * shares1) - 10n ** 12n;
  return Number((growth * YEAR) / (to - from) / 10n ** 8n);
}

export function show(amount: bigint): string {
  const digits = 6;
  const scaled = amount / 10n ** BigInt(18 - digits);
  const sign = scaled < 0n ? "-" : "";
  const absolute = (scaled < 0n ? -scaled : scaled).toString().padStart(digits + 1, "0");
  return `${sign}${absolute.slice(0, -digits)}.${absolute.slice(-digits)} ETH`;
}
