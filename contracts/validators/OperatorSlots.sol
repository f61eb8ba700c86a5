// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IOperatorRegistry} from "./IOperatorRegistry.sol";

/// @title OperatorSlots
/// @notice What proving and funding touch of an operator, its second slot, as one word: one read, one write.
/// @dev From the lowest bit, where the compiler puts them: bondShares 128, queued 32, active 32, weighted 32, feeBp 16, tier 8,
/// inDoubt 8.
library OperatorSlots {
    function load(IOperatorRegistry.Operator storage op) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(add(op.slot, 1))
        }
    }

    function save(IOperatorRegistry.Operator storage op, uint256 word) internal {
        assembly ("memory-safe") {
            sstore(add(op.slot, 1), word)
        }
    }

    function bondSharesOf(uint256 word) internal pure returns (uint256) {
        return uint128(word);
    }

    function queuedOf(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 128);
    }

    function activeOf(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 160);
    }

    function weightedOf(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 192);
    }

    function feeBpOf(uint256 word) internal pure returns (uint256) {
        return uint16(word >> 224);
    }

    function tierOf(uint256 word) internal pure returns (uint256) {
        return uint8(word >> 240);
    }

    function inDoubtOf(uint256 word) internal pure returns (bool) {
        return word >> 248 != 0;
    }

    /// @notice The word with one queued key more.
    function proven(uint256 word) internal pure returns (uint256) {
        unchecked {
            return word + (1 << 128); // 2^32 keys would have deposited four billion ether
        }
    }

    /// @notice The word when `count` of its queued keys are funded with a bond of `shares`. It is not in doubt any more.
    /// @dev Neither bonds, of which there are fewer than shares, nor counts reach their neighbours.
    function funded(uint256 word, uint256 count, uint256 shares) internal pure returns (uint256) {
        require(count <= queuedOf(word), IOperatorRegistry.NotQueued(queuedOf(word), count));
        unchecked {
            return uint248(word) + shares + count * ((1 << 160) + (1 << 192) - (1 << 128));
        }
    }
}
