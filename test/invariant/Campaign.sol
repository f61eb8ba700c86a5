// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconRole} from "../mocks/protocol/BeaconRole.sol";
import {Bonds} from "../mocks/protocol/Bonds.sol";
import {CommitteeRole} from "../mocks/protocol/CommitteeRole.sol";
import {Exits} from "../mocks/protocol/Exits.sol";
import {Finalisers} from "../mocks/protocol/Finalisers.sol";
import {Funding} from "../mocks/protocol/Funding.sol";
import {Governance} from "../mocks/protocol/Governance.sol";
import {InvariantTest} from "../helpers/InvariantTest.sol";
import {LongCampaign} from "../helpers/LongCampaign.sol";
import {Operators} from "../mocks/protocol/Operators.sol";
import {Proofs} from "../mocks/protocol/Proofs.sol";
import {ProtocolHandler} from "../mocks/protocol/ProtocolHandler.sol";
import {Stakers} from "../mocks/protocol/Stakers.sol";
import {ProtocolInvariants} from "./Protocol.sol";

/// @notice The handlers of Protocol.sol through long sequences.
contract ProtocolCampaign is LongCampaign {
    constructor() {
        _listActions();
        _listStaking();
        _listValidators();
        _listReports();
    }

    function _begin() internal override returns (InvariantTest, address) {
        ProtocolInvariants checks = new ProtocolInvariants();
        checks.setUp();
        return (checks, address(checks.handler()));
    }

    function _shape(bytes4 selector, uint256[4] memory args) internal pure override {
        bool flagThird = selector == ProtocolHandler.ruin.selector;
        bool flagFourth = selector == Stakers.transfer.selector || selector == Stakers.request.selector;
        if (selector == BeaconRole.sweep.selector) args[1] = args[1] % 8 == 0 ? 1 : 0;
        if (flagThird) args[2] %= 2;
        if (flagFourth) args[3] = args[3] % 6 == 0 ? 1 : 0;
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
}
