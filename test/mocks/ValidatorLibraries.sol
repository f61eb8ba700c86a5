// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DepositData} from "../../contracts/shared/DepositData.sol";
import {SSZ} from "../../contracts/shared/SSZ.sol";
import {BondCurve} from "../../contracts/validators/BondCurve.sol";
import {IValidatorRegistry} from "../../contracts/validators/IValidatorRegistry.sol";
import {ValidatorQueues} from "../../contracts/validators/ValidatorQueues.sol";
import {ValidatorSlots} from "../../contracts/validators/ValidatorSlots.sol";

/// @notice The libraries of `validators/`, one external function each.
contract ValidatorLibraries {
    using DepositData for bytes;
    using ValidatorQueues for ValidatorQueues.State;
    using ValidatorSlots for IValidatorRegistry.Record;
    using ValidatorSlots for IValidatorRegistry.TierQueue;
    using ValidatorSlots for uint256;

    ValidatorQueues.State private _queues;

    // --- SSZ, deposits, bonds ---

    function pubkeyRoot(bytes calldata pubkey) external view returns (bytes32) {
        return SSZ.pubkeyRoot(pubkey);
    }

    function merkleize(bytes32[8] memory leaves) external view returns (bytes32) {
        return SSZ.merkleize(leaves);
    }

    function topUpRoot(bytes32 keyRoot, bytes32 credentials) external view returns (bytes32) {
        return DepositData.topUpRoot(keyRoot, credentials);
    }

    /// @notice The call data for the second of two keys, after the first one's was put in place.
    function depositCall(
        bytes32 credentials,
        bytes[2] calldata pubkeys,
        bytes[2] calldata signatures,
        bytes32[2] calldata roots
    ) external pure returns (bytes memory data) {
        data = DepositData.template(credentials);
        for (uint256 i = 0; i < 2; ++i) {
            data.setSignature(signatures[i]);
            data.setKey(pubkeys[i], roots[i]);
        }
    }

    function requiredBond(
        uint256 first,
        uint256 next,
        uint256 count
    ) external pure returns (uint256 required, uint256 passMark) {
        required = BondCurve.required(first, next, count);
        passMark = BondCurve.passMark(required);
    }

    // --- words ---

    function packRecord(IValidatorRegistry.Record memory record) external pure returns (uint256) {
        return record.pack();
    }

    function unpackRecord(
        uint256 word
    ) external pure returns (IValidatorRegistry.Record memory, IValidatorRegistry.Status) {
        return (word.toRecord(), word.toStatus());
    }

    function packQueue(IValidatorRegistry.TierQueue memory queue) external pure returns (uint256) {
        return queue.pack();
    }

    function unpackQueue(uint256 word) external pure returns (IValidatorRegistry.TierQueue memory) {
        return word.toQueue();
    }

    // --- the order ---

    function nextToFund(IValidatorRegistry.TierQueue[] memory queues) external pure returns (uint256) {
        return ValidatorQueues.nextToFund(_words(queues));
    }

    function nextToExit(IValidatorRegistry.TierQueue[] memory queues) external pure returns (uint256) {
        return ValidatorQueues.nextToExit(_words(queues));
    }

    // --- the queues ---

    function put(uint256 tier, IValidatorRegistry.TierQueue memory queue) external {
        _queues.setTier(tier, queue.targetShareBp, queue.maxShareBp);
        _queues.put(tier, queue);
    }

    function get(uint256 tier) external view returns (IValidatorRegistry.TierQueue memory) {
        return _queues.get(tier);
    }

    function push(uint256 tier) external returns (uint256) {
        return _queues.push(tier);
    }

    function drop(uint256 tier, uint256 sequence) external {
        _queues.drop(tier, sequence);
    }

    /// @notice Funds these keys of one tier each, in this order.
    function fund(uint256[] calldata tiers, uint256[] calldata sequences) external returns (bool taken) {
        ValidatorQueues.Turns memory turns = _queues.turnsNow();
        for (uint256 i = 0; i < tiers.length; ++i) {
            taken = _queues.takeToFund(turns, bytes32(0), tiers[i], sequences[i]);
        }
        _queues.putFunded(turns);
    }

    function requestExit(uint256 tier, uint256 sequence) external {
        _queues.takeToExit(_queues.load(), bytes32(0), tier, sequence);
    }

    function skipExited(uint256 tier, uint256 sequence) external {
        _queues.skipExited(bytes32(0), tier, sequence);
    }

    function noteExit(uint256 tier, bool wasRequested, bool exits) external {
        _queues.noteExit(tier, wasRequested, exits);
    }

    function _words(IValidatorRegistry.TierQueue[] memory queues) private pure returns (uint256[] memory words) {
        words = new uint256[](queues.length);
        for (uint256 i = 0; i < queues.length; ++i) {
            words[i] = queues[i].pack();
        }
    }
}
