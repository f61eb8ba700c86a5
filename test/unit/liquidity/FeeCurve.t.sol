// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP} from "../../../contracts/shared/Units.sol";
import {FeeCurve} from "../../../contracts/liquidity/FeeCurve.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Test} from "../../helpers/Test.sol";

/// @notice The curve against its definition in checked arithmetic, for reserves and targets from a wei to 2^96 and every
/// parameter that a pool may have; and what holds of trades on it, to the wei.
contract FeeCurveTest is Test {
    using FeeCurve for FeeCurve.Curve;

    uint256 internal constant MOST = type(uint96).max;

    // --- the potential and its inverse ---

    function testFuzz_psiIsItsDefinition(uint256 t, uint256 fees, uint256 r) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        r = _reserve(c, r);
        assertEq(c.psi(r), _psi(c, r), "psi");
    }

    function testFuzz_psiIsTheIntegralOfTheFee(uint256 t, uint256 fees, uint256 r) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        r = bound(r, 1, c.target);
        // of a straight line: its mean over [r - 1, r], twice, times t, against the marginal fees at both ends
        uint256 step = c.psi(r) - c.psi(r - 1);
        uint256 ends = 2 * c.target * (2 * BP + 2 * c.maxFeeBp) - 2 * (c.maxFeeBp - c.minFeeBp) * (2 * r - 1);
        assertEq(2 * step, ends, "a wei's price");
    }

    function testFuzz_invIsTheLeastReserve(uint256 t, uint256 fees, uint256 r, uint256 off) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        r = _reserve(c, r);
        uint256 p = c.psi(r);
        p -= bound(off, 0, p < 2 * BP * c.target ? p : 2 * BP * c.target); // up to about a wei below
        uint256 least = c.inv(p);
        assertGe(c.psi(least), p, "psi(inv(p)) >= p");
        if (least != 0) assertLt(c.psi(least - 1), p, "p > psi(inv(p) - 1)");
        assertEq(c.inv(c.psi(r)), r, "inv(psi(r)) = r");
    }

    function testFuzz_invOfAnyPotential(uint256 t, uint256 fees, uint256 p) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        p = bound(p, 1, c.psi(MOST));
        uint256 least = c.inv(p);
        assertGe(c.psi(least), p, "psi(inv(p)) >= p");
        assertLt(c.psi(least - 1), p, "p > psi(inv(p) - 1)");
    }

    function test_theEndsOfTheCurve() public pure {
        FeeCurve.Curve memory c = FeeCurve.Curve(MOST, 30, 500);
        assertEq(c.psi(0), 0, "psi(0)");
        assertEq(c.inv(0), 0, "inv(0)");
        assertEq(c.inv(1), 1, "inv(1)");
        assertEq(c.psi(MOST), _psi(c, MOST), "psi at the largest target");
        assertEq(c.inv(c.psi(MOST)), MOST, "and back");
        assertEq(c.inv(c.psi(MOST) - 1), MOST, "a little less");
        c = FeeCurve.Curve(1, 1, 2);
        assertEq(c.psi(1), 20_003, "2t(BP + 2) - 1");
        assertEq(c.psi(MOST), 20_003 + 20_002 * (MOST - 1), "far above the target");
        assertEq(c.inv(20_004), 2, "a wei above the target");
    }

    // --- sales ---

    function testFuzz_L2_aSellerPaysBetweenTheFeesAtTheEnds(
        uint256 t,
        uint256 fees,
        uint256 r,
        uint256 worth
    ) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        r = _reserve(c, r);
        worth = bound(worth, 0, MOST);
        (uint256 out, bool exceeds) = c.sold(r, worth);
        assertLe(out, worth, "above the rate");
        assertEq(exceeds, 2 * BP * c.target * worth > c.psi(r), "exceeds");
        if (exceeds) return assertEq(out, r, "all there is");
        assertGe((out + 1) * (BP + c.maxFeeBp), worth * BP, "more than the highest fee");
        assertLe(out * (BP + c.minFeeBp), worth * BP, "less than the lowest fee");
        if (r - out > c.target)
            assertGe((out + 1) * (BP + c.minFeeBp), worth * BP, "more than the lowest, above the target");
    }

    function testFuzz_L4_piecesOfASaleGetAtMostWhatTheWholeGets(
        uint256 t,
        uint256 fees,
        uint256 r,
        uint256 worth,
        uint256 cuts
    ) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        r = _reserve(c, r);
        worth = bound(worth, 1, c.psi(r) / (2 * BP * c.target) + 1);
        (uint256 whole, ) = c.sold(r, worth);
        uint256 pieces;
        for (uint256 i; i < 8 && worth != 0; ++i) {
            uint256 piece = i == 7 ? worth : _piece(worth, cuts, i);
            (uint256 out, ) = c.sold(r - pieces, piece);
            pieces += out;
            worth -= piece;
        }
        assertLe(pieces, whole, "cutting paid");
    }

    function testFuzz_L4_whatIsWantedCostsTheLeastThatPaysIt(
        uint256 t,
        uint256 fees,
        uint256 r,
        uint256 out
    ) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        r = bound(r, 1, MOST);
        if (r % 2 == 0) r = bound(r, 1, c.target);
        out = out % 4 == 0 ? r : bound(out, 1, r);
        uint256 worth = c.cost(r, out);
        (uint256 paid, ) = c.sold(r, worth);
        assertGe(paid, out, "cost does not buy it");
        (paid, ) = c.sold(r, worth - 1);
        assertLt(paid, out, "less buys it too");
    }

    // --- purchases ---

    function testFuzz_L4_piecesOfAPurchaseGetAtMostWhatTheWholeGets(
        uint256 t,
        uint256 fees,
        uint256 r,
        uint256 paid,
        uint256 rebateBp,
        uint256 cuts
    ) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        rebateBp = bound(rebateBp, 0, BP);
        r = bound(r, 0, c.target - 1);
        paid = bound(paid, 1, c.target - r);
        uint256 whole = c.bought(r, paid, rebateBp);
        uint256 pieces;
        for (uint256 i; i < 8 && paid != 0; ++i) {
            uint256 piece = i == 7 ? paid : _piece(paid, cuts, i);
            pieces += c.bought(r, piece, rebateBp);
            r += piece;
            paid -= piece;
        }
        assertLe(pieces, whole, "cutting paid");
    }

    function testFuzz_L2_aBuyerGetsTheRateAndItsPartOfTheScarcity(
        uint256 t,
        uint256 fees,
        uint256 r,
        uint256 paid,
        uint256 rebateBp
    ) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        rebateBp = bound(rebateBp, 0, BP);
        r = bound(r, 0, c.target - 1);
        paid = bound(paid, 1, c.target - r);
        uint256 worth = c.bought(r, paid, rebateBp);
        assertGe(worth, paid, "below the rate");
        // what sellers pay for the same wei, less min on each: the scarcity
        uint256 scarcity = (c.psi(r + paid) - c.psi(r)) - 2 * c.target * (BP + c.minFeeBp) * paid;
        assertEq(worth - paid, (rebateBp * scarcity) / (2 * BP * c.target * BP), "the part, rounded down");
        // sold back at once it gets no more than it cost
        (uint256 back, ) = c.sold(r + paid, worth);
        assertLe(back, paid, "a round trip paid");
    }

    function testFuzz_L5_whatWasSoldIsNotBoughtBackForLess(
        uint256 t,
        uint256 fees,
        uint256 r,
        uint256 worth,
        uint256 rebateBp
    ) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        rebateBp = bound(rebateBp, 0, BP);
        r = bound(r, 1, c.target);
        worth = bound(worth, 1, MOST);
        (uint256 out, ) = c.sold(r, worth);
        if (out == 0) return;
        assertLe(c.bought(r - out, out, rebateBp), worth, "a round trip paid");
    }

    // --- limits ---

    /// @dev Each piece is rounded down by less than a wei of value.
    function testFuzz_sellingWhatIsSellableWithinAFeeCostsAtMostThatFee(
        uint256 t,
        uint256 fees,
        uint256 r,
        uint256 feeBp,
        uint256 cuts
    ) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        r = _reserve(c, r);
        feeBp = feeBp % 2 == 0 ? 30 : bound(feeBp, 0, 600);
        uint256 worth = c.within(r, feeBp);
        if (feeBp < c.minFeeBp) return assertEq(worth, 0, "below the lowest fee");
        uint256 left = worth;
        uint256 paid;
        uint256 pieces;
        for (; pieces < 12 && left != 0; ++pieces) {
            uint256 piece = pieces == 11 ? left : _piece(left, cuts, pieces);
            (uint256 out, ) = c.sold(r - paid, piece);
            paid += out;
            left -= piece;
            if (feeBp < c.maxFeeBp) assertLe(c.marginal(r - paid), feeBp * 1e5, "past the fee at the margin");
        }
        assertGe((paid + pieces) * (BP + feeBp), worth * BP, "cost more than the fee");
    }

    /// @dev Three wei of value more, one of them for what `within` rounds off, bring the reserve past the fee.
    function testFuzz_whatIsSellableIsAllOfIt(uint256 t, uint256 fees, uint256 r, uint256 feeBp) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        r = _reserve(c, r);
        feeBp = bound(feeBp, c.minFeeBp, c.maxFeeBp - 1);
        (uint256 out, ) = c.sold(r, c.within(r, feeBp) + 3);
        assertGe(c.marginal(r - out), feeBp * 1e5, "more could be sold");
    }

    function testFuzz_withinGoesToTheLeastReserveOfThatFee(
        uint256 t,
        uint256 fees,
        uint256 r,
        uint256 feeBp
    ) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        r = _reserve(c, r);
        feeBp = bound(feeBp, c.minFeeBp, 600);
        uint256 above = feeBp < c.maxFeeBp ? c.maxFeeBp - feeBp : 0;
        uint256 stop = Math.mulDiv(c.target, above, c.maxFeeBp - c.minFeeBp, Math.Rounding.Ceil);
        uint256 expected = r <= stop ? 0 : (_psi(c, r) - _psi(c, stop)) / (2 * BP * c.target);
        assertEq(c.within(r, feeBp), expected, "within");
    }

    function testFuzz_roomIsNeverMoreThanThereIs(
        uint256 t,
        uint256 fees,
        uint256 r,
        uint256 worth,
        uint256 rebateBp
    ) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        rebateBp = bound(rebateBp, 0, BP);
        r = _reserve(c, r);
        worth = bound(worth, 0, 2 ** 112);
        uint256 room = c.room(r, worth, rebateBp);
        if (r >= c.target) return assertEq(room, 0, "above the target");
        assertLe(r + room, c.target, "past the target");
        assertLe(c.bought(r, room, rebateBp), worth, "more than there is");
    }

    function testFuzz_theMarginalFeeIsTheLineRoundedUp(uint256 t, uint256 fees, uint256 r) public pure {
        FeeCurve.Curve memory c = _curve(t, fees);
        r = _reserve(c, r);
        uint256 fee = c.marginal(r);
        if (r >= c.target) return assertEq(fee, c.minFeeBp * 1e5, "the lowest");
        uint256 line = (c.maxFeeBp * c.target - (c.maxFeeBp - c.minFeeBp) * r) * 1e5;
        assertEq(fee, Math.ceilDiv(line, c.target), "the line");
    }

    // --- internal ---

    /// @dev Targets of every size, and fees as a pool may have them.
    function _curve(uint256 t, uint256 fees) private pure returns (FeeCurve.Curve memory) {
        uint256 least = 1 + (fees % 30);
        uint256 bits = (fees / 1e6) % 96;
        t = fees % 5 == 0 ? bound(t, 1, MOST) : bound(t, 1, 2 ** (bits + 1) - 1);
        return FeeCurve.Curve(t, least, bound(fees / 30, least + 1, 500));
    }

    /// @dev Mostly at most the target.
    function _reserve(FeeCurve.Curve memory c, uint256 r) private pure returns (uint256) {
        return r % 4 == 3 ? bound(r / 4, 0, MOST) : bound(r / 4, 0, c.target);
    }

    function _piece(uint256 left, uint256 cuts, uint256 i) private pure returns (uint256) {
        uint256 dice = uint256(keccak256(abi.encode(cuts, i)));
        return dice % 4 == 0 ? 1 : bound(dice, 1, dice % 2 == 0 ? left : 1 + left / 6);
    }

    /// @dev The definition, term by term, every operation checked.
    function _psi(FeeCurve.Curve memory c, uint256 r) private pure returns (uint256) {
        uint256 t = c.target;
        if (r <= t) return 2 * t * (BP + c.maxFeeBp) * r - (c.maxFeeBp - c.minFeeBp) * r * r;
        return (2 * BP + c.maxFeeBp + c.minFeeBp) * t * t + 2 * t * (BP + c.minFeeBp) * (r - t);
    }
}
