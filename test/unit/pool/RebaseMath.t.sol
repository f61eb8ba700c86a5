// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, YEAR} from "../../../contracts/shared/Units.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {RebaseMath} from "../../../contracts/pool/RebaseMath.sol";
import {ShareMath} from "../../../contracts/shared/ShareMath.sol";
import {Test} from "../../helpers/Test.sol";

contract RebaseMathTest is Test {
    uint256 internal constant MOST = 120_000_000 ether;

    struct Case {
        uint256 t;
        uint256 s;
        uint256 apr;
        uint256 elapsed;
        uint256 gross;
        uint256 feeBp;
        uint256 top; // ether at the high-water rate, for the same shares
    }

    function testFuzz_recogniseLosesNothing(Case memory c) public pure {
        _bound(c);
        (int256 gain, uint256 heldBack) = RebaseMath.recognise(int256(c.gross), c.t, c.apr, c.elapsed);
        assertEq(uint256(gain) + heldBack, c.gross, "recognised + held back");
        assertLe(uint256(gain) * BP * YEAR, c.t * c.apr * c.elapsed, "above the limit");
        if (heldBack != 0) assertGt((uint256(gain) + 1) * BP * YEAR, c.t * c.apr * c.elapsed, "below the limit");
        (gain, heldBack) = RebaseMath.recognise(-int256(c.gross), c.t, c.apr, c.elapsed);
        assertEq(gain, -int256(c.gross), "a fall is taken whole");
        assertEq(heldBack, 0, "a fall holds nothing back");
    }

    /// @dev What is held back is recognised later, at the same limit, and once.
    function testFuzz_heldBackIsRecognisedOnce(Case memory c) public pure {
        _bound(c);
        (uint256 left, uint256 seen, uint256 t) = (c.gross, 0, c.t);
        for (uint256 i; i < 20 && left != 0; ++i) {
            (int256 gain, uint256 heldBack) = RebaseMath.recognise(int256(left), t, c.apr, c.elapsed);
            (left, seen, t) = (heldBack, seen + uint256(gain), t + uint256(gain));
        }
        assertEq(seen + left, c.gross, "nothing came or went");
    }

    function testFuzz_theFeeIsPartOfWhatRoseAboveTheHighWater(Case memory c) public pure {
        _bound(c);
        uint256 highWaterRate = ShareMath.rateUp(c.top, c.s);
        (uint256 fee, uint256 feeShares) = RebaseMath.feeOn(
            int256(c.gross),
            c.t + c.gross,
            c.s,
            highWaterRate,
            c.feeBp
        );
        uint256 above = c.t + c.gross > c.top ? c.t + c.gross - c.top : 0;
        if (above > c.gross) above = c.gross;
        assertLe(fee * BP, above * c.feeBp, "more than its part");
        assertGe((fee + 2) * BP, above * c.feeBp, "less than its part");
        assertLe(feeShares * (c.t + c.gross), fee * (c.s + feeShares), "shares worth more than the fee");
        // holders keep what the fee leaves: their rate does not fall below the old one
        assertGe((c.t + c.gross) * c.s, c.t * (c.s + feeShares), "the fee took from holders");
        (fee, feeShares) = RebaseMath.feeOn(-int256(c.gross), c.t, c.s, highWaterRate, c.feeBp);
        assertEq(fee + feeShares, 0, "no fee on a loss");
    }

    /// @dev Gains in two reports cost no more than their sum in one; a wei of rounding each.
    function testFuzz_noGainIsTaxedTwice(Case memory c, uint256 part) public pure {
        _bound(c);
        part = bound(part, 0, c.gross);
        uint256 rate = ShareMath.rateUp(c.t, c.s);
        (uint256 once, ) = RebaseMath.feeOn(int256(c.gross), c.t + c.gross, c.s, rate, c.feeBp);
        (uint256 first, uint256 minted) = RebaseMath.feeOn(int256(part), c.t + part, c.s, rate, c.feeBp);
        uint256 s = c.s + minted;
        rate = ShareMath.rateUp(c.t + part, s);
        (uint256 second, ) = RebaseMath.feeOn(int256(c.gross - part), c.t + c.gross, s, rate, c.feeBp);
        assertLe(first + second, once + 2, "taxed twice");
    }

    /// @dev A fall, then a recovery to where it was: no fee.
    function testFuzz_aRecoveryIsFree(Case memory c, uint256 fall) public pure {
        _bound(c);
        fall = bound(fall, 0, c.t / 2);
        uint256 rate = ShareMath.rateUp(c.t, c.s);
        (uint256 fee, uint256 feeShares) = RebaseMath.feeOn(int256(fall), c.t, c.s, rate, c.feeBp);
        assertEq(fee + feeShares, 0, "a fee on a recovery");
    }

    /// @dev With the burn the rate stays within the limit, and with one share more it would not, or cover is used up.
    function testFuzz_burnableIsTheMostTheLimitAllows(Case memory c, uint256 cover, uint256 paid) public pure {
        _bound(c);
        (int256 gain, ) = RebaseMath.recognise(int256(c.gross), c.t, c.apr, c.elapsed);
        if (c.feeBp % 2 == 0) gain = -int256(c.gross < c.t / 2 ? c.gross : c.t / 2);
        IStakingPool.Outcome memory o = IStakingPool.Outcome(c.t, c.s, uint256(int256(c.t) + gain), c.s);
        (, uint256 feeShares) = RebaseMath.feeOn(gain, o.etherAfter, c.s, ShareMath.rateUp(c.top, c.s), c.feeBp);
        o.sharesAfter += feeShares;
        paid = bound(paid, 0, o.etherAfter / 2);
        uint256 left = o.etherAfter - paid;
        // at most what waited for the payment, and what a bond of any size brings
        cover = bound(cover, 0, o.sharesAfter);
        uint256 burned = RebaseMath.burnable(cover, left, o, c.apr, c.elapsed);
        uint256 y = BP * YEAR;
        assertLe(burned, cover, "more than there is");
        uint256 growth = y + c.apr * c.elapsed;
        if (burned != 0) assertLe(left * c.s * y, c.t * (o.sharesAfter - burned) * growth, "beyond the limit");
        if (burned < cover) {
            assertGt(left * c.s * y, c.t * (o.sharesAfter - burned - 1) * growth, "less than the limit allows");
        }
    }

    function testFuzz_fellIsExact(Case memory c, uint256 t1, uint256 s1, uint256 bp) public pure {
        _bound(c);
        (t1, s1) = (bound(t1, 1, 2 * c.t), bound(s1, c.s / 2, 2 * c.s));
        bp = bound(bp, 0, 100);
        bool expected = t1 * c.s * BP < c.t * s1 * (BP - bp);
        assertEq(RebaseMath.fell(c.t, c.s, t1, s1, bp), expected, "fell");
    }

    function _bound(Case memory c) private pure {
        c.t = bound(c.t, 1e16, MOST);
        c.s = bound(c.s, c.t * 1e7, c.t * 1e10); // from a hundredfold rate to a tenth
        c.apr = bound(c.apr, 0, 3000);
        c.elapsed = bound(c.elapsed, 0, 2 days);
        c.gross = bound(c.gross, 0, MOST);
        c.feeBp = bound(c.feeBp, 0, 2000);
        c.top = bound(c.top, c.t / 2, 2 * c.t);
    }
}
