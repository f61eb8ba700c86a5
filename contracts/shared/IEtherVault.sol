// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IEtherVault
/// @notice A vault whose ether only the pool can take, and only into the pool.
interface IEtherVault {
    error OnlyPool(address caller, address pool);

    /// @notice Pool only: sends `amount` wei to `token.pool()` through receiveFromVault.
    function sweep(uint256 amount) external;
}

/// @notice What a vault needs to know of the token.
interface IPointsToPool {
    function pool() external view returns (address);
}

/// @notice What a vault needs to know of the pool.
interface ITakesEther {
    function receiveFromVault() external payable;
}
