// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DepositData} from "../../contracts/shared/DepositData.sol";
import {SSZ} from "../../contracts/shared/SSZ.sol";
import {BondCurve} from "../../contracts/validators/BondCurve.sol";
import {IValidatorRegistry} from "../../contracts/validators/IValidatorRegistry.sol";
import {ValidatorQueues} from "../../contracts/validators/ValidatorQueues.sol";

/// @notice The libraries of `validators/`, one external function each.
contract ValidatorLibraries {
    using DepositData for bytes;
    using ValidatorQueues for ValidatorQueues.State;

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

    // --- the order ---

    /// @notice Among these tiers. It writes: to be called statically.
    function nextToFund(IValidatorRegistry.TierQueue[] memory queues) external returns (uint256) {
        _putAll(queues);
        return _queues.nextToFund(queues.length, _queues.allPresent() + 1);
    }

    function nextToExit(IValidatorRegistry.TierQueue[] memory queues, uint256 passed) external returns (uint256) {
        _putAll(queues);
        return _queues.nextToExit(passed);
    }

    // --- the queues ---

    function put(uint256 tier, IValidatorRegistry.TierQueue memory queue) public {
        queue.tiers = _queues.tiers[tier].tiers;
        _queues.tiers[tier] = queue;
        _queues.setTier(tier, queue.targetShareBp, queue.maxShareBp);
    }

    function get(uint256 tier) external view returns (IValidatorRegistry.TierQueue memory) {
        return _queues.tiers[tier];
    }

    function push(uint256 tier) external returns (uint256) {
        return _queues.push(tier);
    }

    function drop(uint256 tier, uint256 sequence) external {
        _queues.drop(tier, sequence);
    }

    function takeOwn(uint256 tier, uint256 sequence) external {
        _queues.takeOwn(tier, sequence);
    }

    /// @notice Funds these keys of one tier each, in this order.
    function fund(uint256[] calldata tiers, uint256[] calldata sequences) external returns (bool taken) {
        ValidatorQueues.Turns memory turns = _queues.turnsNow();
        for (uint256 i = 0; i < tiers.length; ++i) {
            taken = _queues.takeToFund(turns, bytes32(0), tiers[i], sequences[i]);
        }
        _queues.emitFunded(turns);
    }

    /// @notice As a request to exit in turn.
    function requestExit(uint256 tier, uint256 sequence) external {
        _queues.takeToExit(_queues.nextToExit(0), bytes32(0), tier, sequence);
        _queues.noteLeaving(tier);
    }

    function skipExited(uint256 tier, uint256 sequence) external {
        _queues.skipExited(bytes32(0), tier, sequence);
    }

    function requireHead(uint256 next, uint256 tier, uint256 sequence) external view {
        _queues.requireHead(next, bytes32(0), tier, sequence);
    }

    function noteLeaving(uint256 tier) external {
        _queues.noteLeaving(tier);
    }

    function _putAll(IValidatorRegistry.TierQueue[] memory queues) private {
        for (uint256 i = 0; i < queues.length; ++i) {
            put(i, queues[i]);
        }
    }
}
