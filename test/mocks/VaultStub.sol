// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A withdrawal vault that shows what it was asked.
contract VaultStub {
    event Asked(bytes[] pubkeys, address refundTo, uint256 value);

    function requestExits(bytes[] calldata pubkeys, address refundTo) external payable {
        emit Asked(pubkeys, refundTo, msg.value);
    }
}
