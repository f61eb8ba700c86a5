// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

/// @title The beacon chain deposit contract
/// @notice consensus-specs, phase0/deposit-contract.md
interface IDepositContract {
    /// @notice Deposits msg.value, at least 1 ETH in whole gwei. Reverts unless `depositDataRoot` is the root of key,
    /// credentials, amount and signature. Only the consensus layer checks the signature, and only for a key that it
    /// does not know.
    function deposit(
        bytes calldata pubkey,
        bytes calldata withdrawalCredentials,
        bytes calldata signature,
        bytes32 depositDataRoot
    ) external payable;
}
