// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IEtherVault, IPointsToPool, ITakesEther} from "./IEtherVault.sol";

/// @title EtherVault
/// @notice Holds ether that arrives from outside (no books: reports say how much) until a report takes it into the pool.
abstract contract EtherVault is IEtherVault {
    /// @notice Names the live pool. The vault is never replaced: it is in credentials, or a fee recipient.
    IPointsToPool public immutable token;

    constructor(IPointsToPool token_) {
        token = token_;
    }

    /// @notice Anyone's ether is income of the next report. What the consensus layer credits runs no code (EIP-4895).
    receive() external payable {}

    /// @inheritdoc IEtherVault
    function sweep(uint256 amount) external override {
        address pool = token.pool();
        require(msg.sender == pool, OnlyPool(msg.sender, pool));
        ITakesEther(pool).receiveFromVault{value: amount}();
    }
}
