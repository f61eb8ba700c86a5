// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Peers
/// @notice A registry is not upgraded to code that names another peer: bonds, keys and ether stay with those they came from.
library Peers {
    /// @notice The code names another `peer` than the one before. Addresses are padded to words.
    error PeerChanged(string peer, bytes32 named, bytes32 current);

    /// @dev As below, of addresses.
    function requireSame(string memory peer, address named, address current) internal pure {
        requireSame(peer, bytes32(uint256(uint160(named))), bytes32(uint256(uint160(current))));
    }

    /// @dev Reverts with PeerChanged unless new code names what the current one does.
    function requireSame(string memory peer, bytes32 named, bytes32 current) internal pure {
        require(named == current, PeerChanged(peer, named, current));
    }
}
