// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {SECONDS_PER_SLOT, SLOTS_PER_EPOCH} from "../shared/Units.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";
import {ValidatorQueues} from "./ValidatorQueues.sol";
import {ValidatorSlots} from "./ValidatorSlots.sol";

/// @title ValidatorState
/// @notice What the validator registry stores, and what it takes from a proof. The verifier is a pointer: a hard fork that
/// changes the layout of the beacon state replaces it.
abstract contract ValidatorState is IValidatorRegistry, AccessManagedUpgradeable {
    using ValidatorQueues for ValidatorQueues.State;
    using ValidatorSlots for Record;
    using ValidatorSlots for uint256;

    /// @inheritdoc IValidatorRegistry
    bytes32 public immutable withdrawalCredentials;
    uint256 public immutable genesisTime;

    /// @inheritdoc IValidatorRegistry
    IBeaconProof public beaconProof;
    mapping(bytes32 keyRoot => uint256) internal _records; // see ValidatorSlots
    ValidatorQueues.State internal _queues; // last: it may grow

    constructor(address withdrawalVault, uint256 genesisTime_) {
        withdrawalCredentials = bytes32((uint256(1) << 248) | uint160(withdrawalVault));
        genesisTime = genesisTime_;
    }

    /// @inheritdoc IValidatorRegistry
    function setBeaconProof(IBeaconProof beaconProof_) external restricted {
        _setBeaconProof(beaconProof_);
    }

    // --- views ---

    /// @inheritdoc IValidatorRegistry
    function validator(bytes32 keyRoot) public view returns (Record memory) {
        return _records[keyRoot].toRecord();
    }

    /// @inheritdoc IValidatorRegistry
    function tierQueue(uint256 tier) external view returns (TierQueue memory) {
        return _queues.get(tier);
    }

    /// @inheritdoc IValidatorRegistry
    function tierCount() external view returns (uint256) {
        return _queues.tierCount();
    }

    /// @inheritdoc IValidatorRegistry
    function nextToFund() external view returns (uint256 tier, uint256 sequence) {
        uint256[] memory words = _queues.load();
        tier = ValidatorQueues.nextToFund(words);
        require(tier != ValidatorQueues.NONE, NothingToFund());
        sequence = _queues.stepOver(tier, words[tier].fundHeadOf(), words[tier].tailOf());
    }

    /// @inheritdoc IValidatorRegistry
    function nextToExit() external view returns (uint256 tier, uint256 sequence) {
        uint256[] memory words = _queues.load();
        tier = ValidatorQueues.nextToExit(words);
        require(tier != ValidatorQueues.NONE, NothingToExit());
        sequence = _queues.stepOver(tier, words[tier].exitHeadOf(), words[tier].fundHeadOf());
    }

    // --- records ---

    function _save(bytes32 keyRoot, Record memory record) internal {
        _records[keyRoot] = record.pack();
    }

    function _inStatus(bytes32 keyRoot, Status expected) internal view returns (Record memory record) {
        record = validator(keyRoot);
        require(record.status == expected, WrongStatus(keyRoot, record.status));
    }

    function _funded(bytes32 keyRoot) internal view returns (Record memory record) {
        record = validator(keyRoot);
        bool funded = record.status == Status.Active || record.status == Status.Exiting;
        require(funded, WrongStatus(keyRoot, record.status));
    }

    function _requested(bytes32 keyRoot) internal view returns (Record memory record) {
        record = validator(keyRoot);
        require(record.exitRequestedAt != 0, NotRequested(keyRoot));
    }

    // --- proofs ---

    function _setBeaconProof(IBeaconProof beaconProof_) internal {
        require(address(beaconProof_) != address(0), ZeroAddress());
        beaconProof = beaconProof_;
        emit BeaconProofChanged(address(beaconProof_));
    }

    /// @dev Calls the verifier with this call's own arguments, from the one whose offset is at `head` in the call data: what
    /// is verified is then what this contract reads, and nothing is encoded again. Offsets count from the fourth byte.
    /// @return answer the first word of what the verifier returns, if it returns any
    function _forward(bytes4 selector, uint256 head) internal view returns (uint256 answer) {
        address verifier = address(beaconProof);
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, 0x00, calldatasize())
            mstore(data, or(selector, shr(32, shl(32, mload(data)))))
            mstore(add(data, 0x04), calldataload(head))
            if iszero(mul(extcodesize(verifier), staticcall(gas(), verifier, data, calldatasize(), 0x00, 0x20))) {
                returndatacopy(data, 0x00, returndatasize())
                revert(data, returndatasize())
            }
            answer := mload(0x00)
        }
    }

    /// @dev `proof` is the first argument.
    function _verified(IBeaconProof.ValidatorProof calldata proof) internal view returns (bytes32 keyRoot) {
        _forward(IBeaconProof.verifyValidator.selector, 4);
        return _keyRoot(proof.validator);
    }

    function _verifiedWithBalance(
        IBeaconProof.ValidatorProof calldata proof
    ) internal view returns (bytes32 keyRoot, uint256 balanceGwei) {
        balanceGwei = _forward(IBeaconProof.verifyValidatorAndBalance.selector, 4);
        keyRoot = _keyRoot(proof.validator);
    }

    /// @dev Reverts unless the validator has this protocol's credentials.
    function _keyRoot(IBeaconProof.Validator calldata v) internal view returns (bytes32) {
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
