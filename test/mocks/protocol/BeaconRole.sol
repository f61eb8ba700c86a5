// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ProtocolWorld} from "./ProtocolWorld.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice The beacon chain as a whole, and time.
abstract contract BeaconRole is ProtocolWorld {
    function earn(uint256 amount, uint256 tips, uint256 size) external keepsRate keepsShares {
        uint256 most = size % 9 == 0 ? _beacon.cl : _beacon.cl / 3_000;
        _beacon.cl += bound(amount, 0, most);
        _give(address(_c.rewardsVault), bound(tips, 0, 0.1 ether + most / 3));
    }

    function lose(uint256 amount, uint256 depth) external keepsRate keepsShares {
        uint256 most =
            depth % 8 == 0
                ? _beacon.cl / 2
                : depth % 2 == 0
                    ? _beacon.cl / 100
                    : _beacon.cl / 5_000;
        _beacon.cl -= bound(amount, 0, most);
    }

    function sweep(uint256 amount, bool exits) external keepsRate keepsShares {
        amount = bound(amount, 0, exits ? _beacon.cl : _beacon.cl / 1_000);
        _beacon.cl -= amount;
        _give(address(_c.withdrawalVault), amount);
    }

    function wait(uint256 time) external keepsRate keepsShares {
        vm.warp(block.timestamp + bound(time, 1, 12 hours));
    }

    // --- internal ---

    function _nextReference(uint256 frames) internal view returns (uint256 refTime) {
        refTime = START + ((block.timestamp - START) / FRAME + frames) * FRAME;
    }
}
