// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ProtocolHandler} from "./protocol/ProtocolHandler.sol";
import {WithdrawalQueue} from "../../contracts/withdrawals/WithdrawalQueue.sol";

/// @notice A staker that uses every payment to claim once more, and to do something else besides.
contract ReentrantStaker {
    ProtocolHandler private immutable _handler;
    WithdrawalQueue private immutable _queue;
    bool private _inside;

    error PaidTwice(uint256 id);

    constructor(ProtocolHandler handler, WithdrawalQueue queue) {
        _handler = handler;
        _queue = queue;
    }

    receive() external payable {
        if (!_inside && msg.sender == address(_queue)) _reenter(msg.value);
    }

    function _reenter(uint256 paidNow) private {
        _inside = true;
        uint256 last = _queue.lastFinalizedId();
        for (uint256 id = last > 3 ? last - 3 : 1; id <= last; ++id) {
            uint256[] memory ids = new uint256[](1);
            ids[0] = id;
            if (_queue.getWithdrawalStatus(ids)[0].owner == address(this)) continue; // not claimed yet, and ours
            (bool paid, ) = address(_queue).call(abi.encodeCall(_queue.claimWithdrawal, (id)));
            require(!paid, PaidTwice(id));
        }
        _handler.reenter(uint256(keccak256(abi.encode(paidNow, last))));
        _inside = false;
    }
}
