// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InvariantTest} from "../helpers/InvariantTest.sol";
import {IReportOracle} from "../../contracts/oracle/IReportOracle.sol";
import {OracleHandler} from "../mocks/OracleHandler.sol";
import {OracleWorld} from "../mocks/OracleWorld.sol";
import {ReportBounds} from "../../contracts/oracle/ReportBounds.sol";
import {ReportOracle} from "../../contracts/oracle/ReportOracle.sol";
import {IStakedEther} from "../../contracts/token/IStakedEther.sol";
import {vm} from "../helpers/Vm.sol";

/// @notice I11, I13, I25 and I28 with the real oracle and real signatures. What one submission must and must not do the handler
/// asserts as it acts.
contract OracleInvariants is InvariantTest {
    OracleHandler internal handler;
    ReportBounds private _bounds;

    function setUp() public {
        handler = new OracleHandler();
        targetContract(address(handler));
    }

    /// @notice The invariants, each a function of its own.
    function checks() public pure override returns (bytes4[] memory list) {
        bytes4[4] memory all = [
            this.check_I13_onlyTheLastAcceptedReportCounts.selector,
            this.check_I13_theQuorumIsMoreThanHalf.selector,
            this.check_I25_depositsAreOpenUntilTheNextReportIsDue.selector,
            this.check_I28_anAnnouncementLastsUntilAReport.selector
        ];
        list = new bytes4[](all.length);
        for (uint256 i; i < all.length; ++i) list[i] = all[i];
    }

    function check_I13_onlyTheLastAcceptedReportCounts() public view {
        OracleWorld.Standing memory standing = handler.standing();
        assertEq(handler.oracle().lastRefSlot(), standing.refSlot, "reference");
        assertEq(handler.oracle().lastReportHash(), standing.hash, "hash");
        assertEq(
            handler.oracle().nextRefSlot(),
            handler.newest(),
            "the next reference, none before the last execution"
        );
        assertEq(
            handler.pool().books().lastRefTime,
            1_800_000_000 + uint256(standing.refSlot) * 12,
            "the pool's reference"
        );
        assertEq(handler.pool().books().lastReportTime, standing.executedAt, "executed at");
        assertEq(handler.oracle().fallInWindowBp(), handler.fallInWindow(), "falls of thirty days");
    }

    function check_I13_theQuorumIsMoreThanHalf() public view {
        uint256 members = handler.oracle().committee().members;
        assertGt(2 * uint256(handler.oracle().committee().quorum), members, "quorum");
        assertEq(handler.oracle().committee().version, handler.version(), "version");
    }

    function check_I25_depositsAreOpenUntilTheNextReportIsDue() public view {
        assertEq(handler.pool().books().openUntil, handler.standing().openUntil, "open until");
        assertEq(handler.pool().books().depositCeiling, handler.standing().ceiling, "ceiling");
        assertEq(handler.pool().books().heldBack, handler.standing().heldBack, "held back");
    }

    function check_I28_anAnnouncementLastsUntilAReport() public view {
        assertEq(handler.oracle().incident(), handler.careful(), "incident");
        (bool isCalm, ) = handler.pool().calm();
        if (handler.standing().openUntil < block.timestamp) assertFalse(isCalm, "calm though held or overdue");
    }

    /// @dev Fundings stop when a report is overdue, which must be before the next reference (I24).
    function testFuzz_I24_theGraceIsShorterThanAFrame(uint64 grace) public {
        address[] memory members = new address[](1);
        members[0] = address(1);
        uint64 frame = 1 days;
        bytes memory refusal = abi.encodeWithSelector(IReportOracle.GraceTooLong.selector, grace, frame);
        _bounds = new ReportBounds();
        if (grace >= frame) vm.expectRevert(refusal);
        _deploy(grace, members);
        _deploy(grace % frame, members);
    }

    function _deploy(uint64 grace, address[] memory members) private {
        ReportOracle.Grid memory grid = ReportOracle.Grid(1_800_000_000, 7_199, 7_200, 1 hours, grace);
        new ReportOracle(address(1), IStakedEther(address(1)), _bounds, grid, members, 1, IReportOracle(address(0)));
    }
}
