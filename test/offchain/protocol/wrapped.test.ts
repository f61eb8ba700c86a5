import { expect } from "chai";
import { ceilDiv } from "../../../offchain/protocol/integers.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { ETHER, RAY, shares, units, wei } from "../../../offchain/protocol/units.ts";
import {
  fromWrappedDown,
  fromWrappedUp,
  previewDeposit,
  toWrappedDown,
  toWrappedUp,
  wrapped,
} from "../../../offchain/protocol/wrapped.ts";
import { forSeeds } from "./random.ts";

describe("wrapping", () => {
  it("converts at a billion shares a wei, on numbers worked out by hand", () => {
    const totals: Totals = { ether: wei(3n), shares: shares(2n * 10n ** 9n) }; // a unit is worth 1.5 wei
    expect(toWrappedDown(wei(2n), totals)).to.equal(1n); // 1.33
    expect(toWrappedUp(wei(2n), totals)).to.equal(2n);
    expect(toWrappedDown(wei(3n), totals)).to.equal(2n);
    expect(toWrappedUp(wei(3n), totals)).to.equal(2n);
    expect(fromWrappedDown(units(1n), totals)).to.equal(1n);
    expect(fromWrappedUp(units(1n), totals)).to.equal(2n);
    expect(fromWrappedUp(units(2n), totals)).to.equal(3n);
    expect(wrapped(wei(3n), shares(2n * 10n ** 9n), totals)).to.equal(2n);
    expect(wrapped(wei(3n), shares(2n * 10n ** 9n - 1n), totals)).to.equal(1n); // shows as 3 wei, is one unit and a rest
    expect(wrapped(wei(4n), shares(2n * 10n ** 9n), totals)).to.be.undefined;
  });

  it("never profits from a round trip", () => {
    forSeeds(1_000, (random) => {
      const ether = wei(random.magnitude(ETHER / 100n, 120_000_000n * ETHER));
      const totals: Totals = {
        ether,
        shares: shares((ether * 10n ** 36n) / random.magnitude(RAY / 2n, 2n ** 104n - 1n)),
      };
      const amount = wei(random.magnitude(1n, ether));
      expect(fromWrappedDown(toWrappedDown(amount, totals), totals) <= amount).to.be.true;
      expect(fromWrappedUp(toWrappedUp(amount, totals), totals) >= amount).to.be.true;
      // whoever's balance shows the amount gets what was previewed, or one unit more
      const covering = ceilDiv(amount * totals.shares - (totals.shares >> 10n), ether);
      const least = wrapped(wei(amount), shares(covering), totals) ?? -1n;
      expect(least - previewDeposit(wei(amount), totals)).to.be.oneOf([0n, 1n]);
      expect(toWrappedDown(wei(amount), totals) - previewDeposit(wei(amount), totals)).to.be.oneOf([0n, 1n]);
      const unwrapped = toWrappedDown(fromWrappedDown(units(amount), totals), totals);
      expect(unwrapped <= amount).to.be.true;
    });
  });
});
