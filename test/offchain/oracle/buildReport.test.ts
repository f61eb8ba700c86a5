import { expect } from "chai";
import { buildReport, differences } from "../../../offchain/oracle/buildReport.ts";
import { squareRoot } from "../../../offchain/oracle/incident.ts";
import { WholeStateNeeded } from "../../../offchain/oracle/layers.ts";
import { reportHash } from "../../../offchain/protocol/report.ts";
import { gwei, wei } from "../../../offchain/protocol/units.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { ETH_GWEI, NOT_SET, key, scene, validator } from "./states.ts";

const LINK = { prevReportHash: `0x${"33".repeat(32)}`, committeeVersion: 4n };
const EPOCH = 10_000n;

describe("the report of a snapshot", () => {
  it("sums balances, deposits on their way and withdrawals not paid yet of funded keys, and names block, vaults, predecessor and committee", () => {
    const pending = new Map<Hex, bigint>([
      [key(1), 31n * ETH_GWEI],
      [key(9), 7n * ETH_GWEI],
    ]);
    const snapshot = scene({
      validators: [validator(0, { balanceGwei: 32_000_000_001n }), validator(1, { balanceGwei: ETH_GWEI })],
      state: {
        pendingDepositsGwei: pending,
        owedWithdrawalsGwei: new Map([
          [key(0), 3n],
          [key(9), 5n],
        ]),
      },
    });
    expect(buildReport(snapshot, LINK).report).to.deep.equal({
      refSlot: 320_031n,
      blockRoot: `0x${"22".repeat(32)}`,
      clBalanceGwei: 64_000_000_004n,
      leavingGwei: 0n,
      withdrawalVaultBalance: 5n,
      rewardsVaultBalance: 6n,
      incident: false,
      ...LINK,
      validUntil: 1_000n + 320_031n * 12n + 400n * 86_400n,
    });
  });

  it("does not count a key with our credentials that the registry has not funded", () => {
    const validators = [validator(0), validator(1), validator(2)];
    expect(buildReport(scene({ validators, funded: [0, 2] }), LINK).report.clBalanceGwei).to.equal(64n * ETH_GWEI);
  });

  it("does not count a funded key whose credentials name somebody else, and says so", () => {
    const foreign = validator(1, { withdrawalCredentials: `0x01${"00".repeat(11)}${"bb".repeat(20)}` });
    const built = buildReport(scene({ validators: [validator(0), foreign] }), LINK);
    expect(built.report.clBalanceGwei).to.equal(32n * ETH_GWEI);
    expect(built.foreign).to.deep.equal([key(1)]);
  });

  it("counts a key that compounds to our vault", () => {
    const compounding = validator(0, { withdrawalCredentials: `0x02${"00".repeat(11)}${"aa".repeat(20)}` });
    expect(buildReport(scene({ validators: [compounding] }), LINK).report.clBalanceGwei).to.equal(32n * ETH_GWEI);
  });

  it("is refused where a funded key is missing or named twice: silence is not zero", () => {
    const whole = scene({ validators: [validator(0), validator(1)] });
    const lacking = { ...whole, state: { ...whole.state, validators: new Map([[key(0), validator(0)]]) } };
    expect(() => buildReport(lacking, LINK)).to.throw(RangeError, `no validator ${key(1)}`);
    expect(() => buildReport(scene({ validators: [validator(0)], funded: [0, 0] }), LINK)).to.throw(
      RangeError,
      "twice",
    );
  });

  it("does not depend on the order in which keys were read", () => {
    const validators = Array.from({ length: 20 }, (_, i) => validator(i, { balanceGwei: 32n * ETH_GWEI + BigInt(i) }));
    const forward = buildReport(scene({ validators }), LINK).report;
    const backward = buildReport(scene({ validators: [...validators].reverse() }), LINK).report;
    expect(reportHash(forward)).to.equal(reportHash(backward));
  });

  it("is exact where a double would round", () => {
    const validators = [validator(0, { balanceGwei: 2n ** 53n + 1n }), validator(1, { balanceGwei: 2n ** 53n + 1n })];
    expect(buildReport(scene({ validators }), LINK).report.clBalanceGwei).to.equal(2n ** 54n + 2n);
  });

  it("names the fields in which two reports differ, whatever the case of hexadecimal digits", () => {
    const { report } = buildReport(scene({ validators: [validator(0)] }), LINK);
    const other = {
      ...report,
      clBalanceGwei: gwei(report.clBalanceGwei - 1n),
      leavingGwei: gwei(1n),
      incident: true,
      blockRoot: report.blockRoot.toUpperCase(),
    };
    expect(differences(report, other)).to.deep.equal(["clBalanceGwei", "leavingGwei", "incident"]);
  });
});

