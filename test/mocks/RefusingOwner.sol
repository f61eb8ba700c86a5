// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @notice An operator's owner that makes any call it is told to, and takes no ether.
contract RefusingOwner {
    function execute(address target, bytes calldata data) external payable {
        Address.functionCallWithValue(target, data, msg.value);
    }
}
