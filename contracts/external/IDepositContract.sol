// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The beacon chain deposit contract
/// @notice consensus-specs, phase0/deposit-contract.md
interface IDepositContract {
    function deposit(
        bytes calldata pubkey,
        bytes calldata withdrawalCredentials,
        bytes calldata signature,
        bytes32 depositDataRoot
    ) external payable;
}
