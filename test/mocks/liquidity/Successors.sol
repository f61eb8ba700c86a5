// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PoolBooks} from "../../../contracts/pool/PoolBooks.sol";
import {StakingPool} from "../../../contracts/pool/StakingPool.sol";

/// @notice Deploys pools of the same code with the peers and the policy of another: their creation code is kept out of the handler.
contract Successors {
    function deploy(StakingPool old) external returns (StakingPool) {
        return
            new StakingPool(
                old.authority(),
                PoolBooks.Peers({
                    token: old.token(),
                    withdrawalVault: old.withdrawalVault(),
                    rewardsVault: old.rewardsVault(),
                    operators: old.operators(),
                    validators: old.validators(),
                    oracle: old.oracle(),
                    depositContract: old.depositContract(),
                    predecessor: address(old)
                }),
                old.policy()
            );
    }
}
