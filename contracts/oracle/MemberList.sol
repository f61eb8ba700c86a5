// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title MemberList
/// @notice A contract whose code is a list of addresses (ABI-encoded): reading all of them costs one access. The encoding
/// starts with a zero byte, STOP: a call does nothing.
contract MemberList {
    /// @param list ascending, without duplicates: Committee sees to it
    constructor(address[] memory list) {
        bytes memory encoded = abi.encode(list);
        assembly ("memory-safe") {
            return(add(encoded, 32), mload(encoded))
        }
    }
}
