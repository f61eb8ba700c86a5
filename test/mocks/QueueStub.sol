// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A withdrawal queue that knows only since when its oldest round waits.
contract QueueStub {
    uint256 public oldestRoundEnd;

    function setOldestRoundEnd(uint256 timestamp) external {
        oldestRoundEnd = timestamp;
    }
}
