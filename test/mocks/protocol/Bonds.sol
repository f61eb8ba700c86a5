// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IOperatorRegistry} from "../../../contracts/validators/IOperatorRegistry.sol";
import {Operators} from "./Operators.sol";
import {SHARES_PER_UNIT} from "../../../contracts/shared/Units.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice Fines, and bonds and rewards in every form: shares and westETH in, westETH out, rewards into the bond. The
/// handler is guardian and governance.
abstract contract Bonds is Operators {
    uint256 private constant FINE_LIFETIME = 7 days;
    address private constant BOND_RECEIVER = address(0xb0bd);

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
        vm.prank(_owner(id));
        try _c.operators.withdrawBondWrapped(id, amount, BOND_RECEIVER) {
            assertEq(_c.wrapped.balanceOf(BOND_RECEIVER) - before, amount, "westETH withdrawn");
            _bondWithdrawn(id, amount * SHARES_PER_UNIT);
            _took("withdrawBondWrapped");
        } catch (bytes memory reason) {
            _expectBondRefusal(reason);
        }
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
        try _c.operators.lockFine(id, amount, keccak256(abi.encode(amount))) {
            assertEq(op.fine, 0, "I16: two fines at a time");
            assertLe(amount, value, "I16: a fine above the bond");
            op.bond -= locked;
            (op.fine, op.fineExpiresAt) = (locked, block.timestamp + FINE_LIFETIME);
            _took("lockFine");
        } catch (bytes memory reason) {
            bytes4 name = bytes4(reason);
            bool expected =
                (name == IOperatorRegistry.FineOpen.selector && op.fine != 0) ||
                    (name == IOperatorRegistry.FineAboveBond.selector && amount > value);
            require(expected, UnexpectedRefusal(reason));
            _took("lockFineInVain");
        }
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
        (bool done, bytes memory reason) = address(_c.operators).call(abi.encodeWithSelector(call, id));
        if (!done) {
            bytes4 name = bytes4(reason);
            bool expected =
                (name == IOperatorRegistry.NoFine.selector && op.fine == 0) ||
                    (name == IOperatorRegistry.FineLapsed.selector && way == 0 && lapsed) ||
                    (name == IOperatorRegistry.FineOpen.selector && way == 2 && !lapsed);
            require(expected, UnexpectedRefusal(reason));
            return;
        }
        assertGt(op.fine, 0, "I16: a fine that was not locked");
        assertTrue(way == 1 || lapsed == (way == 2), "I16: confirmed late or released early");
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
