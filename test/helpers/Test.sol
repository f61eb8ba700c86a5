// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {vm} from "./Vm.sol";

/// @title Test
/// @notice Assertions of the Solidity tests. Each failure reverts with an error that carries the values.
abstract contract Test {
    error AssertEq(uint256 actual, uint256 expected, string what);
    error AssertEqInt(int256 actual, int256 expected, string what);
    error AssertEqAddress(address actual, address expected, string what);
    error AssertEqBytes32(bytes32 actual, bytes32 expected, string what);
    error AssertEqBytes(bytes actual, bytes expected, string what);
    error AssertTrue(string what);
    error AssertLe(uint256 actual, uint256 atMost, string what);
    error AssertGe(uint256 actual, uint256 atLeast, string what);
    error AssertLt(uint256 actual, uint256 below, string what);
    error AssertGt(uint256 actual, uint256 above, string what);
    error AssertApprox(uint256 actual, uint256 expected, uint256 tolerance, string what);
    error EmptyRange(uint256 low, uint256 high);

    function assertEq(uint256 actual, uint256 expected, string memory what) internal pure {
        require(actual == expected, AssertEq(actual, expected, what));
    }

    function assertEq(uint256 actual, uint256 expected) internal pure {
        assertEq(actual, expected, "");
    }

    function assertEq(int256 actual, int256 expected, string memory what) internal pure {
        require(actual == expected, AssertEqInt(actual, expected, what));
    }

    function assertEq(int256 actual, int256 expected) internal pure {
        assertEq(actual, expected, "");
    }

    function assertEq(address actual, address expected, string memory what) internal pure {
        require(actual == expected, AssertEqAddress(actual, expected, what));
    }

    function assertEq(address actual, address expected) internal pure {
        assertEq(actual, expected, "");
    }

    function assertEq(bytes32 actual, bytes32 expected, string memory what) internal pure {
        require(actual == expected, AssertEqBytes32(actual, expected, what));
    }

    function assertEq(bytes32 actual, bytes32 expected) internal pure {
        assertEq(actual, expected, "");
    }

    function assertEq(bool actual, bool expected, string memory what) internal pure {
        assertEq(uint256(actual ? 1 : 0), expected ? 1 : 0, what);
    }

    function assertEq(bool actual, bool expected) internal pure {
        assertEq(actual, expected, "");
    }

    function assertEq(bytes memory actual, bytes memory expected, string memory what) internal pure {
        require(keccak256(actual) == keccak256(expected), AssertEqBytes(actual, expected, what));
    }

    function assertEq(bytes memory actual, bytes memory expected) internal pure {
        assertEq(actual, expected, "");
    }

    function assertTrue(bool condition, string memory what) internal pure {
        require(condition, AssertTrue(what));
    }

    function assertFalse(bool condition, string memory what) internal pure {
        assertTrue(!condition, what);
    }

    function assertLe(uint256 actual, uint256 atMost, string memory what) internal pure {
        require(actual <= atMost, AssertLe(actual, atMost, what));
    }

    function assertGe(uint256 actual, uint256 atLeast, string memory what) internal pure {
        require(actual >= atLeast, AssertGe(actual, atLeast, what));
    }

    function assertLt(uint256 actual, uint256 below, string memory what) internal pure {
        require(actual < below, AssertLt(actual, below, what));
    }

    function assertGt(uint256 actual, uint256 above, string memory what) internal pure {
        require(actual > above, AssertGt(actual, above, what));
    }

    /// @dev `tolerance` is absolute, in the unit of the values.
    function assertApprox(uint256 actual, uint256 expected, uint256 tolerance, string memory what) internal pure {
        uint256 difference = actual > expected ? actual - expected : expected - actual;
        require(difference <= tolerance, AssertApprox(actual, expected, tolerance, what));
    }

    /// @notice Maps any `x` into [low, high]. The ends of the whole range map to the ends, since a fuzzer likes to try them.
    function bound(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        require(low <= high, EmptyRange(low, high));
        if (x >= low && x <= high) return x;
        if (x == type(uint256).max) return high;
        unchecked {
            uint256 size = high - low + 1; // zero only for the full range, which returned above
            return low + (x % size);
        }
    }

    /// @notice An account named in traces; its private key is the hash of the name.
    function account(string memory name) internal returns (address who) {
        who = vm.addr(uint256(keccak256(bytes(name))));
        vm.label(who, name);
    }
}
