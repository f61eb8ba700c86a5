// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ShareMath} from "../../../contracts/shared/ShareMath.sol";
import {Test} from "../../helpers/Test.sol";

/// @notice Directions, monotonicity and round trips, for totals from a wei to more ether than there is.
contract ShareMathTest is Test {
    uint256 internal constant MOST = type(uint128).max;

    function testFuzz_downAndUpEncloseTheQuotient(uint256 a, uint256 t, uint256 s) public pure {
        (a, t, s) = (bound(a, 0, MOST), bound(t, 1, MOST), bound(s, 1, MOST));
        (uint256 down, uint256 up) = (ShareMath.toSharesDown(a, t, s), ShareMath.toSharesUp(a, t, s));
        assertEq(down, Math.mulDiv(a, s, t), "shares, rounded down");
        assertEq(up, Math.mulDiv(a, s, t, Math.Rounding.Ceil), "shares, rounded up");
        assertEq(ShareMath.toEtherDown(a, t, s), Math.mulDiv(a, t, s), "ether, rounded down");
        assertEq(ShareMath.toEtherUp(a, t, s), Math.mulDiv(a, t, s, Math.Rounding.Ceil), "ether, rounded up");
    }

    function testFuzz_moreIsNeverWorthLess(uint256 a, uint256 b, uint256 t, uint256 s) public pure {
        (a, b, t, s) = (bound(a, 0, MOST), bound(b, 0, MOST), bound(t, 1, MOST), bound(s, 1, MOST));
        if (a > b) (a, b) = (b, a);
        assertLe(ShareMath.toSharesDown(a, t, s), ShareMath.toSharesDown(b, t, s), "toSharesDown");
        assertLe(ShareMath.toSharesUp(a, t, s), ShareMath.toSharesUp(b, t, s), "toSharesUp");
        assertLe(ShareMath.toEtherDown(a, t, s), ShareMath.toEtherDown(b, t, s), "toEtherDown");
        assertLe(ShareMath.toEtherUp(a, t, s), ShareMath.toEtherUp(b, t, s), "toEtherUp");
        assertLe(ShareMath.toEtherDisplayed(a, t, s), ShareMath.toEtherDisplayed(b, t, s), "toEtherDisplayed");
    }

    function testFuzz_aRoundTripEarnsNothing(uint256 a, uint256 t, uint256 s) public pure {
        (a, t, s) = (bound(a, 0, MOST), bound(t, 1, MOST), bound(s, 1, MOST));
        uint256 shares = ShareMath.toSharesDown(a, t, s);
        if (shares <= MOST) assertLe(ShareMath.toEtherDown(shares, t, s), a, "ether to shares and back");
        uint256 value = ShareMath.toEtherDown(a, t, s);
        if (value <= MOST) assertLe(ShareMath.toSharesDown(value, t, s), a, "shares to ether and back");
    }

    /// @dev A mint at the floor and a redemption at the floor of the new totals.
    function testFuzz_stakingAndLeavingEarnsNothing(uint256 a, uint256 t, uint256 s) public pure {
        (a, t, s) = (bound(a, 1, 2 ** 100), bound(t, 1e16, 2 ** 100), bound(s, 1e16, 2 ** 126));
        uint256 minted = ShareMath.toSharesDown(a, t, s);
        if (minted > 2 ** 126) return;
        assertLe(ShareMath.toEtherDown(minted, t + a, s + minted), a, "more came out than went in");
        assertGe((t + a) * s, t * (s + minted), "the others' rate fell");
    }

    function testFuzz_theDisplayForgivesAThousandthOfAWei(uint256 a, uint256 t, uint256 s) public pure {
        (a, t, s) = (bound(a, 0, MOST), bound(t, 1, MOST), bound(s, 1, MOST));
        uint256 exact = ShareMath.toEtherDown(a, t, s);
        uint256 shown = ShareMath.toEtherDisplayed(a, t, s);
        assertGe(shown, exact, "shows less than the floor");
        assertLe(shown, exact + 1, "shows more than a wei too much");
        // shown > exact only where a * t lies within s / 1024 of the next multiple of s
        if (shown > exact) assertLe(shown * s - a * t, s >> 10, "forgives too much");
    }

    /// @dev With 27 decimals a deposit shows what was deposited while a share is worth less than a thousandth of a wei.
    function testFuzz_aDepositShowsWhatWasDeposited(uint256 a, uint256 t, uint256 s) public pure {
        (a, t) = (bound(a, 1, 2 ** 90), bound(t, 1e16, 2 ** 90));
        s = bound(s, t * 1e6, t * 1e10);
        uint256 minted = ShareMath.toSharesDown(a, t, s);
        assertEq(ShareMath.toEtherDisplayed(minted, t + a, s + minted), a, "shown after a deposit");
    }

    function testFuzz_ratesEncloseTheQuotient(uint256 t, uint256 s) public pure {
        (t, s) = (bound(t, 1, 2 ** 128 - 1), bound(s, 1, MOST));
        (uint256 down, uint256 up) = (ShareMath.rateDown(t, s), ShareMath.rateUp(t, s));
        assertLe(up - down, 1, "apart");
        assertEq(down, Math.mulDiv(t, 1e36, s), "rounded down");
        assertEq(up, Math.mulDiv(t, 1e36, s, Math.Rounding.Ceil), "rounded up");
    }
}
