// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBeaconProof} from "../../../contracts/validators/IBeaconProof.sol";
import {IOperatorRegistry} from "../../../contracts/validators/IOperatorRegistry.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {IValidatorExits} from "../../../contracts/validators/IValidatorExits.sol";
import {IValidatorRegistry} from "../../../contracts/validators/IValidatorRegistry.sol";
import {OperatorBooks} from "./OperatorBooks.sol";
import {Refusals} from "./Refusals.sol";
import {TOP_UP} from "../../../contracts/shared/Units.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice From a predeposit to a funded validator: what anyone may prove, fund and drop.
abstract contract Funding is OperatorBooks {
    using Refusals for Refusals.Causes;

    /// @dev One batch of keys on its way to be funded.
    struct Batch {
        uint256[] ids; // as they are sent
        uint256[] taken; // those that are funded, the first `count`
        uint256 count;
        uint256 minted; // bond shares
    }

    /// @notice Proves predeposited keys of everybody, among them keys that were proven already, or one that can't be.
    function prove(uint256 which, uint256 count, uint256 mix) external keepsRate keepsShares {
        uint256[] memory ids = new uint256[](1 + (count % 6));
        for (uint256 i; i < ids.length; ++i) {
            ids[i] = _some(which / 4 + i * 16, IValidatorExits.Status.Predeposited);
            if (mix % 8 == 7) ids[i] = (mix / 8 + i) % (_keys.length + 1);
        }
        _prove(ids, mix / 8);
    }

    /// @notice Funds queued validators, in whatever order they are sent.
    function fund(uint256 who, uint256 count) external keepsRate {
        _fund(who, count);
    }

    /// @notice Queued keys of operators that were frozen, are in debt, or were penalised beyond their bond.
    function drop(uint256 which, uint256 count) external keepsRate keepsShares {
        uint256[] memory ids = new uint256[](1 + (count % 4));
        for (uint256 i; i < ids.length; ++i) ids[i] = _some(which / 4 + i * 16, IValidatorExits.Status.Queued);
        Refusals.Causes memory causes = _dropCauses(ids);
        bytes memory data = abi.encodeCall(IValidatorRegistry.dropQueued, (_roots(ids)));
        vm.prank(_actor(which));
        (bool done, bytes memory reason) = address(_c.validators).call(data);
        if (!causes.judge(done, reason)) return _took("dropInVain");
        for (uint256 i; i < ids.length; ++i) {
            if (_known(ids[i]).status != IValidatorExits.Status.Queued) continue;
            _keys[ids[i]].status = IValidatorExits.Status.Dropped;
            --_books[_keys[ids[i]].operatorId].queued;
        }
        _took("drop");
    }

    // --- internal: proofs ---

    function _prove(uint256[] memory ids, uint256 fault) internal {
        IBeaconProof.ValidatorBatch memory batch;
        batch.header.slot = uint64(_slotAt(block.timestamp));
        batch.validators = new IBeaconProof.ListedValidator[](ids.length);
        for (uint256 i; i < ids.length; ++i) {
            batch.validators[i].index = uint64(FIRST_INDEX + ids[i]);
            batch.validators[i].validator = _validator(ids[i]);
        }
        Refusals.Causes memory causes = _spoilBatch(batch, fault);
        bool[] memory fresh = _proofCauses(batch, ids, causes);
        vm.prank(_actor(fault));
        (bool done, bytes memory reason) = address(_c.validators).call(
            abi.encodeCall(IValidatorRegistry.proveValidators, (batch))
        );
        if (!causes.judge(done, reason)) return _took("proveInVain");
        bool passedOver;
        for (uint256 i; i < ids.length; ++i) {
            passedOver = passedOver || !fresh[i];
            if (!fresh[i]) continue;
            _c.deposits.noteProven(_keys[ids[i]].root);
            _enqueue(ids[i]);
        }
        _took(passedOver ? bytes32("proveMixed") : bytes32("prove"));
    }

    /// @dev Once in a while one proof shows something that must not be, or the whole batch is false.
    function _spoilBatch(
        IBeaconProof.ValidatorBatch memory batch,
        uint256 fault
    ) private pure returns (Refusals.Causes memory causes) {
        uint256 i = (fault / 32) % batch.validators.length;
        fault %= 32;
        if (fault == 1) batch.validators[i].validator.slashed = true;
        if (fault == 2) batch.validators[i].validator.effectiveBalanceGwei = 1e9 - 1;
        if (fault == 3) batch.validators[i].validator.activationEligibilityEpoch = 7;
        if (fault == 4) batch.validators[i].validator.withdrawalCredentials ^= bytes32(uint256(1) << 255);
        if (fault == 5) batch.header.stateRoot = FALSE_STATE;
        causes.add(fault == 4, IValidatorExits.WrongCredentials.selector);
        causes.add(fault == 5, IBeaconProof.ProofInvalid.selector);
    }

    function _proofCauses(
        IBeaconProof.ValidatorBatch memory batch,
        uint256[] memory ids,
        Refusals.Causes memory causes
    ) private view returns (bool[] memory fresh) {
        fresh = new bool[](ids.length);
        uint256[] memory more = new uint256[](OPERATORS + 1);
        bool any;
        for (uint256 i; i < ids.length; ++i) {
            Key memory k = _known(ids[i]);
            bool again = k.status > IValidatorExits.Status.Predeposited;
            for (uint256 j; j < i; ++j) again = again || ids[j] == ids[i];
            if (again) continue;
            causes.add(k.status == IValidatorExits.Status.Unknown, IValidatorExits.WrongStatus.selector);
            if (k.status == IValidatorExits.Status.Unknown) return fresh;
            (fresh[i], any) = (true, true);
            causes.add(batch.validators[i].validator.slashed, IValidatorExits.ValidatorSlashed.selector);
            bool small = batch.validators[i].validator.effectiveBalanceGwei < 1e9;
            causes.add(small, IValidatorRegistry.EffectiveBalanceTooSmall.selector);
            bool eligible = batch.validators[i].validator.activationEligibilityEpoch != type(uint64).max;
            causes.add(eligible, IValidatorRegistry.AlreadyEligible.selector);
            if (_books[k.operatorId].inDoubt) _addUnclear(causes, k.operatorId);
            bool lacks = _bondLacks(k.operatorId, ++more[k.operatorId]);
            causes.add(lacks, IOperatorRegistry.BondTooSmall.selector);
        }
        causes.add(!any, IValidatorRegistry.AllKeysKnown.selector);
    }

    /// @dev A key gets the next place of its tier.
    function _enqueue(uint256 id) internal {
        Key storage k = _keys[id];
        k.tier = uint8(_tierOf(k.operatorId));
        k.status = IValidatorExits.Status.Queued;
        k.sequence = uint40(_order[k.tier].length);
        _order[k.tier].push(id);
        ++_books[k.operatorId].queued;
    }

    /// @dev As many queued keys are dropped as come before one that must not be.
    function _dropCauses(uint256[] memory ids) private view returns (Refusals.Causes memory causes) {
        uint256[] memory gone = new uint256[](OPERATORS + 1);
        bool any;
        for (uint256 i; i < ids.length; ++i) {
            Key memory k = _known(ids[i]);
            bool again = k.status != IValidatorExits.Status.Queued;
            for (uint256 j; j < i; ++j) again = again || ids[j] == ids[i];
            if (again) continue;
            any = true;
            OperatorBook memory op = _books[k.operatorId];
            if (op.frozenAt != 0 || op.debt != 0) continue;
            causes.add(!op.inDoubt, IOperatorRegistry.NotInDoubt.selector);
            bool suffices = !_bondLacksWithout(k.operatorId, gone[k.operatorId]++);
            causes.add(suffices, IOperatorRegistry.BondSuffices.selector);
        }
        causes.add(!any, IValidatorRegistry.NoneQueued.selector);
    }

    /// @dev As _bondLacks, with `gone` queued keys less.
    function _bondLacksWithout(uint256 operatorId, uint256 gone) private view returns (bool) {
        (uint256 atStake, uint256 required) = bondOf(operatorId);
        return (atStake - gone * 1 ether) * 10_000 < (required - gone * _tiers[_tierOf(operatorId)].bondNext) * 9_800;
    }

    // --- internal: funding ---

    function _fund(uint256 who, uint256 count) internal {
        uint256 buffer = poolCash();
        uint256 room = buffer > promised() ? (buffer - promised()) / TOP_UP : 0;
        Batch memory b;
        b.ids = _nextKeys(count % 2 == 0 ? 64 : bound(count, 1, 8), who);
        b.taken = new uint256[](b.ids.length);
        Refusals.Causes memory causes;
        _take(b, room, causes);
        causes.add(block.timestamp > _gate.openUntil, IStakingPool.ReportOverdue.selector);
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        b.minted = (b.count * 1 ether * totalShares) / totalEther;
        _addDoubts(b, causes);
        uint256 sent = address(_c.deposits).balance;
        bytes[] memory pubkeys = new bytes[](b.ids.length);
        for (uint256 i; i < b.ids.length; ++i) pubkeys[i] = _pubkey(b.ids[i]);
        vm.prank(_actor(who));
        (bool done, bytes memory reason) = address(_c.validators).call(
            abi.encodeCall(IValidatorRegistry.fundValidators, (pubkeys))
        );
        if (!causes.judge(done, reason)) {
            if (b.count != 0 && block.timestamp > _gate.openUntil) _took("fundOverdue");
            if (causes.has(IValidatorExits.NotNext.selector)) _took("fundOutOfOrder");
            return;
        }
        assertEq(abi.decode(reason, (uint256)), b.count, "as many as there is ether for, in order");
        assertEq(address(_c.deposits).balance - sent, b.count * TOP_UP, "I7: 31 ETH a validator");
        _noteBatch(b);
        _took(b.ids[0] == b.taken[0] ? bytes32("fund") : bytes32("fundAfterOthers"));
    }

    /// @dev The keys whose turn it is, one after the other; before them perhaps some that are no longer queued, or one out of
    /// order.
    function _nextKeys(uint256 most, uint256 seed) private view returns (uint256[] memory ids) {
        Standing[TIERS] memory all = _standings();
        uint256[] memory found = new uint256[](most + 2);
        uint256 count;
        if (seed % 16 == 1) found[count++] = (seed / 16) % (_keys.length + 1);
        if (seed % 4 == 2) found[count++] = _some(seed / 4, IValidatorExits.Status.Active);
        for (uint256 i; i < most; ++i) {
            uint256 tier = _tierToFund(all);
            if (tier == NONE) break;
            found[count++] = all[tier].fundKey;
            _takeHead(all, tier);
        }
        if (seed % 16 == 4 && count > 1) (found[0], found[count - 1]) = (found[count - 1], found[0]);
        ids = new uint256[](count);
        for (uint256 i; i < count; ++i) ids[i] = found[i];
    }

    /// @dev Which of the keys are funded, by the rules: in order, as far as the ether reaches.
    function _take(Batch memory b, uint256 room, Refusals.Causes memory causes) private view {
        Standing[TIERS] memory all = _standings();
        for (uint256 i; i < b.ids.length && b.count < room; ++i) {
            Key memory k = _known(b.ids[i]);
            bool again = k.status > IValidatorExits.Status.Queued;
            for (uint256 j; j < b.count; ++j) again = again || b.taken[j] == b.ids[i];
            if (again) continue;
            causes.add(k.status != IValidatorExits.Status.Queued, IValidatorExits.WrongStatus.selector);
            if (k.status != IValidatorExits.Status.Queued) return;
            uint256 tier = _tierToFund(all);
            if (tier == NONE) break;
            causes.add(all[tier].fundKey != b.ids[i], IValidatorExits.NotNext.selector);
            if (all[tier].fundKey != b.ids[i]) return;
            _takeHead(all, tier);
            b.taken[b.count++] = b.ids[i];
        }
        causes.add(b.count == 0, IValidatorRegistry.NothingToFund.selector);
    }

    /// @dev An operator in doubt is looked at again before its first keys of the batch are funded, their bond minted already.
    function _addDoubts(Batch memory b, Refusals.Causes memory causes) private view {
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        totalEther += b.count * 1 ether;
        totalShares += b.minted;
        for (uint256 i; i < b.count; ++i) {
            uint256 id = _keys[b.taken[i]].operatorId;
            OperatorBook memory op = _books[id];
            if (!op.inDoubt) continue;
            _addUnclear(causes, id);
            (, uint256 required) = bondOf(id);
            uint256 atStake = (op.bond * totalEther) / totalShares + op.queued * 1 ether;
            causes.add(atStake * 10_000 < required * 9_800, IOperatorRegistry.BondTooSmall.selector);
        }
    }

    /// @dev The bond in equal parts, the remainder to the first.
    function _noteBatch(Batch memory b) private {
        _noteFunding(b.count);
        for (uint256 i; i < b.count; ++i) {
            _activate(b.taken[i]);
            uint256 bond = b.minted / b.count + (i == 0 ? b.minted % b.count : 0);
            _noteFunded(_keys[b.taken[i]].operatorId, 1, bond);
        }
    }

    function _noteFunding(uint256 count) internal {
        _cash.bonds += count * 1 ether;
        _beacon.funded += count;
        _beacon.cl += count * 32 ether;
        _fundings.push(Milestone(block.timestamp, _beacon.funded));
    }

    /// @dev From when it is active is settled at once: between minutes and two days later.
    function _activate(uint256 id) internal {
        Key storage k = _keys[id];
        k.status = IValidatorExits.Status.Active;
        k.principalGwei = 32e9;
        k.activationEpoch = _epochNow() + 4 + uint64(uint256(k.root) % 400);
    }
}
