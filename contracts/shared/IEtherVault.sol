// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

/// @title IEtherVault
/// @notice A vault whose ether only the pool can take, and only into the pool.
interface IEtherVault {
    /// @notice Only the live pool sweeps.
    error OnlyPool(address caller, address pool);

    /// @notice Pool only: sends `amount` wei to `token.pool()` through receiveFromVault.
    function sweep(uint256 amount) external;
}

/// @notice What a vault needs to know of the token.
interface IPointsToPool {
    /// @notice The pool that the token follows now.
    function pool() external view returns (address);
}

/// @notice What a vault needs to know of the pool.
interface ITakesEther {
    /// @notice Takes the ether of a sweep, in the transaction of the report that asked for it.
    function receiveFromVault() external payable;
}
