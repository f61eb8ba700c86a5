// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RateRails} from "../../../contracts/token/RateRails.sol";
import {Test} from "../../helpers/Test.sol";

contract RateRailsTest is Test {
    uint256 internal constant DAY = 1 days;

    function testFuzz_theAllowanceGrowsWithTimeUpToThirtyDays(uint256 had, uint256 time1, uint256 time2) public pure {
        had = bound(had, 0, RateRails.MAX_RISE);
        (time1, time2) = (bound(time1, 0, 1e9), bound(time2, 0, 1e9));
        if (time1 > time2) (time1, time2) = (time2, time1);
        RateRails.Rails memory rails = RateRails.Rails(uint64(had), 0, 0, 0);
        uint256 first = RateRails.allowanceAt(rails, time1);
        uint256 second = RateRails.allowanceAt(rails, time2);
        assertGe(first, had, "shrank");
        assertLe(first, second, "shrank with time");
        assertLe(second, RateRails.MAX_RISE, "more than thirty days");
        assertLe(second - first, ((time2 - time1) * RateRails.MAX_RISE_PER_DAY) / DAY + 1, "grew too fast");
    }

    /// @dev Spending all there is at every step gains nothing over spending it at once.
    function testFuzz_stepsAllowNoMoreThanOneLeap(uint256 had, uint256 step, uint256 count) public pure {
        had = bound(had, 0, RateRails.MAX_RISE);
        (step, count) = (bound(step, 1, 10 * DAY), bound(count, 1, 12));
        RateRails.Rails memory rails = RateRails.Rails(uint64(had), 0, 0, 0);
        uint256 spent;
        for (uint256 i = 1; i <= count; ++i) {
            uint256 allowed = RateRails.allowanceAt(rails, i * step);
            spent += allowed;
            (rails.allowance, rails.updatedAt) = (0, uint40(i * step));
        }
        assertLe(spent, had + (count * step * RateRails.MAX_RISE_PER_DAY) / DAY, "more than what time gave");
    }

    /// @dev `rise` is the least number of 1e-18 by which the rate may have risen: never too low, at most one too high.
    function testFuzz_aRiseRoundsUp(uint256 t0, uint256 s0, uint256 t1, uint256 s1) public pure {
        (t0, t1) = (bound(t0, 1, 2 ** 84), bound(t1, 1, 2 ** 84));
        (s0, s1) = (bound(s0, 1, 2 ** 100), bound(s1, 1, 2 ** 100));
        if (t1 / t0 > 1e6 || s0 / s1 > 1e6) return;
        uint256 risen = RateRails.rise(t0, s0, t1, s1);
        // both products stay below 2^250
        (uint256 before, uint256 after_) = (t0 * s1, t1 * s0);
        if (after_ <= before) return assertEq(risen, 0, "a fall is no rise");
        assertTrue(_atLeast(risen, after_ - before, before), "understated");
        assertFalse(_atLeast(risen - 1, after_ - before, before), "overstated by more than its rounding");
    }

    /// @dev The fee is worth at most a fifth of the gain at the rate that it leaves.
    function testFuzz_feeSharesAreWorthAFifthAtMost(uint256 t, uint256 s, uint256 gain) public pure {
        (t, s, gain) = (bound(t, 1e16, 2 ** 90), bound(s, 1e16, 2 ** 120), bound(gain, 0, 2 ** 90));
        uint256 fee = RateRails.maxFeeShares(t, s, int256(gain));
        assertLe(fee * (t + gain), (gain / 5) * (s + fee), "worth more than a fifth");
        assertGt((fee + 1) * (t + gain), (gain / 5) * s, "less than a fifth by more than a share");
        assertEq(RateRails.maxFeeShares(t, s, -int256(gain)), 0, "no fee on a loss");
    }

    /// @return whether x * 1e-18 >= part / whole, without overflow
    function _atLeast(uint256 x, uint256 part, uint256 whole) private pure returns (bool) {
        (uint256 high1, uint256 low1) = _mul(x, whole);
        (uint256 high2, uint256 low2) = _mul(part, 1e18);
        return high1 > high2 || (high1 == high2 && low1 >= low2);
    }

    function _mul(uint256 a, uint256 b) private pure returns (uint256 high, uint256 low) {
        unchecked {
            uint256 mm = mulmod(a, b, type(uint256).max);
            low = a * b;
            high = mm - low - (mm < low ? 1 : 0);
        }
    }
}
