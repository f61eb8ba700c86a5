// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FAR_FUTURE_EPOCH} from "../../../contracts/shared/Units.sol";
import {IBeaconProof} from "../../../contracts/validators/IBeaconProof.sol";
import {IValidatorExits} from "../../../contracts/validators/IValidatorExits.sol";
import {IWithdrawalVault} from "../../../contracts/withdrawals/IWithdrawalVault.sol";
import {Proofs} from "./Proofs.sol";
import {Refusals} from "./Refusals.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice I22: nobody is asked to exit but in turn and for demand, or for a cause. What is asked here is sometimes right and
/// often not; the books say which.
abstract contract Exits is Proofs {
    using Refusals for Refusals.Causes;

    /// @dev A request to be tried.
    struct Try {
        uint256 id;
        uint256 slot; // of the states proven
        uint256[] passed; // heads shown to be too young
        uint256 fee; // of the predeploy
        uint256 value; // sent along
        bool outOfTurn; // its operator is frozen or in debt
        bool withoutDemand; // ... for seven days, or in debt
        bool asked; // before
        bool headMoves;
    }

    /// @notice Mostly the validator whose turn it is, with the young heads passed; or just any.
    function requestExit(uint256 which, uint256 ago, uint256 way, uint256 value) external keepsRate keepsShares {
        Try memory t = _newTry(ago, value);
        if (way % 4 == 3) t.id = _some(which, IValidatorExits.Status.Active);
        else if (way % 4 == 2) t.id = _findDelinquent(which);
        else _chooseTurn(t, which, way);
        if (way % 16 == 13 && _keys.length != 0) t.passed = _extended(t.passed, which % _keys.length);
        _requestExit(t, way / 16);
    }

    /// @notice A validator whose balance shows that something is wrong.
    function ejectBelow(uint256 which, uint256 ago, uint256 balance, uint256 way) external keepsRate keepsShares {
        Try memory t = _newTry(ago, way / 32);
        t.id = _some(which, IValidatorExits.Status.Active);
        balance = bound(balance, 0, way % 3 == 0 ? 33e9 : 31e9 - 1);
        IBeaconProof.ValidatorProof memory p = _proof(t.id, t.slot);
        Refusals.Causes memory causes = _readyCauses(t);
        _spoil(p, way, causes);
        causes.add(balance >= 31e9, IValidatorExits.NotBelow.selector);
        bytes memory data = abi.encodeCall(IValidatorExits.ejectBelow, (_pubkey(t.id), p, _balance(balance)));
        if (!_ask(t, data, way, causes)) return _took("ejectBelowInVain");
        _took("ejectBelow");
    }

    /// @notice Heads that leave, or were asked to out of turn, make room for the next; nobody else does.
    function skipExited(uint256 which, uint256 count) external keepsRate keepsShares {
        Standing[TIERS] memory all = _standings();
        uint256 tier = which % TIERS;
        uint256 head = all[tier].exitKey;
        uint256[] memory ids = new uint256[](count % 16 == 15 ? 0 : 1 + (count % 3));
        for (uint256 i; i < ids.length; ++i) {
            ids[i] = head == NONE || which % 8 == 7 ? _some(which / 8 + i * 16, IValidatorExits.Status.Exiting) : head;
            if (head != NONE) head = _after(head);
        }
        Refusals.Causes memory causes = _skipCauses(ids, all);
        bytes memory data = abi.encodeCall(IValidatorExits.skipExited, (_roots(ids)));
        vm.prank(_actor(which));
        (bool done, bytes memory reason) = address(_c.validators).call(data);
        if (!causes.judge(done, reason)) return _took("skipExitedInVain");
        for (uint256 i; i < ids.length; ++i) _keys[ids[i]].passed = true;
        _took("skipExited");
    }

    // --- internal ---

    function _requestExit(Try memory t, uint256 way) internal {
        IBeaconProof.ValidatorProof memory p = _proof(t.id, t.slot);
        IBeaconProof.ValidatorProof[] memory passed = new IBeaconProof.ValidatorProof[](t.passed.length);
        for (uint256 i; i < passed.length; ++i) passed[i] = _proof(t.passed[i], t.slot);
        Refusals.Causes memory causes = _readyCauses(t);
        _spoil(p, way, causes);
        causes.add(!t.withoutDemand && !_hasDemand(), IValidatorExits.NoDemand.selector);
        if (!t.outOfTurn && !t.asked) {
            _turnCauses(t, causes);
            bool isFalse = passed.length != 0 && way % 32 == 29;
            if (isFalse) passed[passed.length - 1].header.stateRoot = FALSE_STATE;
            causes.add(isFalse, IBeaconProof.ProofInvalid.selector);
        }
        bytes memory data = abi.encodeCall(IValidatorExits.requestExit, (_pubkey(t.id), p, passed));
        bool demanded = _hasDemand();
        if (!_ask(t, data, way, causes)) {
            if (causes.has(IValidatorExits.NoDemand.selector)) _took("exitWithoutDemand");
            if (causes.has(IValidatorExits.NotNext.selector)) _took("exitOutOfOrder");
            return _took("requestExitInVain");
        }
        if (t.headMoves) _keys[t.id].passed = true;
        _tookExit(t, demanded);
    }

    function _tookExit(Try memory t, bool demanded) private {
        if (t.asked) _took("askAgain");
        else if (!t.outOfTurn && !t.headMoves) _took("exitOfOwn");
        else if (!t.outOfTurn && t.passed.length != 0) _took("exitPassingYoung");
        else if (!t.outOfTurn) _took("requestExit");
        else if (demanded) _took("exitOutOfTurn");
        else if (_books[_keys[t.id].operatorId].debt != 0) _took("exitForDebt");
        else _took("exitAfterFreeze");
    }

    function _newTry(uint256 ago, uint256 value) internal view returns (Try memory t) {
        t.slot = _slotAt(block.timestamp - (ago % 8 == 7 ? ago % 3 hours : ago % 59 minutes));
        t.fee = value % 1e12;
        t.value = value % 32 == 31 && t.fee != 0 ? t.fee - 1 : t.fee + (value % 3);
    }

    /// @dev The validator that is next, those too young to exit passed; or one that was funded out of turn beside it.
    function _chooseTurn(Try memory t, uint256 seed, uint256 way) internal view {
        Standing[TIERS] memory all = _standings();
        uint256 without;
        t.id = _keys.length;
        while (true) {
            uint256 tier = _tierToExit(all, without);
            if (tier == NONE) break;
            uint256 head = all[tier].exitKey;
            if (head == NONE || (all[tier].ownKey != NONE && way % 4 == 1)) head = all[tier].ownKey;
            t.id = head;
            if (head == NONE || !_isYoung(head, t.slot) || seed % 32 == 31) break;
            t.passed = _extended(t.passed, head);
            without |= 1 << tier;
        }
        if (t.id == NONE) t.id = _some(seed, IValidatorExits.Status.Active);
    }

    function _isYoung(uint256 id, uint256 slot) private view returns (bool) {
        Key storage k = _keys[id];
        bool stays = k.status == IValidatorExits.Status.Active && k.askedAt == 0;
        return stays && k.exitEpoch == FAR_FUTURE_EPOCH && !_isMature(k.activationEpoch, slot);
    }

    function _isMature(uint64 activationEpoch, uint256 slot) private pure returns (bool) {
        return activationEpoch != FAR_FUTURE_EPOCH && slot / 32 >= uint256(activationEpoch) + 256;
    }

    /// @dev A full validator's worth, or anything once the oldest round waited three days.
    function _hasDemand() internal view returns (bool) {
        uint256 demand = exitDemand();
        if (demand >= 32 ether) return true;
        bool waits = lastTicket > lastFinalised;
        return demand != 0 && waits && _tickets[lastFinalised + 1].endsAt + 3 days <= block.timestamp;
    }

    /// @dev Why no exit could be asked now, whoever's turn it is. Fills in what is known of the operator.
    function _readyCauses(Try memory t) private view returns (Refusals.Causes memory causes) {
        Key memory k = _known(t.id);
        t.asked = k.askedAt != 0;
        OperatorBook memory op = _books[k.operatorId];
        t.outOfTurn = op.debt != 0 || op.frozenAt != 0;
        t.withoutDemand = op.debt != 0 || (op.frozenAt != 0 && block.timestamp >= op.frozenAt + 7 days);
        uint256 time = _timeOf(t.slot);
        causes.add(k.status != IValidatorExits.Status.Active, IValidatorExits.WrongStatus.selector);
        causes.add(time + 1 hours < block.timestamp, IValidatorExits.StateTooOld.selector);
        causes.add(t.asked && time < k.askedAt + 1 hours, IValidatorExits.ExitAlreadyRequested.selector);
        bool ready = k.exitEpoch == FAR_FUTURE_EPOCH && _isMature(k.activationEpoch, t.slot);
        causes.add(!ready, IValidatorExits.NotReadyToExit.selector);
        causes.add(t.value < t.fee, IWithdrawalVault.FeeAboveMaximum.selector);
    }

    /// @dev Why it is not its turn.
    function _turnCauses(Try memory t, Refusals.Causes memory causes) private view {
        Standing[TIERS] memory all = _standings();
        uint256 without;
        for (uint256 i; i < t.passed.length; ++i) {
            uint256 young = _tierToExit(all, without);
            causes.add(young == NONE, IValidatorExits.NothingToExit.selector);
            if (young == NONE) return;
            _youngCauses(t.passed[i], t.slot, young, all[young], causes);
            without |= 1 << young;
        }
        uint256 tier = _tierToExit(all, without);
        causes.add(tier == NONE, IValidatorExits.NothingToExit.selector);
        if (tier == NONE) return;
        Key memory k = _known(t.id);
        t.headMoves = !k.own;
        bool turn = k.own ? k.tier == tier : all[tier].exitKey == t.id;
        causes.add(!turn, IValidatorExits.NotNext.selector);
    }

    /// @dev Why a tier is not passed over for this head of it.
    function _youngCauses(
        uint256 id,
        uint256 slot,
        uint256 tier,
        Standing memory s,
        Refusals.Causes memory causes
    ) private view {
        Key memory k = _known(id);
        causes.add(k.status != IValidatorExits.Status.Active, IValidatorExits.WrongStatus.selector);
        causes.add(k.askedAt != 0, IValidatorExits.ExitAlreadyRequested.selector);
        bool head = s.exitKey == NONE ? k.own && k.tier == tier : s.exitKey == id;
        causes.add(!head, IValidatorExits.NotNext.selector);
        causes.add(_timeOf(slot) + 1 hours < block.timestamp, IValidatorExits.StateTooOld.selector);
        causes.add(k.exitEpoch != FAR_FUTURE_EPOCH, IValidatorExits.IsExiting.selector);
        causes.add(_isMature(k.activationEpoch, slot), IValidatorExits.ReadyToExit.selector);
    }

    /// @dev Sends it, and books what was asked: each request, but each validator once as leaving.
    function _ask(Try memory t, bytes memory data, uint256 who, Refusals.Causes memory causes) private returns (bool) {
        address caller = _actor(who);
        _c.exitRequests.setFee(t.fee);
        vm.deal(caller, t.value);
        vm.prank(caller);
        (bool done, bytes memory reason) = address(_c.validators).call{value: t.value}(data);
        if (!causes.judge(done, reason)) return false;
        assertEq(caller.balance, t.value - t.fee, "the rest of the fee goes back");
        assertEq(_c.exitRequests.lastKey(), keccak256(_pubkey(t.id)), "I22: another validator was asked");
        _asks.push(block.timestamp);
        (_keys[t.id].askedAt, _keys[t.id].left) = (uint40(block.timestamp), true);
        return true;
    }

    function _skipCauses(
        uint256[] memory ids,
        Standing[TIERS] memory all
    ) private view returns (Refusals.Causes memory causes) {
        causes.add(ids.length == 0, IValidatorExits.NoKeys.selector);
        for (uint256 i; i < ids.length; ++i) {
            Key memory k = _known(ids[i]);
            bool stays = !k.left || !_wasFunded(k.status);
            causes.add(stays, IValidatorExits.WrongStatus.selector);
            if (stays) return causes;
            causes.add(all[k.tier].exitKey != ids[i], IValidatorExits.NotNext.selector);
            all[k.tier].exitKey = _after(ids[i]);
        }
    }

    /// @dev The key that comes after another in its tier's order of exits.
    function _after(uint256 id) private view returns (uint256) {
        uint256[] storage order = _order[_keys[id].tier];
        for (uint256 q = uint256(_keys[id].sequence) + 1; q < order.length; ++q) {
            Key storage k = _keys[order[q]];
            if (_wasFunded(k.status) && !k.own && !k.passed && k.sequence == q) return order[q];
        }
        return NONE;
    }

    /// @dev A validator of an operator in debt or frozen; any if there is none.
    function _findDelinquent(uint256 seed) private view returns (uint256) {
        uint256 count = _keys.length;
        for (uint256 i; i < count; ++i) {
            uint256 id = ((seed % count) + i) % count;
            OperatorBook storage op = _books[_keys[id].operatorId];
            if (_keys[id].status == IValidatorExits.Status.Active && (op.debt != 0 || op.frozenAt != 0)) return id;
        }
        return _some(seed, IValidatorExits.Status.Active);
    }

    function _extended(uint256[] memory list, uint256 id) private pure returns (uint256[] memory longer) {
        longer = new uint256[](list.length + 1);
        for (uint256 i; i < list.length; ++i) longer[i] = list[i];
        longer[list.length] = id;
    }
}
