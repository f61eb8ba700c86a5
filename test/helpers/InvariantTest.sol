// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "./Test.sol";

/// @title InvariantTest
/// @notice Base of invariant tests: only the handlers registered with `targetContract` are called by the fuzzer.
abstract contract InvariantTest is Test {
    address[] private _targets;

    error Broken(bytes4 check, bytes reason);

    /// @notice All of them after each call, so that one campaign's sequences test every one: with an invariant function for each,
    /// each would have a campaign of its own, and the same time would reach a fraction of the sequences.
    function invariant_all() public view {
        bytes4[] memory all = checks();
        for (uint256 i; i < all.length; ++i) {
            (bool held, bytes memory reason) = address(this).staticcall(abi.encodeWithSelector(all[i]));
            require(held, Broken(all[i], reason));
        }
    }

    /// @notice The selectors of the functions that assert an invariant each.
    function checks() public view virtual returns (bytes4[] memory);

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function targetContract(address handler) internal {
        _targets.push(handler);
    }
}
