// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "./Test.sol";

/// @title InvariantTest
/// @notice Base of invariant tests: only the handlers registered with `targetContract` are called by the fuzzer.
abstract contract InvariantTest is Test {
    address[] private _targets;

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function targetContract(address handler) internal {
        _targets.push(handler);
    }
}
