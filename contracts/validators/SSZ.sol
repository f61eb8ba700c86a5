// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBeaconProof} from "./IBeaconProof.sol";

/// @title SSZ
/// @notice The few hash tree roots this protocol needs (consensus-specs, ssz/simple-serialize.md).
/// @dev Both assembly blocks use only the scratch space 0x00-0x3f. The SHA-256 precompile fails only out of gas.
library SSZ {
    uint256 internal constant PUBKEY_LENGTH = 48;

    error BadPubkeyLength(uint256 length);

    /// @dev SHA-256 of 64 zero bytes: the root of two empty leaves.
    bytes32 private constant ZERO_1 = 0xf5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b;

    /// @notice SHA-256 of two words.
    function hash(bytes32 left, bytes32 right) internal view returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            if iszero(staticcall(gas(), 0x02, 0x00, 0x40, 0x00, 0x20)) { revert(0x00, 0x00) }
            result := mload(0x00)
        }
    }

    /// @notice The root that `leaf` at generalised index `gindex` and its `branch` lead to. The caller checks that the
    /// branch has as many nodes as the index has levels.
    function branchRoot(bytes32 leaf, bytes32[] calldata branch, uint256 gindex) internal view returns (bytes32 root) {
        assembly ("memory-safe") {
            root := leaf
            let end := add(branch.offset, shl(5, branch.length))
            for { let node := branch.offset } lt(node, end) { node := add(node, 0x20) } {
                let side := shl(5, and(gindex, 1)) // an odd index is a right child
                mstore(side, root)
                mstore(xor(side, 0x20), calldataload(node))
                if iszero(staticcall(gas(), 0x02, 0x00, 0x40, 0x00, 0x20)) { revert(0x00, 0x00) }
                root := mload(0x00)
                gindex := shr(1, gindex)
            }
        }
    }

    /// @notice A uint64 as a leaf: little-endian, padded with zeros.
    function leafOf(uint64 value) internal pure returns (bytes32) {
        uint256 v = value;
        v = ((v & 0xff00ff00ff00ff00) >> 8) | ((v & 0x00ff00ff00ff00ff) << 8);
        v = ((v & 0xffff0000ffff0000) >> 16) | ((v & 0x0000ffff0000ffff) << 16);
        v = (v >> 32) | ((v & 0xffffffff) << 32);
        return bytes32(v << 192);
    }

    /// @notice The uint64 at `position` (0 to 3) of a leaf that packs four.
    function uint64At(bytes32 leaf, uint256 position) internal pure returns (uint64) {
        return uint64(bytes8(leafOf(uint64(uint256(leaf) >> (192 - 64 * position)))));
    }

    /// @notice Root of a 48-byte public key, padded with 16 zero bytes: the identity of a validator everywhere in this protocol.
    function pubkeyRoot(bytes calldata pubkey) internal view returns (bytes32) {
        require(pubkey.length == PUBKEY_LENGTH, BadPubkeyLength(pubkey.length));
        return hash(bytes32(pubkey[0:32]), bytes32(bytes16(pubkey[32:48])));
    }

    function validatorRoot(IBeaconProof.Validator calldata v) internal view returns (bytes32) {
        bytes32 identity = hash(v.pubkeyRoot, v.withdrawalCredentials);
        bytes32 stake = hash(leafOf(v.effectiveBalanceGwei), leafOf(v.slashed ? 1 : 0));
        bytes32 start = hash(leafOf(v.activationEligibilityEpoch), leafOf(v.activationEpoch));
        bytes32 end = hash(leafOf(v.exitEpoch), leafOf(v.withdrawableEpoch));
        return hash(hash(identity, stake), hash(start, end));
    }

    function headerRoot(IBeaconProof.BeaconHeader calldata h) internal view returns (bytes32) {
        bytes32 place = hash(leafOf(h.slot), leafOf(h.proposerIndex));
        bytes32 roots = hash(h.parentRoot, h.stateRoot);
        bytes32 body = hash(h.bodyRoot, bytes32(0));
        return hash(hash(place, roots), hash(body, ZERO_1));
    }
}
