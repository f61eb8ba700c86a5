// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStakedEther} from "../../contracts/token/IStakedEther.sol";
import {IStakingPool} from "../../contracts/pool/IStakingPool.sol";
import {IWithdrawalQueue} from "../../contracts/withdrawals/IWithdrawalQueue.sol";

/// @notice A successor pool that neither mints what it says nor pays what it owes, as the test sets.
contract FaithlessPool {
    IStakedEther private immutable _token;
    IWithdrawalQueue private immutable _queue;
    uint256 private _answer; // shares
    uint256 private _pays; // wei

    error NotTaken();

    constructor(IStakedEther token_) {
        _token = token_;
        _queue = IWithdrawalQueue(token_.queue());
    }

    function takeOver(IStakingPool.Books calldata) external payable {}

    /// @notice What it says it minted, whatever it did.
    function setAnswer(uint256 shares) external {
        _answer = shares;
    }

    /// @notice What it pays, whatever it is asked for.
    function setPays(uint256 amount) external {
        _pays = amount;
    }

    function deposit(address receiver, address) external payable returns (uint256) {
        _token.mint(receiver, msg.value);
        return _answer;
    }

    function settleReport(uint256 nextCutoff, uint256 maxRate, uint256 cutoff, uint256 available) external {
        _queue.settleReport(nextCutoff, maxRate, cutoff, available);
    }

    function finalise(uint256 maxRate, uint256 cutoff, uint256 available) external {
        _queue.finalise(maxRate, cutoff, available);
    }

    function payQueue(uint256) external {
        (bool sent, ) = msg.sender.call{value: _pays}("");
        require(sent, NotTaken());
    }
}
