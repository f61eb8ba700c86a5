// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Stands in for the operator registry where nobody divides the fee.
contract NoOperators {
    function setTotalFee(uint256) external {}
}
