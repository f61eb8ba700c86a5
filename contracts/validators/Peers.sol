// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Peers
/// @notice A registry is not upgraded to code that names another peer: bonds, keys and ether stay with those they came from.
library Peers {
    error PeerChanged(string peer, bytes32 named, bytes32 current);

    function requireSame(string memory peer, address named, address current) internal pure {
        requireSame(peer, bytes32(uint256(uint160(named))), bytes32(uint256(uint160(current))));
    }

    function requireSame(string memory peer, bytes32 named, bytes32 current) internal pure {
        require(named == current, PeerChanged(peer, named, current));
    }
}
