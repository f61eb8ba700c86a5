// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {OperatorRegistry} from "../../contracts/validators/OperatorRegistry.sol";
import {StakingPool} from "../../contracts/pool/StakingPool.sol";
import {SSZ} from "../../contracts/shared/SSZ.sol";

/// @notice Stands in for the validator registry: the same calls to pool and operator registry in the same order, without
/// keys and proofs (BLS and SSZ proofs can't be made in Solidity).
contract ValidatorRegistryMock {
    OperatorRegistry public operators;
    StakingPool public pool;

    function bind(OperatorRegistry operators_, StakingPool pool_) external {
        (operators, pool) = (operators_, pool_);
    }

    function onTierSet(uint256, uint16, uint16) external {}

    function prove(uint256 operatorId) external {
        operators.onProven(operatorId);
    }

    function drop(uint256 operatorId) external {
        operators.onDropped(operatorId);
    }

    /// @notice One validator for each entry; equal neighbours are credited in one call, the remainder to the first.
    function fund(uint256[] calldata operatorIds) external returns (uint256 bondShares) {
        uint256 count = operatorIds.length;
        bondShares = pool.fundValidators(new bytes(count * SSZ.PUBKEY_LENGTH));
        uint256 each = bondShares / count;
        uint256 remainder = bondShares % count;
        for (uint256 i; i < count;) {
            uint256 run;
            uint256 operatorId = operatorIds[i];
            while (i < count && operatorIds[i] == operatorId) (++i, ++run);
            operators.onFunded(operatorId, run, each * run + remainder);
            remainder = 0;
        }
    }

    function stopWeight(uint256 operatorId) external {
        operators.onWeightStopped(operatorId);
    }

    function withdrawn(uint256 operatorId, uint256 shortfall) external {
        operators.onWithdrawn(operatorId, shortfall);
    }

    function slashed(uint256 operatorId, uint256 slotTime) external {
        operators.onSlashed(operatorId);
        pool.noteSlashing(slotTime);
    }
}
