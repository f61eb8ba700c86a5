// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IStakedEther} from "../../contracts/token/IStakedEther.sol";
import {IStakingPool} from "../../contracts/pool/IStakingPool.sol";
import {IWithdrawalQueue} from "../../contracts/withdrawals/IWithdrawalQueue.sol";

/// @notice Every book of token, pool and queue in one call.
contract LedgerLens {
    struct View {
        uint256 totalEther;
        uint256 totalShares;
        uint256 rate;
        uint256[] shares;
        uint256[] balances;
        IStakingPool.Books books;
        uint256 etherAtValidators;
        uint256 buffer;
        uint256 promised;
        uint256 depositable;
        uint256 exitDemand;
        uint256 time; // of this look, unix seconds
        bool isCalm;
        uint256 refTime; // as calm() says
        uint256 wrapped; // all westETH
        uint256 wrappedSum; // of the accounts
        uint256 unfinalisedShares;
        uint256 oldestRoundEnd;
        uint256 lastRequestId;
        uint256 lastFinalizedId;
        uint256[] claimable;
        uint256 poolEther;
        uint256 queueEther;
    }

    /// @param asked for exitDemand
    /// @param firstId requests from here on are looked at
    function read(
        IStakedEther token,
        IERC20 wrapped,
        address[] calldata accounts,
        uint256 asked,
        uint256 firstId
    ) external view returns (View memory v) {
        IStakingPool pool = IStakingPool(token.pool());
        IWithdrawalQueue queue = IWithdrawalQueue(token.queue());
        (v.totalEther, v.totalShares) = token.totals();
        v.rate = token.rate();
        v.shares = new uint256[](accounts.length);
        v.balances = new uint256[](accounts.length);
        for (uint256 i; i < accounts.length; ++i) {
            v.shares[i] = token.sharesOf(accounts[i]);
            v.balances[i] = token.balanceOf(accounts[i]);
            v.wrappedSum += wrapped.balanceOf(accounts[i]);
        }
        v.wrapped = wrapped.totalSupply();
        v.books = pool.books();
        v.etherAtValidators = pool.etherAtValidators();
        v.buffer = pool.buffer();
        v.promised = pool.promised();
        v.depositable = pool.depositable();
        v.exitDemand = pool.exitDemand(asked);
        v.time = block.timestamp;
        (v.isCalm, v.refTime) = pool.calm();
        v.unfinalisedShares = queue.unfinalisedShares();
        v.oldestRoundEnd = queue.oldestRoundEnd();
        v.lastRequestId = queue.lastRequestId();
        v.lastFinalizedId = queue.lastFinalizedId();
        uint256[] memory ids = new uint256[](v.lastRequestId < firstId ? 0 : v.lastRequestId - firstId + 1);
        for (uint256 i; i < ids.length; ++i) ids[i] = firstId + i;
        v.claimable = queue.getClaimableEther(ids);
        v.poolEther = address(pool).balance;
        v.queueEther = address(queue).balance;
    }
}
