// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStakingPool} from "../../contracts/pool/IStakingPool.sol";
import {RateRails} from "../../contracts/token/RateRails.sol";
import {RebaseMath} from "../../contracts/pool/RebaseMath.sol";
import {ReportBounds} from "../../contracts/oracle/ReportBounds.sol";
import {ShareMath} from "../../contracts/shared/ShareMath.sol";

/// @notice Every formula of the libraries, on many inputs a call, for the differential test.
contract FormulaHarness {
    struct Totals {
        uint256 ether0;
        uint256 shares0;
        uint256 ether1;
        uint256 shares1;
    }

    struct Gain {
        int256 gross;
        uint256 maxAprBp;
        uint256 elapsed;
        uint256 highWaterRate;
        uint256 feeBp;
        uint256 cover;
    }

    struct Gained {
        int256 recognised;
        uint256 heldBack;
        uint256 fee;
        uint256 feeShares;
        uint256 maxFeeShares;
        uint256 burnable;
    }

    ReportBounds private immutable _bounds = new ReportBounds();

    /// @return results for each amount: toSharesDown, toSharesUp, toEtherDown, toEtherUp, toEtherDisplayed, rateDown, rateUp
    function convert(
        uint256[] calldata amounts,
        Totals[] calldata totals
    ) external pure returns (uint256[7][] memory results) {
        results = new uint256[7][](amounts.length);
        for (uint256 i; i < amounts.length; ++i) {
            (uint256 amount, uint256 t, uint256 s) = (amounts[i], totals[i].ether0, totals[i].shares0);
            results[i] = [
                ShareMath.toSharesDown(amount, t, s),
                ShareMath.toSharesUp(amount, t, s),
                ShareMath.toEtherDown(amount, t, s),
                ShareMath.toEtherUp(amount, t, s),
                ShareMath.toEtherDisplayed(amount, t, s),
                ShareMath.rateDown(t, s),
                ShareMath.rateUp(t, s)
            ];
        }
    }

    function gain(Totals[] calldata totals, Gain[] calldata inputs) external pure returns (Gained[] memory results) {
        results = new Gained[](inputs.length);
        for (uint256 i; i < inputs.length; ++i) {
            results[i] = _gain(totals[i], inputs[i]);
        }
    }

    /// @return results for each pair: whether it fell by more than 0, 1 and 5 bp, the fall in bp, and the rise in 1e-18
    function compare(Totals[] calldata totals) external view returns (uint256[5][] memory results) {
        results = new uint256[5][](totals.length);
        for (uint256 i; i < totals.length; ++i) {
            Totals calldata t = totals[i];
            results[i] = [
                RebaseMath.fell(t.ether0, t.shares0, t.ether1, t.shares1, 0) ? 1 : 0,
                RebaseMath.fell(t.ether0, t.shares0, t.ether1, t.shares1, 1) ? 1 : 0,
                RebaseMath.fell(t.ether0, t.shares0, t.ether1, t.shares1, 5) ? 1 : 0,
                _bounds.fallBp(t.ether0, t.shares0, t.ether1, t.shares1),
                RateRails.rise(t.ether0, t.shares0, t.ether1, t.shares1)
            ];
        }
    }

    function required(
        uint256 fall,
        uint256 inWindow,
        uint256 quorum,
        uint256 members
    ) external view returns (uint256 signatures, bool governance) {
        return _bounds.required(fall, inWindow, quorum, members);
    }

    function allowanceAt(uint64 allowance, uint40 updatedAt, uint256 time) external pure returns (uint256) {
        return RateRails.allowanceAt(RateRails.Rails(allowance, updatedAt, 0, 0), time);
    }

    /// @dev T' and S' are ether1 and shares1; the burn is what they allow.
    function _gain(Totals calldata t, Gain calldata g) private pure returns (Gained memory r) {
        (r.recognised, r.heldBack) = RebaseMath.recognise(g.gross, t.ether0, g.maxAprBp, g.elapsed);
        uint256 grown = uint256(int256(t.ether0) + r.recognised);
        (r.fee, r.feeShares) = RebaseMath.feeOn(r.recognised, grown, t.shares0, g.highWaterRate, g.feeBp);
        r.maxFeeShares = RateRails.maxFeeShares(t.ether0, t.shares0, r.recognised);
        IStakingPool.Outcome memory o = IStakingPool.Outcome(t.ether0, t.shares0, 0, t.shares1);
        r.burnable = RebaseMath.burnable(g.cover, t.ether1, o, g.maxAprBp, g.elapsed);
    }
}
