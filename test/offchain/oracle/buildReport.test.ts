import { expect } from "chai";
import { buildReport, differences } from "../../../offchain/oracle/buildReport.ts";
import { squareRoot } from "../../../offchain/oracle/incident.ts";
import { reportHash } from "../../../offchain/protocol/report.ts";
import { gwei, wei } from "../../../offchain/protocol/units.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { ETH_GWEI, key, scene, validator } from "./states.ts";

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
      withdrawalVaultBalance: 5n,
      rewardsVaultBalance: 6n,
      incident: false,
      ...LINK,
      validUntil: 1_000n + 320_031n * 12n + 30n * 86_400n,
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
    const other = { ...report, clBalanceGwei: gwei(1n), incident: true, blockRoot: report.blockRoot.toUpperCase() };
    expect(differences(report, other)).to.deep.equal(["clBalanceGwei", "incident"]);
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
    expect(() => find({ validators: [slashed(0)], state })).to.throw(RangeError, "serves whole states");
  });
});
