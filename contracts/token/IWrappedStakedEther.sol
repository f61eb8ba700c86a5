// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

/// @title IWrappedStakedEther (westETH)
/// @notice Non-rebasing estETH: one westETH wei is 1e9 shares, for ever. ERC-4626 over estETH (EIP-4626), ERC-2612.
interface IWrappedStakedEther is IERC4626 {
    /// @notice Less than one westETH wei, that is 1e9 shares: nothing to move.
    error ZeroAmount();
    /// @notice The queue was asked to pay a claim to this contract.
    error StakesForQueue();
    /// @notice After a stake this contract holds `shares`, fewer than 1e9 for each wei of `supply`.
    error NotBacked(uint256 shares, uint256 supply);
    /// @notice `owner` has westETH worth `maximum` wei, rounded down, less than `assets`.
    error ExceedsMaxWithdraw(address owner, uint256 assets, uint256 maximum);
    /// @notice `owner` has `maximum` westETH wei, fewer than `wrapped`.
    error ExceedsMaxRedeem(address owner, uint256 wrapped, uint256 maximum);

    /// @notice Stakes msg.value and wraps it for `receiver`. @return wrapped westETH wei, rounded down
    function stake(address receiver, address referral) external payable returns (uint256 wrapped);
    /// @notice Wraps `amount` wei of the caller's estETH (needs allowance). @return wrapped westETH wei, rounded down
    function wrap(uint256 amount) external returns (uint256 wrapped);
    /// @notice As wrap, with a permit over `amount`; a permit that was already used is no obstacle.
    function wrapWithPermit(
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 wrapped);
    /// @notice Unwraps to exactly 1e9 shares a wei. @return amount the wei of estETH they show, rounded down
    function unwrap(uint256 wrapped) external returns (uint256 amount);
    /// @notice Requests withdrawals of westETH; needs no approval. See IWithdrawalQueue.requestWithdrawals.
    function requestWithdrawals(uint256[] calldata wrapped, address owner) external returns (uint256[] memory ids);

    /// @notice Wei of estETH for 1e18 westETH, rounded down (Balancer's rate provider name).
    function getRate() external view returns (uint256);
    /// @notice As getRate, by wstETH's name.
    function stEthPerToken() external view returns (uint256);
    /// @notice westETH wei for 1e18 wei of estETH, rounded down.
    function tokensPerStEth() external view returns (uint256);
    /// @notice Wei of estETH for `wrapped` westETH wei, rounded down.
    function getStETHByWstETH(uint256 wrapped) external view returns (uint256);
    /// @notice westETH wei for `amount` wei of estETH, rounded down. Wrapping a whole balance may give a unit less.
    function getWstETHByStETH(uint256 amount) external view returns (uint256);
}
