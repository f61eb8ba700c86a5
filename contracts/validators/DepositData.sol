// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SSZ} from "./SSZ.sol";

/// @title DepositData
/// @notice The root that the deposit contract checks (consensus-specs, phase0/beacon-chain.md#depositdata).
library DepositData {
    uint256 internal constant SIGNATURE_LENGTH = 96;

    /// @dev Root of (amount, signature) for 31 ETH and a signature of 96 zero bytes.
    bytes32 private constant TOP_UP_NODE = 0x69554146b1e7a621b350150353f36347932a3a9436d1b42c729dbaf0428fd750;

    /// @notice Deposit data root of a top-up: 31 ETH, signed with zeros (no signature is checked for a known key).
    function topUpRoot(bytes32 keyRoot, bytes32 credentials) internal view returns (bytes32) {
        return SSZ.hash(SSZ.hash(keyRoot, credentials), TOP_UP_NODE);
    }
}
