// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IWithdrawalQueue} from "../../contracts/withdrawals/IWithdrawalQueue.sol";

/// @notice Holds requests and claims them; what it does with the ether is set by the test.
contract Claimer {
    enum Habit {
        Accept,
        Refuse,
        ClaimAgain,
        ClaimOther
    }

    IWithdrawalQueue private immutable _queue;
    Habit private _habit;
    uint256 private _id;
    uint256 public received; // payments
    bytes4 public refusal; // of the queue, to the claim from within a payment

    error Refused();

    constructor(IWithdrawalQueue queue_) {
        _queue = queue_;
    }

    receive() external payable {
        _receive();
    }

    function setHabit(Habit habit, uint256 id) external {
        (_habit, _id) = (habit, id);
    }

    function claim(uint256 id) external {
        _queue.claimWithdrawal(id);
    }

    function claimTo(uint256 id, address receiver) external {
        uint256[] memory ids = new uint256[](1);
        ids[0] = id;
        _queue.claimWithdrawals(ids, new uint256[](0), receiver);
    }

    function _receive() private {
        require(_habit != Habit.Refuse, Refused());
        ++received;
        if (_habit == Habit.Accept) return;
        uint256 id = _id;
        if (_habit == Habit.ClaimOther) _habit = Habit.Accept;
        try _queue.claimWithdrawal(id) {} catch (bytes memory reason) {
            refusal = bytes4(reason);
        }
    }
}
