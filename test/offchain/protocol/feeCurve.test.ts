import { expect } from "chai";
import { feeAt, potential, reserveAtFee, reserveOf, weight } from "../../../offchain/protocol/feeCurve.ts";
import type { FeeCurve } from "../../../offchain/protocol/feeCurve.ts";
import { sqrtDown } from "../../../offchain/protocol/integers.ts";
import { BP, ETHER, bp, wei } from "../../../offchain/protocol/units.ts";
import { forSeeds } from "./random.ts";
import type { Random } from "./random.ts";

const LARGEST = 2n ** 96n - 1n;

export function anyCurve(random: Random): FeeCurve {
  const minFeeBp = random.between(1n, 30n);
  return {
    minFeeBp: bp(minFeeBp),
    maxFeeBp: bp(random.between(minFeeBp + 1n, 500n)),
    target: wei(random.magnitude(1n, LARGEST)),
  };
}

describe("the fee curve", () => {
  /** 10 to 300 bp over a target of 1,000 wei. */
  const small: FeeCurve = { minFeeBp: bp(10n), maxFeeBp: bp(300n), target: wei(1_000n) };

  it("takes integer roots, exactly", () => {
    for (const root of [0n, 1n, 2n, 3n, 10n ** 9n, 2n ** 53n, 2n ** 111n - 1n, 10n ** 60n]) {
      expect(sqrtDown(root * root)).to.equal(root);
      expect(sqrtDown(root * root + 2n * root)).to.equal(root);
      if (root > 0n) expect(sqrtDown(root * root - 1n)).to.equal(root - 1n);
    }
    forSeeds(2_000, (random) => {
      const value = random.magnitude(0n, 2n ** 230n);
      const root = sqrtDown(value);
      expect(root * root <= value && value < (root + 1n) * (root + 1n)).to.be.true;
    });
  });

  it("weighs each wei as the integral of its fee, on numbers worked out by hand", () => {
    expect(weight(small)).to.equal(20_000_000n);
    expect(potential(small, wei(0n))).to.equal(0n);
    // 1,000 wei at 155 bp on average
    expect(potential(small, wei(1_000n))).to.equal(1_000n * 20_000_000n + (1_000n * 155n * 20_000_000n) / BP);
    // and one more at 10 bp
    expect(potential(small, wei(1_001n)) - potential(small, wei(1_000n))).to.equal(20_000_000n + 20_000n);
    // from 500 up the fee falls from 155 to 10 bp: 82.5 on average
    expect(potential(small, wei(1_000n)) - potential(small, wei(500n))).to.equal(
      500n * 20_000_000n + (500n * 825n * 20_000_000n) / (10n * BP),
    );
  });

  it("asks the fee of the reserve, in 1e-9, rounded up", () => {
    expect(feeAt(small, wei(2_000n))).to.equal(1_000_000n);
    expect(feeAt(small, wei(1_000n))).to.equal(1_000_000n);
    expect(feeAt(small, wei(500n))).to.equal(15_500_000n);
    expect(feeAt(small, wei(0n))).to.equal(30_000_000n);
    expect(feeAt({ ...small, target: wei(3n) }, wei(1n))).to.equal(20_333_334n);
  });

  it("finds the least reserve of a potential", () => {
    forSeeds(20_000, (random) => {
      const curve = anyCurve(random);
      const reserve = wei(random.magnitude(1n, random.pick([curve.target, curve.target + 1n, LARGEST])));
      const [below, at] = [potential(curve, wei(reserve - 1n)), potential(curve, reserve)];
      expect(reserveOf(curve, at)).to.equal(reserve);
      expect(reserveOf(curve, below)).to.equal(reserve - 1n);
      expect(reserveOf(curve, random.between(below + 1n, at))).to.equal(reserve);
    });
  });

  it("is steepest where the least is left, and nowhere cheaper than the least fee", () => {
    forSeeds(2_000, (random) => {
      const curve = anyCurve(random);
      const reserve = wei(random.magnitude(0n, 2n * curve.target));
      const step = potential(curve, wei(reserve + 1n)) - potential(curve, reserve);
      const next = potential(curve, wei(reserve + 2n)) - potential(curve, wei(reserve + 1n));
      expect(next <= step).to.be.true;
      expect(step * BP >= weight(curve) * (BP + curve.minFeeBp)).to.be.true;
      expect(step * BP <= weight(curve) * (BP + curve.maxFeeBp)).to.be.true;
    });
  });

  it("names the reserve at which a fee begins", () => {
    expect(reserveAtFee(small, bp(9n))).to.be.undefined;
    expect(reserveAtFee(small, bp(10n))).to.equal(1_000n);
    expect(reserveAtFee(small, bp(155n))).to.equal(500n);
    expect(reserveAtFee(small, bp(154n))).to.equal(504n); // 503.4
    expect(reserveAtFee(small, bp(300n))).to.equal(0n);
    expect(reserveAtFee(small, bp(10_000n))).to.equal(0n);
    forSeeds(2_000, (random) => {
      const curve = { ...anyCurve(random), target: wei(random.magnitude(1n, 10_000n * ETHER)) };
      const fee = bp(random.between(curve.minFeeBp, curve.maxFeeBp));
      const reserve = reserveAtFee(curve, fee) ?? wei(-1n);
      expect(feeAt(curve, reserve) <= fee * 100_000n).to.be.true;
      if (reserve > 0n) expect(feeAt(curve, wei(reserve - 1n)) > fee * 100_000n).to.be.true;
    });
  });
});
