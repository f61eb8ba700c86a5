// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// @notice The helpers of other tests: a bound that leaks, or an assertion that cannot fail, would hide failures everywhere.
contract HelpersTest is Test {
    function testFuzz_boundStaysWithinTheRange(uint256 x, uint256 low, uint256 high) public pure {
        if (low > high) (low, high) = (high, low);
        uint256 y = bound(x, low, high);
        assertGe(y, low, "below the range");
        assertLe(y, high, "above the range");
        if (x >= low && x <= high) assertEq(y, x, "moved a value that was inside");
    }

    function test_boundReachesBothEnds() public pure {
        assertEq(bound(0, 5, 9), 5);
        assertEq(bound(type(uint256).max, 5, 9), 9);
        assertEq(bound(type(uint256).max, 0, type(uint256).max), type(uint256).max);
    }

    function test_everyAssertionCanFail() public {
        vm.expectRevert(abi.encodeWithSelector(AssertEq.selector, 1, 2, ""));
        this.failEq();
        vm.expectRevert(abi.encodeWithSelector(AssertLe.selector, 2, 1, "le"));
        this.failLe();
        vm.expectRevert(abi.encodeWithSelector(AssertGe.selector, 1, 2, "ge"));
        this.failGe();
        vm.expectRevert(abi.encodeWithSelector(AssertLt.selector, 1, 1, "lt"));
        this.failLt();
        vm.expectRevert(abi.encodeWithSelector(AssertGt.selector, 1, 1, "gt"));
        this.failGt();
        vm.expectRevert(abi.encodeWithSelector(AssertApprox.selector, 10, 13, 2, "approx"));
        this.failApprox();
        vm.expectRevert(abi.encodeWithSelector(AssertTrue.selector, "true"));
        this.failTrue();
        vm.expectRevert(abi.encodeWithSelector(AssertEqBytes.selector, hex"01", hex"02", ""));
        this.failEqBytes();
    }

    function failEq() external pure {
        assertEq(uint256(1), uint256(2));
    }

    function failLe() external pure {
        assertLe(2, 1, "le");
    }

    function failGe() external pure {
        assertGe(1, 2, "ge");
    }

    function failLt() external pure {
        assertLt(1, 1, "lt");
    }

    function failGt() external pure {
        assertGt(1, 1, "gt");
    }

    function failApprox() external pure {
        assertApprox(10, 13, 2, "approx");
    }

    function failTrue() external pure {
        assertTrue(false, "true");
    }

    function failEqBytes() external pure {
        assertEq(bytes(hex"01"), bytes(hex"02"));
    }
}
