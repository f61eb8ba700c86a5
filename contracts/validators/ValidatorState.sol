// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManagedUpgradeable} from
    "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {SECONDS_PER_SLOT, SLOTS_PER_EPOCH} from "../shared/Units.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";

/// @title ValidatorProofs
/// @notice What the validator registry takes from a proof. The verifier is a pointer: a hard fork that changes the layout
/// of the beacon state replaces it.
abstract contract ValidatorProofs is IValidatorRegistry, AccessManagedUpgradeable {
    /// @inheritdoc IValidatorRegistry
    bytes32 public immutable withdrawalCredentials;
    uint256 public immutable genesisTime;

    /// @inheritdoc IValidatorRegistry
    IBeaconProof public beaconProof;

    constructor(address withdrawalVault, uint256 genesisTime_) {
        withdrawalCredentials = bytes32((uint256(1) << 248) | uint160(withdrawalVault));
        genesisTime = genesisTime_;
    }

    /// @inheritdoc IValidatorRegistry
    function setBeaconProof(IBeaconProof beaconProof_) external restricted {
        _setBeaconProof(beaconProof_);
    }

    function _setBeaconProof(IBeaconProof beaconProof_) internal {
        require(address(beaconProof_) != address(0), ZeroAddress());
        beaconProof = beaconProof_;
        emit BeaconProofChanged(address(beaconProof_));
    }

    /// @dev Reverts unless the proof holds and its validator has this protocol's credentials.
    function _verified(IBeaconProof.ValidatorProof calldata proof) internal view returns (bytes32 keyRoot) {
        beaconProof.verifyValidator(proof);
        return _keyRoot(proof.validator);
    }

    function _verifiedWithBalance(IBeaconProof.ValidatorProof calldata proof, IBeaconProof.BalanceProof calldata balance)
        internal
        view
        returns (bytes32 keyRoot, uint256 balanceGwei)
    {
        balanceGwei = beaconProof.verifyValidatorAndBalance(proof, balance);
        keyRoot = _keyRoot(proof.validator);
    }

    function _keyRoot(IBeaconProof.Validator calldata v) private view returns (bytes32) {
        bytes32 expected = withdrawalCredentials;
        require(v.withdrawalCredentials == expected, WrongCredentials(v.withdrawalCredentials, expected));
        return v.pubkeyRoot;
    }

    function _slotTime(IBeaconProof.ValidatorProof calldata proof) internal view returns (uint256) {
        return genesisTime + SECONDS_PER_SLOT * proof.header.slot;
    }

    function _epoch(IBeaconProof.ValidatorProof calldata proof) internal pure returns (uint64) {
        return proof.header.slot / uint64(SLOTS_PER_EPOCH);
    }
}
