// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {GWEI, VALIDATOR_DEPOSIT} from "../shared/Units.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";

/// @title ValidatorSlots
/// @notice Records and queues as one word each: one read, one write, and the fields where the compiler would put them.
/// A new field takes spare bits at the top.
library ValidatorSlots {
    /// @notice From the lowest bit: operatorId 32, tier 8, status 8, slashed 8, weightStopped 8, sequence 40,
    /// validatorIndex 40, fundedGwei 40, exitRequestedAt 40; 32 spare.
    function pack(IValidatorRegistry.Record memory record) internal pure returns (uint256 word) {
        word = uint256(record.exitRequestedAt) << 184;
        word |= uint256(record.fundedGwei) << 144;
        word |= uint256(record.validatorIndex) << 104;
        word |= uint256(record.sequence) << 64;
        if (record.weightStopped) word |= 1 << 56;
        if (record.slashed) word |= 1 << 48;
        word |= uint256(record.status) << 40;
        word |= uint256(record.tier) << 32;
        word |= record.operatorId;
    }

    function toRecord(uint256 word) internal pure returns (IValidatorRegistry.Record memory record) {
        record.operatorId = uint32(word);
        record.tier = uint8(word >> 32);
        record.status = toStatus(word);
        record.slashed = uint8(word >> 48) != 0;
        record.weightStopped = uint8(word >> 56) != 0;
        record.sequence = uint40(word >> 64);
        record.validatorIndex = uint40(word >> 104);
        record.fundedGwei = uint40(word >> 144);
        record.exitRequestedAt = uint40(word >> 184);
    }

    /// @notice Operator, tier and sequence alone.
    function placeOf(uint256 word) internal pure returns (uint256 operatorId, uint256 tier, uint256 sequence) {
        return (uint32(word), uint8(word >> 32), uint40(word >> 64));
    }

    /// @notice The record of a key that was just predeposited.
    function predeposited(uint256 operatorId) internal pure returns (uint256) {
        return uint32(operatorId) | (uint256(IValidatorRegistry.Status.Predeposited) << 40);
    }

    /// @notice The record of a key in its tier's queue.
    function enqueued(
        uint256 operatorId,
        uint256 tier,
        uint256 sequence,
        uint256 validatorIndex
    ) internal pure returns (uint256 word) {
        word = uint256(uint40(validatorIndex)) << 104;
        word |= uint256(uint40(sequence)) << 64;
        word |= uint256(IValidatorRegistry.Status.Queued) << 40;
        word |= uint256(uint8(tier)) << 32;
        word |= uint32(operatorId);
    }

    function validatorIndexOf(uint256 word) internal pure returns (uint256) {
        return uint40(word >> 104);
    }

    /// @notice A queued record made active, with 32 ETH where it had none.
    function activated(uint256 word) internal pure returns (uint256) {
        uint256 queued = uint256(IValidatorRegistry.Status.Queued);
        uint256 active = uint256(IValidatorRegistry.Status.Active);
        unchecked {
            return word + (((VALIDATOR_DEPOSIT / GWEI) << 144) + ((active - queued) << 40));
        }
    }

    function toStatus(uint256 word) internal pure returns (IValidatorRegistry.Status) {
        return IValidatorRegistry.Status(uint8(word >> 40));
    }

    // --- queues ---

    /// @notice From the lowest bit: fundHead 32, tail 32, exitHead 32, funded 32, exiting 32, queued 32, requested 24,
    /// targetShareBp 16, maxShareBp 16; in the first tier's word the number of tiers 8.
    function pack(IValidatorRegistry.TierQueue memory queue) internal pure returns (uint256 word) {
        word = uint256(queue.maxShareBp) << 232;
        word |= uint256(queue.targetShareBp) << 216;
        word |= uint256(queue.requested) << 192;
        word |= uint256(queue.queued) << 160;
        word |= uint256(queue.exiting) << 128;
        word |= uint256(queue.funded) << 96;
        word |= uint256(queue.exitHead) << 64;
        word |= uint256(queue.tail) << 32;
        word |= queue.fundHead;
    }

    function toQueue(uint256 word) internal pure returns (IValidatorRegistry.TierQueue memory queue) {
        queue.fundHead = uint32(word);
        queue.tail = uint32(word >> 32);
        queue.exitHead = uint32(word >> 64);
        queue.funded = uint32(word >> 96);
        queue.exiting = uint32(word >> 128);
        queue.queued = uint32(word >> 160);
        queue.requested = uint24(word >> 192);
        queue.targetShareBp = uint16(word >> 216);
        queue.maxShareBp = uint16(word >> 232);
    }

    /// @notice The number of tiers, from the first tier's word.
    function tiersOf(uint256 word) internal pure returns (uint256) {
        return word >> 248;
    }

    /// @notice The word with the number of tiers from another.
    function withTiersOf(uint256 word, uint256 other) internal pure returns (uint256) {
        return word | (other & (0xff << 248));
    }

    /// @notice The word with this number of tiers.
    function withTiers(uint256 word, uint256 count) internal pure returns (uint256) {
        return uint248(word) | (count << 248);
    }

    function fundHeadOf(uint256 word) internal pure returns (uint256) {
        return uint32(word);
    }

    function tailOf(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 32);
    }

    function exitHeadOf(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 64);
    }

    function queuedOf(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 160);
    }

    function targetShareBpOf(uint256 word) internal pure returns (uint256) {
        return uint16(word >> 216);
    }

    function maxShareBpOf(uint256 word) internal pure returns (uint256) {
        return uint16(word >> 232);
    }

    /// @notice Funded and not proven exiting.
    function presentOf(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 96) - uint32(word >> 128);
    }

    /// @notice Present and not asked to exit.
    function stayingOf(uint256 word) internal pure returns (uint256) {
        return presentOf(word) - uint24(word >> 192);
    }

    /// @notice A queue with one key more at its tail. @return sequence the key's place
    function pushed(uint256 word) internal pure returns (uint256 longer, uint256 sequence) {
        unchecked {
            // 2^32 keys would have deposited four billion ether
            return (word + (1 << 32) + (1 << 160), tailOf(word));
        }
    }

    /// @notice A queue, not empty, whose key at `head` was funded.
    function fundedAt(uint256 word, uint256 head) internal pure returns (uint256) {
        unchecked {
            return word - fundHeadOf(word) + head + 1 + (1 << 96) - (1 << 160);
        }
    }
}
