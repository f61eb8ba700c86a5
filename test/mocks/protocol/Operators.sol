// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IOperatorRegistry} from "../../../contracts/validators/IOperatorRegistry.sol";
import {IValidatorExits} from "../../../contracts/validators/IValidatorExits.sol";
import {IValidatorRegistry} from "../../../contracts/validators/IValidatorRegistry.sol";
import {Funding} from "./Funding.sol";
import {Refusals} from "./Refusals.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice What operators do themselves: bonds, rewards, keys.
abstract contract Operators is Funding {
    using Refusals for Refusals.Causes;

    function payTreasury() external keepsRate keepsShares {
        _divide();
        uint256 before = _c.token.sharesOf(_c.treasury);
        _c.operators.payTreasury();
        assertEq(_c.token.sharesOf(_c.treasury) - before, _fees.treasury, "the treasury's part");
        if (_fees.treasury != 0) _took("payTreasury");
        _fees.taken += _fees.treasury;
        _fees.treasury = 0;
    }

    function addBond(uint256 who, uint256 amount) external keepsRate {
        _addBond(_operator(who), bound(amount, 1, 60 ether));
    }

    /// @notice I8: what may be withdrawn leaves the whole requirement of proven validators.
    function withdrawBond(uint256 who, uint256 amount) external keepsRate keepsShares {
        uint256 id = _operator(who);
        if (_books[id].bond == 0) return;
        amount = bound(amount, 1, _books[id].bond + _books[id].bond / 8);
        Refusals.Causes memory causes = _withdrawalCauses(id, amount);
        bytes memory data = abi.encodeCall(IOperatorRegistry.withdrawBond, (id, amount, BOND_RECEIVER));
        vm.prank(_owner(id));
        (bool done, bytes memory reason) = address(_c.operators).call(data);
        if (!causes.judge(done, reason)) return _took("withdrawBondInVain");
        _books[id].bond -= amount;
        _took("withdrawBond");
    }

    function claimRewards(uint256 who) external keepsRate keepsShares {
        uint256 id = _operator(who);
        address owner = _owner(id);
        if (!_canCollect(id)) return;
        uint256 before = _c.token.sharesOf(owner);
        uint256 rewards = _collect(id);
        vm.prank(owner);
        _c.operators.claimRewards(id, owner);
        assertEq(_c.token.sharesOf(owner) - before, rewards, "rewards by weight, debt repaid first");
        _took("claimRewards");
    }

    /// @notice One key or several, some of which somebody knows already; by the owner, its manager or a stranger.
    function predeposit(uint256 who, uint256 count, uint256 mix, uint256 by) external keepsRate keepsShares {
        _predeposit(_operator(who), bound(count, 1, 6), mix, by);
    }

    /// @notice Dropped keys are put back at the end, by whoever may.
    function requeue(uint256 who, uint256 count, uint256 by) external keepsRate keepsShares {
        uint256[] memory ids = new uint256[](count % 5 == 4 ? 0 : 1 + (count % 3));
        for (uint256 i; i < ids.length; ++i) ids[i] = _some(who / 4 + i * 16, IValidatorExits.Status.Dropped);
        address caller = _callerFor(ids.length == 0 ? 1 : _known(ids[0]).operatorId, by);
        Refusals.Causes memory causes = _requeueCauses(ids, caller);
        bytes memory data = abi.encodeCall(IValidatorRegistry.requeue, (_roots(ids)));
        vm.prank(caller);
        (bool done, bytes memory reason) = address(_c.validators).call(data);
        if (!causes.judge(done, reason)) return _took("requeueInVain");
        for (uint256 i; i < ids.length; ++i) _enqueue(ids[i]);
        _took("requeue");
    }

    /// @notice An operator funds its own key out of turn: an ordinary deposit, and the tier's maximum holds.
    function fundOwn(uint256 which, uint256 by, uint256 value) external keepsRate {
        uint256 id = _some(which, IValidatorExits.Status.Queued);
        address caller = _callerFor(_known(id).operatorId, by);
        value = value % 16 == 0 ? value % 32 ether : 31 ether;
        Refusals.Causes memory causes = _fundOwnCauses(id, caller, value);
        uint256 minted = _bondAfterOwn();
        vm.deal(caller, caller.balance + value);
        bytes memory data = abi.encodeCall(IValidatorRegistry.fundOwn, (_pubkey(id)));
        uint256 had = _c.token.balanceOf(caller);
        vm.prank(caller);
        (bool done, bytes memory reason) = address(_c.validators).call{value: value}(data);
        if (!causes.judge(done, reason)) return _took("fundOwnInVain");
        assertApprox(_c.token.balanceOf(caller), had + value, 1, "fundOwn: an ordinary deposit");
        _keys[id].own = true;
        _cash.deposited += value;
        _noteFunding(1);
        _activate(id);
        _noteFunded(_keys[id].operatorId, 1, minted);
        _took("fundOwn");
    }

    // --- internal ---

    /// @dev The shares of 1 ETH once 31 were deposited.
    function _bondAfterOwn() private view returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        totalShares += (31 ether * totalShares) / totalEther;
        return (1 ether * totalShares) / (totalEther + 31 ether);
    }

    function _addBond(uint256 id, uint256 amount) internal {
        Refusals.Causes memory causes = _depositCauses(amount);
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        uint256 minted = (amount * totalShares) / totalEther;
        vm.deal(STAKER, amount);
        vm.prank(STAKER);
        (bool done, bytes memory reason) = address(_c.operators).call{value: amount}(
            abi.encodeCall(IOperatorRegistry.addBond, (id))
        );
        if (!causes.judge(done, reason)) return _took("depositInVain");
        _cash.deposited += amount;
        _books[id].bond += minted - _repay(id, minted);
        _took("addBond");
    }

    function _predeposit(uint256 operatorId, uint256 count, uint256 mix, uint256 by) internal {
        uint256[] memory ids = new uint256[](count);
        uint256 fresh;
        for (uint256 i; i < count; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(mix, i))) % 8;
            if (mix % 8 == 7 && _keys.length != 0) ids[i] = (mix / 8 + i) % _keys.length;
            else if (mix % 4 == 2 && dice == 0 && _keys.length != 0) ids[i] = (mix / 8) % _keys.length;
            else if (mix % 4 == 2 && dice == 1 && i != 0) ids[i] = ids[i - 1];
            else ids[i] = _keys.length + fresh++;
        }
        _sendPredeposit(operatorId, ids, fresh, by);
    }

    function _sendPredeposit(uint256 operatorId, uint256[] memory ids, uint256 fresh, uint256 by) private {
        address caller = _callerFor(operatorId, by);
        uint256 value = ids.length * 1 ether - (by % 16 == 15 ? 1 : 0);
        Refusals.Causes memory causes;
        causes.add(!_actsFor(caller, operatorId), IOperatorRegistry.NotOperatorOwner.selector);
        causes.add(value % 1 ether != 0, IValidatorRegistry.WrongValue.selector);
        causes.add(fresh == 0, IValidatorRegistry.AllKeysKnown.selector);
        _addUnclear(causes, operatorId);
        bytes memory data = _predepositCall(operatorId, ids);
        vm.deal(caller, value);
        vm.prank(caller);
        (bool done, bytes memory reason) = address(_c.validators).call{value: value}(data);
        if (!causes.judge(done, reason)) return _took("predepositInVain");
        assertEq(caller.balance, (ids.length - fresh) * 1 ether, "what was sent for known keys comes back");
        for (uint256 i; i < fresh; ++i) _addKey(operatorId);
        _beacon.predeposited += fresh;
        _took(fresh == ids.length ? bytes32("predeposit") : bytes32("predepositMixed"));
    }

    function _predepositCall(uint256 operatorId, uint256[] memory ids) private view returns (bytes memory) {
        bytes[] memory pubkeys = new bytes[](ids.length);
        bytes[] memory signatures = new bytes[](ids.length);
        bytes32[] memory roots = new bytes32[](ids.length);
        for (uint256 i; i < ids.length; ++i) {
            pubkeys[i] = _pubkey(ids[i]);
            signatures[i] = abi.encodePacked(pubkeys[i], pubkeys[i]);
            roots[i] = _c.deposits.rootOf(pubkeys[i], 1 ether, signatures[i]);
        }
        return abi.encodeCall(IValidatorRegistry.predeposit, (operatorId, pubkeys, signatures, roots));
    }

    function _requeueCauses(uint256[] memory ids, address caller) private returns (Refusals.Causes memory causes) {
        causes.add(ids.length == 0, IValidatorExits.NoKeys.selector);
        uint256[] memory more = new uint256[](OPERATORS + 1);
        for (uint256 i; i < ids.length; ++i) {
            Key memory k = _known(ids[i]);
            bool again = k.status != IValidatorExits.Status.Dropped;
            for (uint256 j; j < i; ++j) again = again || ids[j] == ids[i];
            causes.add(again, IValidatorExits.WrongStatus.selector);
            if (again) return causes;
            causes.add(!_actsFor(caller, k.operatorId), IOperatorRegistry.NotOperatorOwner.selector);
            _addUnclear(causes, k.operatorId);
            bool lacks = _bondLacks(k.operatorId, ++more[k.operatorId]);
            causes.add(lacks, IOperatorRegistry.BondTooSmall.selector);
        }
    }

    function _fundOwnCauses(uint256 id, address caller, uint256 value) private returns (Refusals.Causes memory causes) {
        causes = _depositCauses(31 ether);
        causes.add(value != 31 ether, IValidatorRegistry.WrongValue.selector);
        Key memory k = _known(id);
        causes.add(k.status != IValidatorExits.Status.Queued, IValidatorExits.WrongStatus.selector);
        if (k.status != IValidatorExits.Status.Queued) return causes;
        causes.add(!_actsFor(caller, k.operatorId), IOperatorRegistry.NotOperatorOwner.selector);
        _addUnclear(causes, k.operatorId);
        causes.add(_isFull(_standings(), k.tier), IValidatorRegistry.TierAtMaximum.selector);
        bool lacks = _books[k.operatorId].inDoubt && _bondLacks(k.operatorId, 0);
        causes.add(lacks, IOperatorRegistry.BondTooSmall.selector);
    }

    /// @dev Mostly the owner.
    function _callerFor(uint256 operatorId, uint256 by) private returns (address) {
        if (operatorId == 0 || by % 8 == 7) return account("stranger");
        address manager = _manager(operatorId);
        return by % 4 == 2 && manager != address(0) ? manager : _owner(operatorId);
    }

    function _actsFor(address caller, uint256 operatorId) private returns (bool) {
        return operatorId != 0 && (caller == _owner(operatorId) || caller == _manager(operatorId));
    }
}
