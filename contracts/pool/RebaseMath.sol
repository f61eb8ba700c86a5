// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, RAY, SHARES_PER_UNIT, YEAR} from "../shared/Units.sol";
import {IStakingPool} from "./IStakingPool.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title RebaseMath
/// @notice The arithmetic of a report, without state. T and S are total ether (wei) and total shares; docs/math.md has
/// the derivations, offchain/protocol/rebase.ts the twin.
library RebaseMath {
    /// @notice What a gross change `gross` becomes: gains above floor(T * maxAprBp * elapsed / year) are held back, a
    /// fall is taken whole.
    /// @param gross wei, what was held back included
    /// @param elapsed seconds between the references, at most two frames
    /// @return recognised wei, signed
    /// @return heldBack wei
    function recognise(
        int256 gross,
        uint256 totalEther,
        uint256 maxAprBp,
        uint256 elapsed
    ) internal pure returns (int256 recognised, uint256 heldBack) {
        uint256 maxGain = (totalEther * maxAprBp * elapsed) / (BP * YEAR);
        if (gross <= int256(maxGain)) return (gross, 0);
        return (int256(maxGain), uint256(gross) - maxGain);
    }

    /// @notice The fee on what rises above the high-water rate, and its shares at the new rate. Both round down.
    /// @param etherAfter T with the gain
    /// @param highWaterRate ray, rounded up
    /// @param gain wei, recognised; nothing is due on a fall
    /// @param shares S before the fee
    function feeOn(
        int256 gain,
        uint256 etherAfter,
        uint256 shares,
        uint256 highWaterRate,
        uint256 feeBp
    ) internal pure returns (uint256 fee, uint256 feeShares) {
        if (gain <= 0) return (0, 0);
        uint256 highWater = Math.ceilDiv(highWaterRate * shares, RAY * SHARES_PER_UNIT);
        if (etherAfter <= highWater) return (0, 0);
        fee = (Math.min(uint256(gain), etherAfter - highWater) * feeBp) / BP;
        feeShares = (fee * shares) / (etherAfter - fee);
    }

    /// @notice Whether the rate fell by more than `bp` from (ether0, shares0) to (ether1, shares1). Exact.
    function fell(
        uint256 ether0,
        uint256 shares0,
        uint256 ether1,
        uint256 shares1,
        uint256 bp
    ) internal pure returns (bool) {
        // each fits 128 bits
        if (ether1 * shares0 >= ether0 * shares1) return false;
        return Math.mulDiv(ether1, shares0 * BP, shares1) < ether0 * (BP - bp);
    }

    /// @notice How much of `cover` may be burned so that the rate stays within maxAprBp over `elapsed`:
    /// min(cover, max(0, S' - ceil(etherLeft * S0 * Y / (T0 * (Y + maxAprBp * elapsed))))), Y = BP * year, with T0, S0
    /// before the report and S' the shares after its fee.
    function burnable(
        uint256 cover,
        uint256 etherLeft,
        IStakingPool.Outcome memory o,
        uint256 maxAprBp,
        uint256 elapsed
    ) internal pure returns (uint256) {
        uint256 y = BP * YEAR;
        uint256 divisor = o.etherBefore * (y + maxAprBp * elapsed);
        uint256 least = Math.mulDiv(etherLeft * o.sharesBefore, y, divisor, Math.Rounding.Ceil);
        return Math.min(cover, Math.saturatingSub(o.sharesAfter, least));
    }
}
