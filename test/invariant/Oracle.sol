// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InvariantTest} from "../helpers/InvariantTest.sol";
import {OracleHandler} from "../mocks/OracleHandler.sol";

/// @notice I11 and I13 with the real oracle and real signatures. What one submission must and must not do the handler
/// asserts as it acts.
contract OracleInvariants is InvariantTest {
    OracleHandler internal handler;

    function setUp() public {
        handler = new OracleHandler();
        targetContract(address(handler));
    }

    function invariant_I13_onlyTheLastAcceptedReportCounts() public view {
        assertEq(handler.oracle().lastRefSlot(), handler.lastRefSlot(), "reference");
        assertEq(handler.oracle().lastReportHash(), handler.lastHash(), "hash");
        uint256 count;
        if (handler.accepted() != 0) count = handler.pool().books().lastRefTime;
        uint256 expected = handler.accepted() == 0 ? 0 : 1_800_000_000 + uint256(handler.lastRefSlot()) * 12;
        assertEq(count, expected, "the pool's reference");
    }

    function invariant_I13_theQuorumIsMoreThanHalf() public view {
        uint256 members = handler.oracle().committee().members;
        assertGt(2 * uint256(handler.oracle().committee().quorum), members, "quorum");
        assertEq(handler.oracle().committee().version, handler.version(), "version");
    }
}
