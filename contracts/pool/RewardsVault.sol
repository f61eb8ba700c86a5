// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EtherVault} from "../shared/EtherVault.sol";
import {IStakedEther} from "../token/IStakedEther.sol";

/// @title RewardsVault
/// @notice The fee recipient of every validator: priority fees and block rewards of the execution layer.
contract RewardsVault is EtherVault {
    constructor(IStakedEther token_) EtherVault(token_) {}
}
