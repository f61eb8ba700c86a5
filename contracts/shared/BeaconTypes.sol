// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

/// @notice A beacon block header (consensus-specs, phase0/beacon-chain.md#beaconblockheader).
struct BeaconHeader {
    uint64 slot;
    uint64 proposerIndex;
    bytes32 parentRoot;
    bytes32 stateRoot;
    bytes32 bodyRoot;
}

/// @notice A validator record (phase0/beacon-chain.md#validator); `pubkeyRoot` is the SSZ root of its public key.
struct BeaconValidator {
    bytes32 pubkeyRoot;
    bytes32 withdrawalCredentials;
    uint64 effectiveBalanceGwei;
    bool slashed;
    uint64 activationEligibilityEpoch;
    uint64 activationEpoch;
    uint64 exitEpoch;
    uint64 withdrawableEpoch;
}
