// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IReportBounds} from "./IReportBounds.sol";
import {BP} from "../shared/Units.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title ReportBounds
/// @notice Gains clamp (in the pool), falls escalate: beyond 50 bp a supermajority must sign, beyond 300 bp in 30 days
/// governance must approve.
contract ReportBounds is IReportBounds {
    /// @notice A report that lowers the rate by more than this needs more than two thirds of the members.
    uint256 public constant SUPERMAJORITY_FALL_BP = 50;
    /// @notice Falls of 30 days that add up to more than this need governance: each small, they would pass one by one.
    uint256 public constant GOVERNANCE_FALL_BP = 300;

    /// @inheritdoc IReportBounds
    function fallBp(
        uint256 ether0,
        uint256 shares0,
        uint256 ether1,
        uint256 shares1
    ) external pure override returns (uint256) {
        uint256 before = ether0 * shares1;
        uint256 after_ = ether1 * shares0;
        return after_ >= before ? 0 : Math.mulDiv(before - after_, BP, before, Math.Rounding.Ceil);
    }

    /// @inheritdoc IReportBounds
    /// @dev Two thirds round down, and one more. A quorum that is larger stays.
    function required(
        uint256 fall,
        uint256 inWindow,
        uint256 quorum,
        uint256 members
    ) external pure override returns (uint256 signatures, bool governance) {
        signatures = fall > SUPERMAJORITY_FALL_BP ? Math.max(quorum, (2 * members) / 3 + 1) : quorum;
        governance = inWindow > GOVERNANCE_FALL_BP;
    }
}
