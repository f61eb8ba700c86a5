// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {IStakingPool} from "@estuary/contracts/pool/IStakingPool.sol";
import {IStakedEther} from "@estuary/contracts/token/IStakedEther.sol";
import {IWrappedStakedEther} from "@estuary/contracts/token/IWrappedStakedEther.sol";

/// @title Vault
/// @notice Holds people's staked ether as westETH. An example of an integration, not audited.
contract Vault {
    IStakedEther public immutable token;
    IWrappedStakedEther public immutable wrapped;
    mapping(address account => uint256) public balanceOf; // westETH wei

    error NotCalm(uint256 refTime);
    error InsufficientBalance(address account, uint256 wanted, uint256 balance);

    constructor(IStakedEther token_, IWrappedStakedEther wrapped_) {
        (token, wrapped) = (token_, wrapped_);
    }

    /// @notice Stakes msg.value for the caller. @return added westETH wei
    function deposit() external payable returns (uint256 added) {
        added = wrapped.stake{value: msg.value}(address(this), address(0));
        balanceOf[msg.sender] += added;
    }

    /// @notice Asks for `amount` wei of the caller's westETH back as ether. The request, an ERC-721 that is claimed at the withdrawal queue,
    /// is the caller's.
    function leave(uint256 amount) external returns (uint256 requestId) {
        uint256 balance = balanceOf[msg.sender];
        if (amount > balance) revert InsufficientBalance(msg.sender, amount, balance);
        balanceOf[msg.sender] = balance - amount;
        uint256[] memory amounts = new uint256[](1);
        amounts[0] = amount;
        return wrapped.requestWithdrawals(amounts, msg.sender)[0];
    }

    /// @notice Wei of ether that the account's westETH stands for; for whoever lends against it. Reverts with NotCalm while a loss may be
    /// known that the rate does not show.
    function worth(address account) external view returns (uint256) {
        // asked for each time: governance may replace the pool
        (bool isCalm, uint256 refTime) = IStakingPool(token.pool()).calm();
        if (!isCalm) revert NotCalm(refTime);
        return wrapped.convertToAssets(balanceOf[account]);
    }
}
