// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title SSZ
/// @notice The few hash tree roots this protocol needs (consensus-specs, ssz/simple-serialize.md).
/// @dev The assembly writes to the scratch space 0x00-0x3f, or in place. The SHA-256 precompile fails only when it gets less
/// than its 84 gas; what is left to the caller then pays for no further instruction, so its answer needs no check.
library SSZ {
    /// @dev Bytes of a BLS public key.
    uint256 internal constant PUBKEY_LENGTH = 48;

    /// @notice A BLS public key has 48 bytes.
    error BadPubkeyLength(uint256 length);

    /// @notice SHA-256 of two words.
    function hash(bytes32 left, bytes32 right) internal view returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            pop(staticcall(gas(), 0x02, 0x00, 0x40, 0x00, 0x20))
            result := mload(0x00)
        }
    }

    /// @notice Root of eight leaves, which it overwrites.
    /// @dev Four pairs, then two, then one: each hash goes where leaves are that were read already.
    function merkleize(bytes32[8] memory leaves) internal view returns (bytes32 root) {
        assembly ("memory-safe") {
            pop(staticcall(gas(), 0x02, leaves, 0x40, leaves, 0x20))
            pop(staticcall(gas(), 0x02, add(leaves, 0x40), 0x40, add(leaves, 0x20), 0x20))
            pop(staticcall(gas(), 0x02, add(leaves, 0x80), 0x40, add(leaves, 0x40), 0x20))
            pop(staticcall(gas(), 0x02, add(leaves, 0xc0), 0x40, add(leaves, 0x60), 0x20))
            pop(staticcall(gas(), 0x02, leaves, 0x40, leaves, 0x20))
            pop(staticcall(gas(), 0x02, add(leaves, 0x40), 0x40, add(leaves, 0x20), 0x20))
            pop(staticcall(gas(), 0x02, leaves, 0x40, leaves, 0x20))
            root := mload(leaves)
        }
    }

    /// @notice The root to which `node` at generalised index `gindex` and siblings `branch[start:end]` lead.
    /// @dev The lowest bit of the index says on which side the node is; each level up drops it.
    function branchRoot(
        bytes32 node,
        bytes32[] calldata branch,
        uint256 start,
        uint256 end,
        uint256 gindex
    ) internal view returns (bytes32 root) {
        assembly ("memory-safe") {
            let last := add(branch.offset, shl(5, end))
            // 0x20 for an odd index: it is a right child
            let indices := shl(5, gindex)
            let side := and(indices, 0x20)
            mstore(side, node)
            for {
                let sibling := add(branch.offset, shl(5, start))
            } lt(sibling, last) {
                sibling := add(sibling, 0x20)
            } {
                mstore(xor(side, 0x20), calldataload(sibling))
                indices := shr(1, indices)
                side := and(indices, 0x20)
                pop(staticcall(gas(), 0x02, 0x00, 0x40, side, 0x20))
            }
            root := mload(side)
        }
    }

    /// @notice The root to which `node` leads as a left child at each level in [start, end), with empty siblings.
    /// @dev Levels count from the leaves. It is for the unused top of a list: what is right of the node is all empty.
    function leftmostRoot(bytes32 node, uint256 start, uint256 end) internal view returns (bytes32 root) {
        bytes memory empty = EMPTY;
        assembly ("memory-safe") {
            // each node replaces the sibling below it, which was hashed already: it is then left of its own
            let at := add(empty, shl(5, start))
            let last := add(empty, shl(5, end))
            mstore(at, node)
            if and(sub(last, at), 0x20) {
                pop(staticcall(gas(), 0x02, at, 0x40, add(at, 0x20), 0x20))
                at := add(at, 0x20)
            }
            // two levels at a time
            for {} lt(at, last) {} {
                let next := add(at, 0x20)
                pop(staticcall(gas(), 0x02, at, 0x40, next, 0x20))
                at := add(at, 0x40)
                pop(staticcall(gas(), 0x02, next, 0x40, at, 0x20))
            }
            root := mload(at)
        }
    }

    /// @notice A uint64 as a leaf: little-endian, padded with zeros.
    function leafOf(uint64 value) internal pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            let v := and(value, 0xffffffffffffffff)
            v := or(and(shr(8, v), 0x00ff00ff00ff00ff), shl(8, and(v, 0x00ff00ff00ff00ff)))
            v := or(and(shr(16, v), 0x0000ffff0000ffff), shl(16, and(v, 0x0000ffff0000ffff)))
            leaf := or(shl(224, v), shl(192, shr(32, v)))
        }
    }

    /// @notice The uint64 at `position` (0 to 3) of a leaf that packs four.
    function uint64At(bytes32 leaf, uint256 position) internal pure returns (uint64) {
        return uint64(bytes8(leafOf(uint64(uint256(leaf) >> (192 - 64 * position)))));
    }

    /// @notice Root of a 48-byte public key, padded with 16 zero bytes: the identity of a validator everywhere in this
    /// protocol.
    function pubkeyRoot(bytes calldata pubkey) internal view returns (bytes32) {
        require(pubkey.length == PUBKEY_LENGTH, BadPubkeyLength(pubkey.length));
        bytes32 first;
        bytes32 second;
        assembly ("memory-safe") {
            first := calldataload(pubkey.offset)
            // what follows the key in the call data is no part of it
            second := and(calldataload(add(pubkey.offset, 0x20)), shl(128, not(0)))
        }
        return hash(first, second);
    }

    /// @dev Roots of empty subtrees of depth 0 to 39: each is the hash of the one before with itself.
    bytes private constant EMPTY =
        hex"0000000000000000000000000000000000000000000000000000000000000000"
        hex"f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"
        hex"db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71"
        hex"c78009fdf07fc56a11f122370658a353aaa542ed63e44c4bc15ff4cd105ab33c"
        hex"536d98837f2dd165a55d5eeae91485954472d56f246df256bf3cae19352a123c"
        hex"9efde052aa15429fae05bad4d0b1d7c64da64d03d7a1854a588c2cb8430c0d30"
        hex"d88ddfeed400a8755596b21942c1497e114c302e6118290f91e6772976041fa1"
        hex"87eb0ddba57e35f6d286673802a4af5975e22506c7cf4c64bb6be5ee11527f2c"
        hex"26846476fd5fc54a5d43385167c95144f2643f533cc85bb9d16b782f8d7db193"
        hex"506d86582d252405b840018792cad2bf1259f1ef5aa5f887e13cb2f0094f51e1"
        hex"ffff0ad7e659772f9534c195c815efc4014ef1e1daed4404c06385d11192e92b"
        hex"6cf04127db05441cd833107a52be852868890e4317e6a02ab47683aa75964220"
        hex"b7d05f875f140027ef5118a2247bbb84ce8f2f0f1123623085daf7960c329f5f"
        hex"df6af5f5bbdb6be9ef8aa618e4bf8073960867171e29676f8b284dea6a08a85e"
        hex"b58d900f5e182e3c50ef74969ea16c7726c549757cc23523c369587da7293784"
        hex"d49a7502ffcfb0340b1d7885688500ca308161a7f96b62df9d083b71fcc8f2bb"
        hex"8fe6b1689256c0d385f42f5bbe2027a22c1996e110ba97c171d3e5948de92beb"
        hex"8d0d63c39ebade8509e0ae3c9c3876fb5fa112be18f905ecacfecb92057603ab"
        hex"95eec8b2e541cad4e91de38385f2e046619f54496c2382cb6cacd5b98c26f5a4"
        hex"f893e908917775b62bff23294dbbe3a1cd8e6cc1c35b4801887b646a6f81f17f"
        hex"cddba7b592e3133393c16194fac7431abf2f5485ed711db282183c819e08ebaa"
        hex"8a8d7fe3af8caa085a7639a832001457dfb9128a8061142ad0335629ff23ff9c"
        hex"feb3c337d7a51a6fbf00b9e34c52e1c9195c969bd4e7a0bfd51d5c5bed9c1167"
        hex"e71f0aa83cc32edfbefa9f4d3e0174ca85182eec9f3a09f6a6c0df6377a510d7"
        hex"31206fa80a50bb6abe29085058f16212212a60eec8f049fecb92d8c8e0a84bc0"
        hex"21352bfecbeddde993839f614c3dac0a3ee37543f9b412b16199dc158e23b544"
        hex"619e312724bb6d7c3153ed9de791d764a366b389af13c58bf8a8d90481a46765"
        hex"7cdd2986268250628d0c10e385c58c6191e6fbe05191bcc04f133f2cea72c1c4"
        hex"848930bd7ba8cac54661072113fb278869e07bb8587f91392933374d017bcbe1"
        hex"8869ff2c22b28cc10510d9853292803328be4fb0e80495e8bb8d271f5b889636"
        hex"b5fe28e79f1b850f8658246ce9b6a1e7b49fc06db7143e8fe0b4f2b0c5523a5c"
        hex"985e929f70af28d0bdd1a90a808f977f597c7c778c489e98d3bd8910d31ac0f7"
        hex"c6f67e02e6e4e1bdefb994c6098953f34636ba2b6ca20a4721d2b26a886722ff"
        hex"1c9a7e5ff1cf48b4ad1582d3f4e4a1004f3b20d8c5a2b71387a4254ad933ebc5"
        hex"2f075ae229646b6f6aed19a5e372cf295081401eb893ff599b3f9acc0c0d3e7d"
        hex"328921deb59612076801e8cd61592107b5c67c79b846595cc6320c395b46362c"
        hex"bfb909fdb236ad2411b4e4883810a074b840464689986c3f8a8091827e17c327"
        hex"55d8fb3687ba3ba49f342c77f5a1f89bec83d811446e1a467139213d640b6a74"
        hex"f7210d4f8e7e1039790e7bf4efa207555a10a6db1dd4b95da313aaa88b88fe76"
        hex"ad21b516cbc645ffe34ab5de1c8aef8cd4e7f8d2b51e8e1456adc7563cda206f";
}
