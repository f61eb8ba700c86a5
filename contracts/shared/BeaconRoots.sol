// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconHeader, BeaconValidator} from "./BeaconTypes.sol";
import {SSZ} from "./SSZ.sol";

/// @title BeaconRoots
/// @notice Hash tree roots of the beacon containers that a call brings along.
library BeaconRoots {
    /// @notice hash_tree_root(Validator): eight fields, eight leaves (consensus-specs,
    /// phase0/beacon-chain.md#validator).
    function ofValidator(BeaconValidator calldata v) internal view returns (bytes32) {
        bytes32[8] memory leaves;
        leaves[0] = v.pubkeyRoot;
        leaves[1] = v.withdrawalCredentials;
        leaves[2] = SSZ.leafOf(v.effectiveBalanceGwei);
        leaves[3] = v.slashed ? bytes1(0x01) : bytes1(0x00); // a byte, padded
        leaves[4] = SSZ.leafOf(v.activationEligibilityEpoch);
        leaves[5] = SSZ.leafOf(v.activationEpoch);
        leaves[6] = SSZ.leafOf(v.exitEpoch);
        leaves[7] = SSZ.leafOf(v.withdrawableEpoch);
        return SSZ.merkleize(leaves);
    }

    /// @notice hash_tree_root(BeaconBlockHeader), which is the root of the block as well
    /// (phase0/beacon-chain.md#beaconblockheader).
    function ofHeader(BeaconHeader calldata h) internal view returns (bytes32) {
        bytes32[8] memory leaves; // the last three are empty
        leaves[0] = SSZ.leafOf(h.slot);
        leaves[1] = SSZ.leafOf(h.proposerIndex);
        leaves[2] = h.parentRoot;
        leaves[3] = h.stateRoot;
        leaves[4] = h.bodyRoot;
        return SSZ.merkleize(leaves);
    }
}
