// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title RateRails
/// @notice Bounds that hold even if the pool is wrong: how fast the rate may rise in block time, and how much of a gain
/// may be minted as fee.
library RateRails {
    /// @notice One slot, written by every report. The allowance refills with time and is spent by every rise of the rate.
    struct Rails {
        uint64 allowance; // relative rise still allowed, 1e-18 of the rate
        uint40 updatedAt; // unix seconds
        uint32 nextCheckpoint; // its place in the ring of rate checkpoints
        uint120 feeShares; // minted as fee, ever
    }

    /// @dev Above the highest yearly limit that the pool accepts, 3,000 bp: it binds only a pool that is wrong.
    uint256 internal constant MAX_RISE_PER_DAY = 1e15; // 10 bp
    uint256 internal constant MAX_RISE = 30 * MAX_RISE_PER_DAY; // unused allowance carries over up to 30 days
    /// @notice The allowance at the start: as much as the longest report can need, so that nobody's donation blocks the
    /// first one.
    uint256 internal constant FIRST_ALLOWANCE = 2 * MAX_RISE_PER_DAY;
    /// @dev The pool's own limit of 2,000 bp is the same.
    uint256 internal constant MAX_FEE_DIVISOR = 5; // a fee is at most a fifth of a gain

    /// @notice The allowance at `time`.
    /// @param time unix seconds, not before the last update
    function allowanceAt(Rails memory rails, uint256 time) internal pure returns (uint256) {
        return Math.min(MAX_RISE, rails.allowance + ((time - rails.updatedAt) * MAX_RISE_PER_DAY) / 1 days);
    }

    /// @notice Relative rise of the rate T / S from (ether0, shares0) to (ether1, shares1) in 1e-18, rounded up; zero
    /// for a fall.
    /// @dev Rounded up, so that what is spent is never less than what the rate rose.
    function rise(uint256 ether0, uint256 shares0, uint256 ether1, uint256 shares1) internal pure returns (uint256) {
        uint256 after_ = ether1 * shares0;
        uint256 before = ether0 * shares1;
        if (after_ <= before) return 0;
        return Math.mulDiv(after_ - before, 1e18, before, Math.Rounding.Ceil);
    }

    /// @notice The most fee shares that a gain allows: worth a fifth of the gain after they are minted, rounded down.
    function maxFeeShares(uint256 ether0, uint256 shares0, int256 gain) internal pure returns (uint256) {
        if (gain <= 0) return 0;
        uint256 maxFee = uint256(gain) / MAX_FEE_DIVISOR;
        return (maxFee * shares0) / (ether0 + uint256(gain) - maxFee);
    }
}
