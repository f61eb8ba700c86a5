// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

/// @title IReportBounds
/// @notice How many signatures a fall of the rate needs. Stateless: replaced by pointer.
interface IReportBounds {
    /// @notice Basis points of a fall from T0 / S0 to T1 / S1, rounded up; zero for a rise.
    function fallBp(uint256 ether0, uint256 shares0, uint256 ether1, uint256 shares1) external pure returns (uint256);
    /// @notice What a fall of `fall` needs, when falls in the last 30 days including it sum to `inWindow` (bp).
    /// @return signatures of `members`
    /// @return governance whether governance must approve the report as well
    function required(
        uint256 fall,
        uint256 inWindow,
        uint256 quorum,
        uint256 members
    ) external pure returns (uint256 signatures, bool governance);
}
