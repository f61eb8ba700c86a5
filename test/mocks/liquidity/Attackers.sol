// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, SHARES_PER_UNIT} from "../../../contracts/shared/Units.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {RouterUsers} from "./RouterUsers.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice Who has flash capital and acts within a block: L5, L6 and L8.
abstract contract Attackers is RouterUsers {
    address internal constant ATTACKER = address(0xa77ac4);

    constructor() {
        vm.deal(ATTACKER, 2 * RICH);
        vm.startPrank(ATTACKER);
        _c.pool.deposit{value: 300_000 ether}(ATTACKER, ATTACKER);
        _c.token.approve(address(etherPool), type(uint256).max);
        _c.token.approve(address(router), type(uint256).max);
        etherPool.approve(address(router), type(uint256).max);
        vm.stopPrank();
    }

    /// @notice L5: any sequence of calls in a block, unwound, earns at most the rebates that could be had before it.
    function attack(uint256 seed) external {
        Sight memory s = _see();
        uint256 rebates = _rebates(s);
        uint256 had = _worthOf(s, _purse(ATTACKER));
        uint256 steps = 2 + (seed % 6);
        for (uint256 i; i < steps; ++i) _step(uint256(keccak256(abi.encode(seed, i))), seed % 3);
        uint256 lp = etherPool.balanceOf(ATTACKER);
        vm.startPrank(ATTACKER);
        if (lp != 0) etherPool.exit(lp, 0, 0, ATTACKER);
        vm.stopPrank();
        uint256 has = _worthOf(_see(), _purse(ATTACKER));
        assertLe(has, had + rebates + 2 + steps, "L5: more than the rebates that were there");
        assertEq(_sameRate(s), true, "L5: within one rate");
        _follow();
        _took("attack");
    }

    /// @notice L5: who enters in front of somebody's sale and leaves behind it gets at most its part of that sale's fee.
    function surround(uint256 who, uint256 size, uint256 amount) external keepsLps(4) {
        if (!_calm()) return;
        address victim = _actor(who);
        Sight memory s = _see();
        uint256 had = _worthOf(s, _purse(ATTACKER));
        uint256 lp = bound(size, 1, 5 * s.lp);
        _enter(lp);
        (uint256 reserve, ) = etherPool.reserves();
        amount = bound(amount, 0, Math.min(reserve, 500 ether));
        uint256 shares = _c.token.sharesOf(victim);
        if (amount != 0 && etherPool.quoteSellFor(amount) * SHARES_PER_UNIT > shares) amount = 0;
        vm.startPrank(victim);
        uint256 units = amount == 0 ? 0 : etherPool.sellFor(amount, type(uint256).max, victim);
        vm.stopPrank();
        uint256 fee = _worth(s, units * SHARES_PER_UNIT) + 1 - amount;
        uint256 part = Math.mulDiv(fee, lp, s.lp + lp, Math.Rounding.Ceil);
        vm.prank(ATTACKER);
        etherPool.exit(lp, 0, 0, ATTACKER);
        uint256 has = _worthOf(_see(), _purse(ATTACKER));
        assertLe(has, had + part + 2, "L5: more than its part of the fee");
        _follow();
        _took("surround");
    }

    /// @notice L6: who enters, sees a report and leaves in one block gets no more of either asset than it brought.
    function straddle(uint256 size, uint256 change) external {
        Sight memory s = _see();
        uint256 lp = bound(size, 1, 3 * s.lp);
        (uint256 ether_, uint256 units) = _enter(lp);
        int256 moved = change % 2 == 0 ? int256(bound(change, 0, 2 ether)) : -int256(bound(change, 0, 20 ether));
        _report(moved, change % 16 == 0);
        vm.prank(ATTACKER);
        (uint256 out, uint256 back) = etherPool.exit(lp, 0, 0, ATTACKER);
        assertLe(out, ether_, "L6: more ether");
        assertLe(back, units, "L6: more units");
        _follow();
        _took("straddle");
    }

    /// @notice L8: an entrant loses at most the entry fee and its part of the rebates as they were, whatever others trade.
    function watchAnEntrant(uint256 size, uint256 seed) external keepsLps(12) {
        address entrant = actors[1];
        Sight memory s = _see();
        uint256 lp = bound(size, s.lp / 1e6 + 1, s.lp / 10 + 1);
        Purse memory before = _purse(entrant);
        uint256 value = Math.ceilDiv(s.reserve * lp * (BP + ENTRY), s.lp * BP);
        if ((s.units + 1) * SHARES_PER_UNIT > before.shares) return;
        vm.prank(entrant);
        etherPool.enter{value: value}(lp, type(uint256).max, entrant);
        for (uint256 i; i < 8; ++i) _step(uint256(keccak256(abi.encode(seed, i))), 3);
        vm.prank(entrant);
        etherPool.exit(lp, 0, 0, entrant);
        Purse memory later = _purse(entrant);
        uint256 brought = Math.mulDiv(_value(s), lp, s.lp);
        uint256 most = brought / 5_000 + Math.mulDiv(_rebates(s), lp, s.lp) + 24;
        assertGe(_worthOf(s, later) + most, _worthOf(s, before), "L8: lost more");
        _follow();
        _took("watchAnEntrant");
    }

    // --- internal ---

    /// @dev One call of the attacker, in any size; `kind` 3: trades alone. What is refused is refused.
    function _step(uint256 dice, uint256 kind) private {
        (uint256 reserve, ) = etherPool.reserves();
        uint256 size = uint256(keccak256(abi.encode(dice)));
        uint256 which = dice % (kind == 3 ? 3 : 8);
        vm.startPrank(ATTACKER);
        if (which == 0) _try(0, abi.encodeCall(etherPool.sell, (size % (reserve + 2), 0, ATTACKER)));
        if (which == 1) {
            uint256 all = size % 3 == 0 ? reserve : size % (reserve + 1);
            _try(0, abi.encodeCall(etherPool.sellFor, (all, type(uint256).max, ATTACKER)));
        }
        if (which == 2) {
            uint256 room = etherPool.buyable();
            uint256 paid = size % 3 == 0 ? room : size % (room + 1);
            _try(paid, abi.encodeCall(etherPool.buy, (0, ATTACKER)));
        }
        if (which == 5) _tryRouter(size % 50 ether, abi.encodeCall(router.provide, (0, BP, ATTACKER, NEVER)));
        if (which == 6)
            _tryRouter(size % 50 ether, abi.encodeCall(router.stake, (ATTACKER, ATTACKER, 0, false, NEVER)));
        if (which == 7) _try(0, abi.encodeCall(etherPool.exit, (1 + (size % (2 * reserve + 1)), 0, 0, ATTACKER)));
        vm.stopPrank();
        if (which == 3 || which == 4) _enter(1 + ((size % (which == 3 ? 10 : 1)) * etherPool.totalSupply()) / 2);
    }

    function _enter(uint256 lp) private returns (uint256 ether_, uint256 units) {
        (ether_, units) = etherPool.quoteEnter(lp);
        if (ether_ > ATTACKER.balance || units * SHARES_PER_UNIT > _c.token.sharesOf(ATTACKER)) {
            (ether_, units) = etherPool.quoteEnter(lp = 1);
        }
        vm.prank(ATTACKER);
        etherPool.enter{value: ether_}(lp, units, ATTACKER);
    }

    function _try(uint256 value, bytes memory data) private {
        (bool done, ) = address(etherPool).call{value: value}(data);
        done; // refused or not
    }

    function _tryRouter(uint256 value, bytes memory data) private {
        (bool done, ) = address(router).call{value: value}(data);
        done; // refused or not
    }

    function _sameRate(Sight memory s) private view returns (bool) {
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        // deposits through the Router round: a share or so of all there is
        return Math.mulDiv(totalEther, s.totalShares, totalShares) <= s.totalEther + 8;
    }
}
