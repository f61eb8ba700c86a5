// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CommitteeRole} from "./CommitteeRole.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {Proofs} from "./Proofs.sol";
import {Refusals} from "./Refusals.sol";
import {Stakers} from "./Stakers.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice Whoever continues a finalisation: I6 and I12.
abstract contract Finalisers is Stakers, CommitteeRole, Proofs {
    using Refusals for Refusals.Causes;

    function continueFinalisation(uint256 who) external keepsRate {
        _continue(who);
    }

    /// @notice Slashings after the last reference: payments go on exactly as long as these are few for what is staked.
    function slashThenContinue(uint256 who, uint256 count) external keepsRate {
        for (uint256 i = count % 3; i < 3; ++i) {
            uint256 id = _slashSome(who >> i);
            if (id == NONE || _keys[id].slashed) return;
            _proveSlashed(id, block.timestamp, 0);
        }
        // for whoever waits; now and then so much that the slashings weigh little
        _deposit(_actor(count), count % 2 == 0 ? 4_000 ether : 1 + (who % 100 ether), 2);
        uint256 paid = _cash.paid;
        bool tolerated = mayFinalise();
        _continue(who);
        if (!tolerated) assertEq(_cash.paid, paid, "I6: paid though slashings are not reported yet");
        else if (_cash.paid != paid) _took("paidThoughSlashed");
        if (_gate.finalisable && !tolerated) _took("slashThenContinue");
    }

    /// @notice I12: ether in pieces, with the finalisation continued after each by somebody else, pays as it does at once.
    function inPieces(uint256 amount, uint256 pieces, uint256 who) external keepsRate {
        amount = bound(amount, 10, 2_000 ether);
        pieces = bound(pieces, 2, 4);
        if (lastFinalised == lastTicket || !_gate.finalisable || !_canDeposit(amount)) return;
        // what is paid lowers T, by which slashings are tolerated: that would be another question
        uint256 slashings = _gate.slashedEarlier + slashedSince();
        (uint256 pooled, uint256 cash) = (_c.token.totalSupply(), poolCash()); // held-back gains are in the second alone
        if (!_tolerates(slashings, pooled > cash ? pooled - cash : 0)) return;
        (uint256 ether1, uint256 shares1, bytes32 payments1) = _paidIn(1, amount, who);
        (uint256 ether2, uint256 shares2, bytes32 payments2) = _paidIn(pieces, amount, who / 2);
        assertEq(payments1, payments2, "I12: payments depend on who continued, or on the pieces");
        assertGe(ether2, ether1, "I12: T by pieces");
        assertLe(ether2, ether1 + pieces, "I12: T by pieces");
        // a wei that is not paid leaves its shares; beyond that, a share a call, larger by what a deposit multiplies
        uint256 apart =
            (ether2 - ether1) * (shares1 / ether1 + 1) + 3 * pieces * (2 + amount / (ether1 - amount / 2 + 1));
        assertApprox(shares2, shares1, apart * 4, "I12: S by pieces");
        _took("inPieces");
    }

    // --- internal ---

    function _continue(uint256 who) internal {
        uint256 available = poolCash();
        uint256 queueHad = address(_c.queue).balance;
        (, uint256 shares0) = _c.token.totals();
        bool may = mayFinalise();
        vm.prank(_actor(who));
        try _c.pool.continueFinalisation() returns (uint256 paid) {
            assertTrue(may, "I6: continued though it must not be");
            assertEq(address(_c.queue).balance - queueHad, paid, "I5: what was paid went to the queue");
            uint256 sharesPaid = _noteFinalised(_finalRate, _last.refTime - MARGIN, available, paid);
            (, uint256 shares1) = _c.token.totals();
            _shares.cover += sharesPaid - (shares0 - shares1);
            _took("continueFinalisation");
        } catch (bytes memory reason) {
            Refusals.Causes memory causes;
            causes.add(!may, IStakingPool.FinalisationNotAllowed.selector);
            causes.add(may, IStakingPool.NothingToFinalise.selector);
            causes.judge(false, reason);
            bool dust = lastFinalised < lastTicket && worthOf(lastFinalised + 1, _finalRate) == 0;
            if (may && !dust) _checkNoneLeft(lastFinalised, _finalRate, _last.refTime - MARGIN, available);
            if (block.timestamp > _gate.openUntil && _gate.finalisable) _took("continueOverdue");
        }
    }

    function _paidIn(
        uint256 pieces,
        uint256 amount,
        uint256 who
    ) private returns (uint256 totalEther, uint256 totalShares, bytes32 payments) {
        uint256 id = vm.snapshotState();
        for (uint256 i; i < pieces; ++i) {
            uint256 piece = i + 1 == pieces ? amount - (amount / pieces) * i : amount / pieces;
            vm.deal(address(0xfeed), piece);
            vm.prank(address(0xfeed));
            _c.pool.deposit{value: piece}(address(0xfeed), address(0));
            vm.prank(_actor(who / (i + 1)));
            try _c.pool.continueFinalisation() {} catch (bytes memory reason) {
                bool nothing = bytes4(reason) == IStakingPool.NothingToFinalise.selector;
                require(nothing, Refusals.Refused(reason));
            }
        }
        uint256[] memory ids = new uint256[](lastTicket);
        for (uint256 i; i < ids.length; ++i) ids[i] = i + 1;
        payments = keccak256(abi.encode(_c.queue.getClaimableEther(ids), _c.queue.lastFinalizedId()));
        (totalEther, totalShares) = _c.token.totals();
        vm.revertToState(id);
    }
}
