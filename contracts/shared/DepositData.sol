// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDepositContract} from "../external/IDepositContract.sol";
import {SSZ} from "./SSZ.sol";

/// @title DepositData
/// @notice Calls of the deposit contract for many keys: everything stays in place but what differs.
/// @dev In the call data all lengths are fixed, so an offset is a constant: selector, four words of head, then three times
/// a length and padded bytes. Offsets below count from the start of the `bytes` in memory, its length word included.
library DepositData {
    /// @dev Bytes of a BLS signature.
    uint256 internal constant SIGNATURE_LENGTH = 96;
    /// @dev 4 + 4 * 32 of head, then 32 + 64 of key, 32 + 32 of credentials, 32 + 96 of signature.
    uint256 private constant CALL_LENGTH = 0x1a4;
    uint256 private constant ROOT_OFFSET = 0x84;
    uint256 private constant PUBKEY_OFFSET = 0xc4;
    uint256 private constant SIGNATURE_OFFSET = 0x164;

    /// @dev Root of (amount, signature) for 31 ETH and a signature of 96 zero bytes.
    bytes32 private constant TOP_UP_NODE = 0x69554146b1e7a621b350150353f36347932a3a9436d1b42c729dbaf0428fd750;

    /// @notice A BLS signature has 96 bytes.
    error BadSignatureLength(uint256 length);

    /// @notice A call with these credentials; public key, signature and root are zeros still.
    function template(bytes32 credentials) internal pure returns (bytes memory data) {
        bytes4 selector = IDepositContract.deposit.selector;
        assembly ("memory-safe") {
            data := mload(0x40)
            mstore(0x40, add(data, 0x1e0))
            calldatacopy(data, calldatasize(), 0x1e0) // zeros
            mstore(data, CALL_LENGTH)
            mstore(add(data, 0x20), selector)
            // where the three lengths are, from the head on
            mstore(add(data, 0x24), 0x80)
            mstore(add(data, 0x44), 0xe0)
            mstore(add(data, 0x64), 0x120)
            mstore(add(data, 0xa4), 48)
            mstore(add(data, 0x104), 32)
            mstore(add(data, 0x124), credentials)
            mstore(add(data, 0x144), SIGNATURE_LENGTH)
        }
    }

    /// @notice Sets the public key, whose length was checked, and the deposit data root.
    function setKey(bytes memory data, bytes calldata pubkey, bytes32 root) internal pure {
        assembly ("memory-safe") {
            calldatacopy(add(data, PUBKEY_OFFSET), pubkey.offset, 48)
            mstore(add(data, ROOT_OFFSET), root)
        }
    }

    /// @notice Sets the public key, whose length is checked, and the root of a top-up: 31 ETH and a signature of zeros.
    function setTopUp(bytes memory data, bytes calldata pubkey, bytes32 credentials) internal view {
        setKey(data, pubkey, topUpRoot(SSZ.pubkeyRoot(pubkey), credentials));
    }

    /// @notice Sets the signature, of which only the length is checked: the deposit contract checks that the root
    /// covers it, the consensus layer that the key made it.
    function setSignature(bytes memory data, bytes calldata signature) internal pure {
        require(signature.length == SIGNATURE_LENGTH, BadSignatureLength(signature.length));
        assembly ("memory-safe") {
            calldatacopy(add(data, SIGNATURE_OFFSET), signature.offset, 96)
        }
    }

    /// @notice Calls the deposit contract, which has code; passes on its reason if it refuses.
    function callWith(bytes memory data, address depositContract, uint256 amount) internal {
        assembly ("memory-safe") {
            if iszero(call(gas(), depositContract, amount, add(data, 0x20), mload(data), 0x00, 0x00)) {
                let reason := mload(0x40)
                returndatacopy(reason, 0x00, returndatasize())
                revert(reason, returndatasize())
            }
        }
    }

    /// @notice Deposit data root of a top-up: 31 ETH, signed with zeros (no signature is checked for a known key).
    /// consensus-specs, phase0/beacon-chain.md#depositdata
    function topUpRoot(bytes32 keyRoot, bytes32 credentials) internal view returns (bytes32) {
        return SSZ.hash(SSZ.hash(keyRoot, credentials), TOP_UP_NODE);
    }
}
