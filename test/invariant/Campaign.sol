// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bonds} from "../mocks/protocol/Bonds.sol";
import {CommitteeRole} from "../mocks/protocol/CommitteeRole.sol";
import {Operators} from "../mocks/protocol/Operators.sol";
import {ProtocolHandler} from "../mocks/protocol/ProtocolHandler.sol";
import {ProtocolInvariants} from "./Protocol.sol";
import {Stakers} from "../mocks/protocol/Stakers.sol";
import {Test} from "../helpers/Test.sol";
import {vm} from "../helpers/Vm.sol";

/// @notice The handlers of Protocol.sol through sequences longer than the fuzzer's, with a bias towards what builds up
/// state; and that they do everything they can.
contract ProtocolCampaign is Test {
    uint256 internal constant STEPS = 500;
    uint256 internal constant MAX_FACTOR = 4;

    error InvariantBroken(uint256 seed, uint256 step, bytes4 action, bytes reason);

    function test_invariantsHoldThroughLongSequences() public {
        bytes32[45] memory actions = [
            bytes32("deposit"),
            "transfer",
            "transferShares",
            "wrap",
            "unwrap",
            "transferWrapped",
            "transferRequest",
            "request",
            "requestShares",
            "requestWrapped",
            "claim",
            "claimHinted",
            "claimInVain",
            "addBond",
            "withdrawBond",
            "withdrawBondInVain",
            "claimRewards",
            "prove",
            "drop",
            "fund",
            "stopWeight",
            "withdrawn",
            "penalty",
            "repay",
            "slashed",
            "report",
            "reportFall",
            "reportHeldBack",
            "continueFinalisation",
            "inPieces",
            "reenter",
            "coverLeft",
            "operatorFee",
            "payTreasury",
            "slashThenContinue",
            "addBondShares",
            "addBondWrapped",
            "withdrawBondWrapped",
            "claimRewardsWrapped",
            "compoundRewards",
            "lockFine",
            "lockFineInVain",
            "confirmFine",
            "cancelFine",
            "releaseFine"
        ];
        vm.pauseGasMetering(); // the sequences add up to more than a test's gas
        uint256[45] memory taken;
        uint256 factor = vm.envOr("FUZZ_FACTOR", 1);
        // the traces of one test are kept in memory: for more, run it with other seeds
        uint256 sequences = 8 * (factor > MAX_FACTOR ? MAX_FACTOR : factor);
        uint256 start = vm.envOr("FUZZ_SEED", 0);
        for (uint256 i; i < sequences; ++i) {
            uint256 id = vm.snapshotState();
            // a call of its own, whose memory is given back
            uint256[] memory counts = this.run(uint256(keccak256(abi.encode(start, i))), actions);
            for (uint256 k; k < actions.length; ++k) taken[k] += counts[k];
            vm.revertToState(id);
        }
        for (uint256 k; k < actions.length; ++k) {
            assertGt(taken[k], 0, string.concat("never taken: ", string(abi.encodePacked(actions[k]))));
        }
    }

    /// @return counts how often each action was taken
    function run(uint256 seed, bytes32[45] calldata actions) external returns (uint256[] memory counts) {
        ProtocolHandler handler = _run(seed);
        counts = new uint256[](actions.length);
        for (uint256 k; k < actions.length; ++k) counts[k] = handler.taken(actions[k]);
    }

    function _run(uint256 seed) private returns (ProtocolHandler handler) {
        ProtocolInvariants checks = new ProtocolInvariants();
        checks.setUp();
        handler = checks.handler();
        for (uint256 step; step < STEPS; ++step) {
            bytes memory data = _action(uint256(keccak256(abi.encode(seed, step))));
            (bool done, bytes memory reason) = address(handler).call(data);
            require(done, InvariantBroken(seed, step, bytes4(data), reason));
            if (step % 25 == 24) _check(checks, seed, step);
        }
    }

    function _check(ProtocolInvariants checks, uint256 seed, uint256 step) private {
        bytes4[14] memory invariants = [
            checks.invariant_I1_thePoolHoldsItsBuffer.selector,
            checks.invariant_I2_sharesAddUp.selector,
            checks.invariant_I3_theRateIsWhatTheLastReportLeft.selector,
            checks.invariant_I4_balancesAddUp.selector,
            checks.invariant_I5_theQueueHoldsWhatItOwes.selector,
            checks.invariant_I6_requestsAreWorthWhatTheyShow.selector,
            checks.invariant_I6_theQueuesSharesAreAccountedFor.selector,
            checks.invariant_I7_31EtherLeaveForAValidator.selector,
            checks.invariant_I8_bondsRecordedAreHeld.selector,
            checks.invariant_I9_heldBackIsBookedOnce.selector,
            checks.invariant_I10_etherIsConserved.selector,
            checks.invariant_I15_nobodyGainsBetweenReports.selector,
            checks.invariant_I16_finesAreLockedUntilTheyEnd.selector,
            checks.invariant_I17_feesAreDividedWholeAndOnce.selector
        ];
        for (uint256 i; i < invariants.length; ++i) {
            (bool held, bytes memory reason) = address(checks).call(abi.encodeWithSelector(invariants[i]));
            require(held, InvariantBroken(seed, step, invariants[i], reason));
        }
    }

    /// @dev Amounts are small numbers as often as large ones, and words of no pattern otherwise.
    function _action(uint256 dice) private pure returns (bytes memory) {
        bytes4[62] memory menu = _menu();
        uint256[4] memory args;
        for (uint256 i; i < 4; ++i) {
            args[i] = uint256(keccak256(abi.encode(dice, i)));
            if (args[i] % 5 == 0) args[i] = args[i] >> 246;
            else if (args[i] % 5 == 1) args[i] = args[i] >> 176;
        }
        bytes4 selector = menu[dice % 62];
        bool flagThird = selector == Operators.withdrawn.selector || selector == ProtocolHandler.ruin.selector;
        bool flagFourth = selector == Stakers.transfer.selector || selector == Stakers.request.selector;
        if (selector == CommitteeRole.sweep.selector) args[1] = args[1] % 8 == 0 ? 1 : 0;
        if (flagThird) args[2] %= 2;
        if (flagFourth) args[3] = args[3] % 6 == 0 ? 1 : 0;
        return abi.encodeWithSelector(selector, args[0], args[1], args[2], args[3]);
    }

    function _menu() private pure returns (bytes4[62] memory menu) {
        bytes4[33] memory each = [
            Stakers.deposit.selector,
            Stakers.transfer.selector,
            Stakers.transferShares.selector,
            Stakers.wrap.selector,
            Stakers.unwrap.selector,
            Stakers.transferWrapped.selector,
            Stakers.request.selector,
            Stakers.claim.selector,
            Stakers.transferRequest.selector,
            Operators.addBond.selector,
            Operators.withdrawBond.selector,
            Operators.claimRewards.selector,
            Operators.payTreasury.selector,
            Operators.prove.selector,
            Operators.drop.selector,
            Operators.fund.selector,
            Operators.stopWeight.selector,
            Operators.withdrawn.selector,
            Operators.slashed.selector,
            Operators.unfreeze.selector,
            CommitteeRole.earn.selector,
            CommitteeRole.lose.selector,
            CommitteeRole.sweep.selector,
            CommitteeRole.wait.selector,
            CommitteeRole.passReference.selector,
            CommitteeRole.reportLatest.selector,
            CommitteeRole.badReport.selector,
            CommitteeRole.continueFinalisation.selector,
            CommitteeRole.inPieces.selector,
            CommitteeRole.setPolicy.selector,
            CommitteeRole.pause.selector,
            ProtocolHandler.donateShares.selector,
            ProtocolHandler.forceEther.selector
        ];
        bytes4[16] memory more = [
            Stakers.deposit.selector,
            Stakers.deposit.selector,
            Stakers.request.selector,
            Stakers.request.selector,
            Stakers.claim.selector,
            Stakers.claim.selector,
            Operators.prove.selector,
            Operators.fund.selector,
            Operators.fund.selector,
            Operators.addBond.selector,
            CommitteeRole.day.selector,
            CommitteeRole.day.selector,
            CommitteeRole.day.selector,
            CommitteeRole.earn.selector,
            CommitteeRole.report.selector,
            ProtocolHandler.trespass.selector
        ];
        for (uint256 i; i < 33; ++i) menu[i] = each[i];
        for (uint256 i; i < 16; ++i) menu[33 + i] = more[i];
        (menu[50], menu[51]) = (Operators.withdrawn.selector, ProtocolHandler.ruin.selector);
        (menu[52], menu[53]) = (ProtocolHandler.bankRun.selector, ProtocolHandler.bankRun.selector);
        menu[49] = CommitteeRole.slashThenContinue.selector;
        bytes4[8] memory bonds = [
            Bonds.addBondShares.selector,
            Bonds.addBondWrapped.selector,
            Bonds.withdrawBondWrapped.selector,
            Bonds.claimRewardsWrapped.selector,
            Bonds.compoundRewards.selector,
            Bonds.lockFine.selector,
            Bonds.endFine.selector,
            Bonds.endFine.selector
        ];
        for (uint256 i; i < 8; ++i) menu[54 + i] = bonds[i];
    }
}
