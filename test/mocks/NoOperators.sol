// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Stands in for the operator registry where no validator earns weight: the whole fee is the treasury's.
contract NoOperators {
    function accrueFee(uint256, uint256) external pure returns (uint256) {
        return 0;
    }
}
