// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IOperatorRegistry} from "../../../contracts/validators/IOperatorRegistry.sol";
import {OperatorBooks} from "./OperatorBooks.sol";
import {Refusals} from "./Refusals.sol";
import {SHARES_PER_UNIT} from "../../../contracts/shared/Units.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice Fines, and bonds and rewards in every form: shares and westETH in, westETH out, rewards into the bond. The
/// handler is guardian and governance.
abstract contract Bonds is OperatorBooks {
    using Refusals for Refusals.Causes;

    uint256 private constant FINE_LIFETIME = 30 days;

    // --- bonds ---

    /// @notice Anybody adds to anybody's bond: here a staker, in exact shares.
    function addBondShares(uint256 who, uint256 from, uint256 amount) external keepsRate keepsShares {
        uint256 id = _operator(who);
        address actor = actors[from % ACTORS];
        uint256 held = _c.token.sharesOf(actor);
        if (held == 0) return;
        amount = bound(amount, 1, held);
        vm.prank(actor);
        _c.token.approve(address(_c.operators), type(uint256).max);
        vm.prank(actor);
        _c.operators.addBondShares(id, amount);
        _given(id, actor, amount);
        _took("addBondShares");
    }

    function addBondWrapped(uint256 who, uint256 from, uint256 amount) external keepsRate keepsShares {
        uint256 id = _operator(who);
        address actor = actors[from % ACTORS];
        uint256 held = _c.wrapped.balanceOf(actor);
        if (held == 0) return;
        amount = bound(amount, 1, held);
        vm.prank(actor);
        _c.wrapped.approve(address(_c.operators), amount);
        vm.prank(actor);
        _c.operators.addBondWrapped(id, amount);
        _given(id, actor, amount * SHARES_PER_UNIT);
        _took("addBondWrapped");
    }

    /// @notice I8, as for shares.
    function withdrawBondWrapped(uint256 who, uint256 amount) external keepsRate keepsShares {
        uint256 id = _operator(who);
        if (_books[id].bond < SHARES_PER_UNIT) return;
        amount = bound(amount, 1, _books[id].bond / SHARES_PER_UNIT);
        uint256 before = _c.wrapped.balanceOf(BOND_RECEIVER);
        Refusals.Causes memory causes = _withdrawalCauses(id, amount * SHARES_PER_UNIT);
        bytes memory data = abi.encodeCall(IOperatorRegistry.withdrawBondWrapped, (id, amount, BOND_RECEIVER));
        vm.prank(_owner(id));
        (bool done, bytes memory reason) = address(_c.operators).call(data);
        if (!causes.judge(done, reason)) return;
        assertEq(_c.wrapped.balanceOf(BOND_RECEIVER) - before, amount, "westETH withdrawn");
        _books[id].bond -= amount * SHARES_PER_UNIT;
        _took("withdrawBondWrapped");
    }

    // --- rewards ---

    /// @notice Whole units of westETH; what is less stays with the rewards.
    function claimRewardsWrapped(uint256 who) external keepsRate keepsShares {
        uint256 id = _operator(who);
        address owner = _owner(id);
        if (!_canCollect(id)) return;
        uint256 before = _c.wrapped.balanceOf(owner);
        uint256 rewards = _collect(id);
        vm.prank(owner);
        _c.operators.claimRewardsWrapped(id, owner);
        assertEq(_c.wrapped.balanceOf(owner) - before, rewards / SHARES_PER_UNIT, "rewards in whole units");
        _books[id].rewards = rewards % SHARES_PER_UNIT;
        _fees.taken -= rewards % SHARES_PER_UNIT;
        _took("claimRewardsWrapped");
    }

    function compoundRewards(uint256 who) external keepsRate keepsShares {
        uint256 id = _operator(who);
        if (!_canCollect(id)) return;
        uint256 rewards = _collect(id);
        vm.prank(_owner(id));
        assertEq(_c.operators.compoundRewards(id), rewards, "rewards, debt repaid first");
        _books[id].bond += rewards;
        _took("compoundRewards");
    }

    // --- fines ---

    /// @notice I16: a fine is locked once at a time, and takes at most the bond.
    function lockFine(uint256 who, uint256 amount) external keepsRate keepsShares {
        uint256 id = _operator(who);
        OperatorBook storage op = _books[id];
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        uint256 value = (op.bond * totalEther) / totalShares;
        amount = bound(amount, 1, value + value / 8 + 1);
        uint256 locked = (amount * totalShares + totalEther - 1) / totalEther;
        if (locked > op.bond) locked = op.bond;
        Refusals.Causes memory causes;
        causes.add(op.fine != 0, IOperatorRegistry.FineOpen.selector);
        causes.add(amount > value, IOperatorRegistry.FineAboveBond.selector);
        bytes memory data = abi.encodeCall(IOperatorRegistry.lockFine, (id, amount, keccak256(abi.encode(amount))));
        (bool done, bytes memory reason) = address(_c.operators).call(data);
        if (!causes.judge(done, reason)) return _took("lockFineInVain");
        op.bond -= locked;
        op.inDoubt = true;
        (op.fine, op.fineExpiresAt) = (locked, block.timestamp + FINE_LIFETIME);
        _took("lockFine");
    }

    /// @notice I16: within its time a fine becomes cover, whole; after it anybody gives it back; governance may at any time.
    function endFine(uint256 who, uint256 way) external keepsRate keepsShares {
        uint256 id = _operator(who);
        OperatorBook storage op = _books[id];
        bool lapsed = block.timestamp > op.fineExpiresAt;
        way %= 3;
        bytes4 call = [
            IOperatorRegistry.confirmFine.selector,
            IOperatorRegistry.cancelFine.selector,
            IOperatorRegistry.releaseFine.selector
        ][way];
        Refusals.Causes memory causes;
        causes.add(op.fine == 0, IOperatorRegistry.NoFine.selector);
        causes.add(op.fine != 0 && way == 0 && lapsed, IOperatorRegistry.FineLapsed.selector);
        causes.add(op.fine != 0 && way == 2 && !lapsed, IOperatorRegistry.FineOpen.selector);
        (bool done, bytes memory reason) = address(_c.operators).call(abi.encodeWithSelector(call, id));
        if (!causes.judge(done, reason)) return _took("endFineInVain");
        uint256 fine = op.fine;
        (op.fine, op.fineExpiresAt) = (0, 0);
        if (way == 0) _shares.cover += fine;
        else op.bond += fine - _repay(id, fine);
        _took([bytes32("confirmFine"), "cancelFine", "releaseFine"][way]);
    }

    // --- internal ---

    /// @dev An actor gave shares away to a bond.
    function _given(uint256 id, address actor, uint256 amount) private {
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        credit[actor] -= int256((amount * totalEther) / totalShares);
        _books[id].bond += amount - _repay(id, amount);
    }
}
