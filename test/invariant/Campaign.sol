// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconRole} from "../mocks/protocol/BeaconRole.sol";
import {Bonds} from "../mocks/protocol/Bonds.sol";
import {CommitteeRole} from "../mocks/protocol/CommitteeRole.sol";
import {Exits} from "../mocks/protocol/Exits.sol";
import {Finalisers} from "../mocks/protocol/Finalisers.sol";
import {Funding} from "../mocks/protocol/Funding.sol";
import {Governance} from "../mocks/protocol/Governance.sol";
import {Operators} from "../mocks/protocol/Operators.sol";
import {Proofs} from "../mocks/protocol/Proofs.sol";
import {ProtocolHandler} from "../mocks/protocol/ProtocolHandler.sol";
import {Stakers} from "../mocks/protocol/Stakers.sol";
import {ProtocolInvariants} from "./Protocol.sol";
import {Test} from "../helpers/Test.sol";
import {vm} from "../helpers/Vm.sol";

/// @notice The handlers of Protocol.sol through sequences longer than the fuzzer's, with a bias towards what builds up
/// state; and that they do everything they can.
contract ProtocolCampaign is Test {
    uint256 internal constant STEPS = 500;
    uint256 internal constant MAX_FACTOR = 4;

    bytes32[] internal _actions; // each must be taken
    bytes4[] internal _menu;

    bytes32[] private _never;

    error NeverTaken(string actions);
    error InvariantBroken(uint256 seed, uint256 step, bytes4 action, bytes reason);

    constructor() {
        _listActions();
        _listStaking();
        _listValidators();
        _listReports();
    }

    function test_invariantsHoldThroughLongSequences() public {
        vm.pauseGasMetering(); // the sequences add up to more than a test's gas
        uint256[] memory taken = new uint256[](_actions.length);
        uint256 factor = vm.envOr("FUZZ_FACTOR", 1);
        // the traces of one test are kept in memory: for more, run it with other seeds
        uint256 sequences = 8 * (factor > MAX_FACTOR ? MAX_FACTOR : factor);
        uint256 start = vm.envOr("FUZZ_SEED", 0);
        for (uint256 i; i < sequences; ++i) {
            uint256 id = vm.snapshotState();
            // a call of its own, whose memory is given back
            uint256[] memory counts = this.run(uint256(keccak256(abi.encode(start, i))));
            for (uint256 k; k < taken.length; ++k) taken[k] += counts[k];
            vm.revertToState(id);
        }
        for (uint256 k; k < taken.length; ++k) if (taken[k] == 0) _never.push(_actions[k]);
        require(_never.length == 0, NeverTaken(_names(_never)));
    }

    /// @return counts how often each action was taken
    function run(uint256 seed) external returns (uint256[] memory counts) {
        ProtocolHandler handler = _run(seed);
        counts = new uint256[](_actions.length);
        for (uint256 k; k < counts.length; ++k) counts[k] = handler.taken(_actions[k]);
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
        bytes4[] memory invariants = checks.checks();
        for (uint256 i; i < invariants.length; ++i) {
            (bool held, bytes memory reason) = address(checks).call(abi.encodeWithSelector(invariants[i]));
            require(held, InvariantBroken(seed, step, invariants[i], reason));
        }
    }

    /// @dev Amounts are small numbers as often as large ones, and words of no pattern otherwise.
    function _action(uint256 dice) private view returns (bytes memory) {
        uint256[4] memory args;
        for (uint256 i; i < 4; ++i) {
            args[i] = uint256(keccak256(abi.encode(dice, i)));
            if (args[i] % 5 == 0) args[i] = args[i] >> 246;
            else if (args[i] % 5 == 1) args[i] = args[i] >> 176;
        }
        bytes4 selector = _menu[dice % _menu.length];
        bool flagThird = selector == ProtocolHandler.ruin.selector;
        bool flagFourth = selector == Stakers.transfer.selector || selector == Stakers.request.selector;
        if (selector == BeaconRole.sweep.selector) args[1] = args[1] % 8 == 0 ? 1 : 0;
        if (flagThird) args[2] %= 2;
        if (flagFourth) args[3] = args[3] % 6 == 0 ? 1 : 0;
        return abi.encodeWithSelector(selector, args[0], args[1], args[2], args[3]);
    }

    function _names(bytes32[] memory words) private pure returns (string memory text) {
        for (uint256 i; i < words.length; ++i) {
            uint256 length;
            while (length < 32 && words[i][length] != 0) ++length;
            bytes memory name = new bytes(length);
            for (uint256 k; k < length; ++k) name[k] = words[i][k];
            text = string.concat(text, " ", string(name));
        }
    }

    // --- the lists ---

    function _listActions() private {
        bytes32[109] memory actions = [
            bytes32("deposit"),
            "depositInVain",
            "transfer",
            "transferToSelf",
            "transferShares",
            "transferSharesToSelf",
            "wrap",
            "unwrap",
            "transferWrapped",
            "transferWrappedToSelf",
            "transferRequest",
            "request",
            "requestShares",
            "requestWrapped",
            "requestPaused",
            "claim",
            "claimHinted",
            "claimInVain",
            "claimToOurs",
            "addBond",
            "withdrawBond",
            "withdrawBondInVain",
            "claimRewards",
            "payTreasury",
            "addBondShares",
            "addBondWrapped",
            "withdrawBondWrapped",
            "claimRewardsWrapped",
            "compoundRewards",
            "lockFine",
            "lockFineInVain",
            "confirmFine",
            "cancelFine",
            "releaseFine",
            "endFineInVain",
            "penalty",
            "repay",
            "operatorFee",
            "predeposit",
            "predepositMixed",
            "predepositInVain",
            "prove",
            "proveMixed",
            "proveInVain",
            "fund",
            "fundAfterOthers",
            "fundOverdue",
            "fundOutOfOrder",
            "fundOwn",
            "fundOwnInVain",
            "drop",
            "dropInVain",
            "requeue",
            "requeueInVain",
            "setTerms",
            "unfreeze",
            "proveBelow",
            "proveBelowInVain",
            "proveExiting",
            "proveExitingInVain",
            "leftUnasked",
            "proveWithdrawnInVain",
            "withdrawn",
            "withdrawnFromActive",
            "withdrawnAgain",
            "slashed",
            "slashedLate",
            "slashLate",
            "proveSlashedInVain",
            "slashedEarlier",
            "requestExit",
            "exitPassingYoung",
            "exitOfOwn",
            "askAgain",
            "exitOutOfTurn",
            "exitForDebt",
            "exitAfterFreeze",
            "exitWithoutDemand",
            "exitOutOfOrder",
            "requestExitInVain",
            "ejectBelow",
            "ejectBelowInVain",
            "skipExited",
            "skipExitedInVain",
            "report",
            "reportFall",
            "reportHeldBack",
            "reportLate",
            "reportLeaving",
            "reportTooOld",
            "reportAfterHold",
            "fallPausing",
            "fee",
            "paidByReport",
            "badReport",
            "announce",
            "continueFinalisation",
            "continueOverdue",
            "inPieces",
            "slashThenContinue",
            "paidThoughSlashed",
            "reenter",
            "coverLeft",
            "bankRun",
            "exodus",
            "ruin",
            "trespass",
            "donateShares",
            "forceEther"
        ];
        for (uint256 i; i < actions.length; ++i) _actions.push(actions[i]);
    }

    function _listStaking() private {
        _offer(Stakers.deposit.selector, 4);
        _offer(Stakers.transfer.selector, 1);
        _offer(Stakers.transferShares.selector, 1);
        _offer(Stakers.wrap.selector, 1);
        _offer(Stakers.unwrap.selector, 1);
        _offer(Stakers.transferWrapped.selector, 1);
        _offer(Stakers.request.selector, 3);
        _offer(Stakers.claim.selector, 3);
        _offer(Stakers.transferRequest.selector, 1);
        _offer(Governance.setPolicy.selector, 1);
        _offer(Governance.pause.selector, 3);
        _offer(Governance.setTerms.selector, 1);
        _offer(Governance.unfreeze.selector, 4);
        _offer(Bonds.addBondShares.selector, 1);
        _offer(Bonds.addBondWrapped.selector, 1);
        _offer(Bonds.withdrawBondWrapped.selector, 1);
        _offer(Bonds.claimRewardsWrapped.selector, 1);
        _offer(Bonds.compoundRewards.selector, 1);
        _offer(Bonds.lockFine.selector, 1);
        _offer(Bonds.endFine.selector, 2);
        _offer(ProtocolHandler.donateShares.selector, 1);
        _offer(ProtocolHandler.forceEther.selector, 1);
        _offer(ProtocolHandler.trespass.selector, 1);
        _offer(ProtocolHandler.bankRun.selector, 2);
        _offer(ProtocolHandler.exodus.selector, 2);
        _offer(ProtocolHandler.ruin.selector, 1);
        _offer(ProtocolHandler.grow.selector, 3);
    }

    function _listValidators() private {
        _offer(Operators.addBond.selector, 2);
        _offer(Operators.withdrawBond.selector, 1);
        _offer(Operators.claimRewards.selector, 1);
        _offer(Operators.payTreasury.selector, 1);
        _offer(Operators.predeposit.selector, 3);
        _offer(Operators.requeue.selector, 2);
        _offer(Operators.fundOwn.selector, 3);
        _offer(Funding.prove.selector, 4);
        _offer(Funding.fund.selector, 4);
        _offer(Funding.drop.selector, 2);
        _offer(Proofs.consensus.selector, 3);
        _offer(Proofs.slashLate.selector, 1);
        _offer(Proofs.proveBelow.selector, 1);
        _offer(Proofs.proveExiting.selector, 2);
        _offer(Proofs.proveWithdrawn.selector, 3);
        _offer(Proofs.proveSlashed.selector, 1);
        _offer(Exits.requestExit.selector, 6);
        _offer(Exits.ejectBelow.selector, 1);
        _offer(Exits.skipExited.selector, 3);
    }

    function _listReports() private {
        _offer(BeaconRole.earn.selector, 2);
        _offer(BeaconRole.lose.selector, 1);
        _offer(BeaconRole.sweep.selector, 1);
        _offer(BeaconRole.wait.selector, 2);
        _offer(CommitteeRole.passReference.selector, 1);
        _offer(CommitteeRole.reportLatest.selector, 1);
        _offer(CommitteeRole.report.selector, 1);
        _offer(CommitteeRole.day.selector, 5);
        _offer(CommitteeRole.announce.selector, 1);
        _offer(CommitteeRole.badReport.selector, 1);
        _offer(Finalisers.continueFinalisation.selector, 1);
        _offer(Finalisers.inPieces.selector, 1);
        _offer(Finalisers.slashThenContinue.selector, 1);
    }

    function _offer(bytes4 action, uint256 times) private {
        for (uint256 i; i < times; ++i) _menu.push(action);
    }
}