describe("what is on its way out", () => {
  const leaving = (...args: Parameters<typeof scene>) => buildReport(scene(...args), LINK).report.leavingGwei;
  const exiting = (i: number, change: Parameters<typeof validator>[1]) =>
    validator(i, { exitEpoch: EPOCH + 100n, withdrawableEpoch: EPOCH + 356n, ...change });

  it("are balances whose exit has begun, however long the exit queue is", () => {
    const far = { exitEpoch: EPOCH + 50_000n, withdrawableEpoch: EPOCH + 50_256n };
    const validators = [validator(0), exiting(1, {}), exiting(2, { ...far, balanceGwei: 31n * ETH_GWEI })];
    expect(leaving({ validators })).to.equal(63n * ETH_GWEI);
  });

  it("are those of slashed validators in the last fourteen days only, from the epoch of the reference", () => {
    const slashed = (withdrawableEpoch: bigint) => {
      const change = { slashed: true, exitEpoch: EPOCH - 1n, withdrawableEpoch };
      return leaving({ validators: [exiting(0, change)], state: { slashingsGwei: 0n } });
    };
    expect(slashed(EPOCH + 3_150n)).to.equal(32n * ETH_GWEI);
    expect(slashed(EPOCH + 3_151n)).to.equal(0n);
  });

  it("are by the reference's epoch, also where its block is of an earlier one", () => {
    const validators = [exiting(0, { slashed: true, withdrawableEpoch: EPOCH + 3_150n })];
    const early = scene({ validators, state: { slashingsGwei: 0n } });
    const { block } = early.state;
    const slot = block.slot - 40;
    const state = { ...early.state, block: { ...block, slot, header: { ...block.header, slot: BigInt(slot) } } };
    expect(buildReport({ ...early, state }, LINK).report.leavingGwei).to.equal(32n * ETH_GWEI);
  });

  it("are of withdrawn validators what is left: dust, or what came later", () => {
    const over = { exitEpoch: EPOCH - 900n, withdrawableEpoch: EPOCH - 600n };
    expect(leaving({ validators: [exiting(0, { ...over, balanceGwei: 0n })] })).to.equal(0n);
    expect(leaving({ validators: [exiting(0, { ...over, balanceGwei: 7n })] })).to.equal(7n);
  });

  it("are not balances of keys with foreign credentials, or of keys that are not funded", () => {
    const foreign = exiting(1, { withdrawalCredentials: `0x01${"00".repeat(11)}${"bb".repeat(20)}` });
    const validators = [validator(0), foreign, exiting(2, {})];
    expect(leaving({ validators, funded: [0, 1] })).to.equal(0n);
  });

  it("are neither deposits on their way to a key that leaves, nor withdrawals that are owed to it", () => {
    const state = { pendingDepositsGwei: new Map([[key(0), 5n]]), owedWithdrawalsGwei: new Map([[key(0), 3n]]) };
    expect(leaving({ validators: [exiting(0, {})], state })).to.equal(32n * ETH_GWEI);
  });

  it("never exceed the whole balance", () => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const epoch = (): bigint => (random(3) === 0 ? NOT_SET : EPOCH - 5_000n + BigInt(random(10_000)));
    for (let round = 0; round < 200; round++) {
      const validators = Array.from({ length: 1 + random(12) }, (_, i) =>
        validator(i, {
          balanceGwei: BigInt(random(2_000_000_000)) * 1_000n,
          slashed: random(3) === 0,
          exitEpoch: epoch(),
          withdrawableEpoch: epoch(),
        }),
      );
      const { report } = buildReport(scene({ validators, state: { slashingsGwei: 0n } }), LINK);
      const begun = validators.filter(({ exitEpoch }) => exitEpoch !== NOT_SET);
      expect(report.leavingGwei <= report.clBalanceGwei).to.equal(true);
      const most = begun.reduce((sum, { balanceGwei }) => sum + balanceGwei, 0n);
      const least = begun.reduce((sum, { balanceGwei, slashed }) => sum + (slashed ? 0n : balanceGwei), 0n);
      expect(report.leavingGwei >= least && report.leavingGwei <= most).to.equal(true);
    }
  });
});

