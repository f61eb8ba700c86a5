// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SSZ} from "../shared/SSZ.sol";
import {IBeaconProof} from "./IBeaconProof.sol";

/// @title StateLayout
/// @notice Where validators, balances and older block roots lie in a beacon state. Generalised indices are within the state,
/// whose root is the header's; `field` is the same number in all forks.
///
///                          Electra, Fulu: 64 leaves            Gloas: a progressive container (EIP-7495, EIP-7688)
///   field 5..20            64 + field                          (22 << 4) + field - 5: the container's third subtree
///   field 27               91                                  2950 = (46 << 6) + 27 - 21: its fourth
///   validators, balances   a list of 2**40: data of 40 or 38   a progressive list (EIP-7916): subtree k holds 4**k chunks
///                          levels under its left child         from (4**k - 1) / 3 on, 3 * k + 1 levels under the data
library StateLayout {
    /// @dev Fields of BeaconState by number, from 0 (consensus-specs, phase0/beacon-chain.md#beaconstate).
    uint256 internal constant VALIDATORS = 11;
    uint256 internal constant BALANCES = 12;
    /// @dev Levels of a list's data in Electra; balances go four to a chunk.
    uint256 internal constant VALIDATORS_DEPTH = 40;
    /// @dev 40 less the two levels within a chunk.
    uint256 internal constant BALANCES_DEPTH = 38;
    /// @dev SLOTS_PER_HISTORICAL_ROOT
    uint256 internal constant PERIOD = 8192;

    /// @dev Levels of a vector of 8192 roots, and of a list of at most 2**24 summaries.
    uint256 private constant PERIOD_DEPTH = 13;
    uint256 private constant SUMMARIES_DEPTH = 24;

    /// @notice Levels from a list's data, below the node that mixes in its length, to the state root.
    function levelsAbove(bool gloas) internal pure returns (uint256) {
        return gloas ? 9 : 7;
    }

    /// @notice The index of a list's data.
    function dataIndex(bool gloas, uint256 field) internal pure returns (uint256) {
        return (gloas ? 347 + field : 64 + field) * 2;
    }

    /// @notice Levels from chunk `index` of a progressive list to its data.
    function progressiveLevels(uint256 index) internal pure returns (uint256) {
        return 3 * _subtree(index) + 1;
    }

    /// @notice The root over `levels` siblings from chunk `index` of a list: the data of a progressive list; else of its
    /// first 2**levels chunks.
    function listRoot(
        bool gloas,
        bytes32 leaf,
        bytes32[] calldata branch,
        uint256 levels,
        uint256 index
    ) internal view returns (bytes32) {
        if (gloas) {
            uint256 k = _subtree(index);
            // k times to the right, then to the left
            index = (((4 << k) - 2) << (2 * k)) + index - _firstOf(k);
        } else {
            require(index >> levels == 0, IBeaconProof.IndexOutsideBranch(index, levels));
        }
        return SSZ.branchRoot(leaf, branch, 0, levels, index);
    }

    /// @notice From the root over `levels` of a list's `depth` to its data; the rest of it is empty.
    function dataRoot(bool gloas, bytes32 root, uint256 levels, uint256 depth) internal view returns (bytes32) {
        return gloas || levels == depth ? root : SSZ.leftmostRoot(root, levels, depth);
    }

    /// @notice Where block_roots (field 5) has the root of `slot`, and how many levels down.
    function blockRootIndex(bool gloas, uint256 slot) internal pure returns (uint256 gindex, uint256 levels) {
        (gindex, levels) = gloas ? (352, 8) : (64 + 5, 6);
        return ((gindex << PERIOD_DEPTH) + (slot % PERIOD), levels + PERIOD_DEPTH);
    }

    /// @notice Where historical_summaries (field 27) leads to the root of `slot`: list, left child of the summary
    /// (block_summary_root), the vector of its period.
    function summaryIndex(
        bool gloas,
        uint256 slot,
        uint256 firstSlot
    ) internal pure returns (uint256 gindex, uint256 levels) {
        (gindex, levels) = gloas ? (2950 * 2, 12) : ((64 + 27) * 2, 7);
        gindex = (gindex << SUMMARIES_DEPTH) + (slot - firstSlot) / PERIOD;
        gindex = (gindex << (1 + PERIOD_DEPTH)) + (slot % PERIOD);
        levels += SUMMARIES_DEPTH + 1 + PERIOD_DEPTH;
    }

    /// @dev floor(log4(3 * index + 1))
    function _subtree(uint256 index) private pure returns (uint256) {
        return Math.log2(3 * index + 1) / 2;
    }

    /// @dev The first chunk of subtree `k`: as many chunks are in those before it.
    function _firstOf(uint256 k) private pure returns (uint256) {
        return ((1 << (2 * k)) - 1) / 3;
    }
}
