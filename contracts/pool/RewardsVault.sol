// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EtherVault} from "../shared/EtherVault.sol";
import {IPointsToPool} from "../shared/IEtherVault.sol";

/// @title RewardsVault
/// @notice The fee recipient of every validator: priority fees and block rewards of the execution layer.
contract RewardsVault is EtherVault {
    /// @param token_ names the live pool, which alone may take the ether
    constructor(IPointsToPool token_) EtherVault(token_) {}
}