describe("an incident", () => {
  // one validator of 32 ETH: 3 * slashings / total of each of its 32 increments
  const slashed = (i: number, withdrawableEpoch = EPOCH + 6_000n) => validator(i, { slashed: true, withdrawableEpoch });
  const find = (...args: Parameters<typeof scene>) => buildReport(scene(...args), LINK);

  it("is not every slashing: alone, the penalty is small", () => {
    const { finding, report } = find({
      validators: [slashed(0), ...Array.from({ length: 99 }, (_, i) => validator(i + 1))],
      state: { slashingsGwei: 32n * ETH_GWEI },
    });
    // min(3 * 32e9, 32e15) / (32e15 / 1e9) = 3,000 gwei for each of 32 increments: 96,000
    expect(finding.projectedPenaltyGwei).to.equal(96_000n);
    // base reward per increment floor(64e9 / isqrt(32e15)) = 357; 99 * 32 increments, 225 epochs
    expect(squareRoot(32_000_000n * ETH_GWEI)).to.equal(178_885_438n);
    expect(finding.frameRewardsGwei).to.equal(99n * 32n * 357n * 225n);
    expect(report.incident).to.equal(false);
  });

  const many = {
    validators: [slashed(0), ...Array.from({ length: 99 }, (_, i) => validator(i + 1))],
    // 3% of all stake: 9% of 32 ETH are 2.88 ETH
    state: { slashingsGwei: 960_000n * ETH_GWEI },
  };

  it("is a projected correlation penalty that exceeds a frame's rewards", () => {
    const { finding, report } = find(many);
    expect(finding.projectedPenaltyGwei).to.equal(2_880_000_000n);
    expect(finding.uncoveredGwei).to.equal(2_880_000_000n);
    expect(report.incident).to.equal(true);
  });

  it("is none where the operator's bond covers it, and another operator's bond does not", () => {
    const covered = new Map([[1n, wei(2_880_000_000n * 10n ** 9n)]]);
    expect(find({ ...many, snapshot: { bonds: covered } }).finding).to.deep.include({
      incident: false,
      uncoveredGwei: 0n,
    });
    const another = new Map([[2n, wei(100n * 10n ** 18n)]]);
    expect(find({ ...many, snapshot: { bonds: another } }).report.incident).to.equal(true);
  });

  it("begins one gwei above a frame's rewards", () => {
    const rewards = 99n * 32n * 357n * 225n;
    const bond = (left: bigint) => new Map([[1n, wei((2_880_000_000n - left) * 10n ** 9n)]]);
    expect(find({ ...many, snapshot: { bonds: bond(rewards) } }).report.incident).to.equal(false);
    expect(find({ ...many, snapshot: { bonds: bond(rewards + 1n) } }).report.incident).to.equal(true);
  });

  it("is over when the penalty was taken, in the epoch 4096 before withdrawability", () => {
    const at = (epoch: bigint) => find({ ...many, validators: [slashed(0, epoch), ...many.validators.slice(1)] });
    expect(at(EPOCH + 4_096n).report.incident).to.equal(true);
    expect(at(EPOCH + 4_095n).finding).to.deep.include({ incident: false, projectedPenaltyGwei: 0n });
  });

  it("never exceeds the whole effective balance, however much was slashed", () => {
    const { finding } = find({ ...many, state: { slashingsGwei: 32_000_000n * ETH_GWEI } });
    expect(finding.projectedPenaltyGwei).to.equal(32n * ETH_GWEI);
  });

  it("is the lack of finality, when the chain leaks", () => {
    // finality_delay = previous epoch - finalised epoch > 4
    const at = (finalizedEpoch: number) =>
      find({ validators: [validator(0)], state: { finalizedEpoch } }).report.incident;
    expect(at(9_995)).to.equal(false);
    expect(at(9_994)).to.equal(true);
  });

  it("needs whole states only where a validator of ours is slashed", () => {
    const state = { slashingsGwei: undefined, totalActiveBalanceGwei: undefined };
    expect(find({ validators: [validator(0)], state }).report.incident).to.equal(false);
    expect(() => find({ validators: [slashed(0)], state })).to.throw(
      WholeStateNeeded,
      "Add a beacon node that serves /eth/v2/debug/beacon/states to ESTUARY_BEACON_URLS",
    );
  });
});
