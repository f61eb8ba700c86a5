// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, SHARES_PER_UNIT} from "../../../contracts/shared/Units.sol";
import {IRouter} from "../../../contracts/liquidity/IRouter.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Refusals} from "../protocol/Refusals.sol";
import {Traders} from "./Traders.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice Who uses the Router. Each call does what is left to do (R4) and gives what was asked of it, no more is taken.
abstract contract RouterUsers is Traders {
    using Refusals for Refusals.Causes;

    /// @dev What leaving came to.
    struct Left {
        uint256 sold; // units
        uint256 queued; // shares
        uint256 maxFeeBp;
        uint256 lastId; // of requests before
    }

    uint256 private constant LEG = 0.01 ether;
    uint256 private constant LEAST = 100; // wei that can be requested

    function stake(uint256 who, uint256 amount, bool wrapped, uint256 small) external keepsLps(1) {
        amount = bound(amount, 0, small % 4 == 0 ? 0.02 ether : 200 ether);
        uint256 bought = _bought(amount);
        bool staked = amount != bought && _takesDeposit(amount - bought);
        // a deposit of a wei may be no unit of westETH
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        bool dust = wrapped && bought == 0 && Math.mulDiv(amount, totalShares, totalEther) < SHARES_PER_UNIT;
        Refusals.Causes memory causes;
        causes.add((bought == 0 && !staked) || dust, IRouter.NothingToDo.selector);
        _stake(_actor(who), amount, wrapped, bought + (staked ? amount - bought : 0), causes);
        if (causes.count != 0) return _took("stakeInVain");
        if (staked && bought != 0) _took("stakeBoth");
        else _took(staked ? bytes32("stakeOnly") : bytes32("stakeBought"));
    }

    function leaveNow(uint256 who, uint256 shares, uint256 maxFeeBp, bool wrapped) external keepsLps(1) {
        address actor = _actor(who);
        Purse memory a = _purse(actor);
        maxFeeBp = bound(maxFeeBp, 0, 400);
        uint256 held = wrapped ? a.wrapped * SHARES_PER_UNIT : a.shares;
        shares = bound(shares, 0, shares % 8 == 0 ? 10 * SHARES_PER_UNIT : Math.min(held, 400 ether * SHARES_PER_UNIT));
        if (wrapped) shares -= shares % SHARES_PER_UNIT;
        if (shares > held) return;
        bytes memory data =
            wrapped
                ? abi.encodeCall(IRouter.leaveWrapped, (shares / SHARES_PER_UNIT, maxFeeBp, 0, actor, NEVER))
                : abi.encodeCall(IRouter.leaveShares, (shares, maxFeeBp, 0, actor, NEVER));
        _leave(actor, a, _split(shares, maxFeeBp), data);
    }

    function provide(uint256 who, uint256 amount, uint256 maxFeeBp) external keepsLps(1) {
        address actor = _actor(who);
        amount = bound(amount, 0, amount % 4 == 0 ? 10 : 300 ether);
        maxFeeBp = bound(maxFeeBp, 0, 400);
        bool open = _takesDeposit(amount);
        bool tooDear = etherPool.marginalFee() > maxFeeBp * 1e5;
        Sight memory s = _see();
        Purse memory a = _purse(actor);
        vm.prank(actor);
        (bool done, bytes memory reason) = address(router).call{value: amount}(
            abi.encodeCall(IRouter.provide, (0, maxFeeBp, actor, NEVER))
        );
        if (!done && !open) return _took("provideNoDeposits");
        Refusals.Causes memory causes;
        causes.add(tooDear, IRouter.MarginalFeeAboveMaximum.selector);
        causes.add(amount <= 10 && !done, IRouter.NothingToDo.selector);
        if (!causes.judge(done, reason)) return _took("provideInVain");
        _checkProvided(s, a, _purse(actor), amount);
        _follow();
        _took("provide");
    }

    function exitToEther(uint256 who, uint256 lp, uint256 maxFeeBp) external keepsLps(2) {
        address actor = _actor(who);
        Purse memory a = _purse(actor);
        if (a.lp == 0) return;
        lp = bound(lp, 1, a.lp / 2 + 1);
        maxFeeBp = bound(maxFeeBp, 0, 400);
        (uint256 ether_, uint256 units) = etherPool.quoteExit(lp);
        vm.prank(actor);
        (bool done, bytes memory answer) = address(router).call(
            abi.encodeCall(IRouter.exitToEther, (lp, maxFeeBp, 0, actor, NEVER))
        );
        // a part of a few wei: what little is sold may pay nothing
        if (!done) return assertLe(units, 2, "exit refused");
        (uint256 paid, uint256 requestId) = abi.decode(answer, (uint256, uint256));
        Purse memory b = _purse(actor);
        assertGe(paid, ether_, "the leaver's part of the ether");
        assertEq(b.ether_ - a.ether_, paid, "ether that was said");
        assertEq(a.lp - b.lp, lp, "lp");
        if (requestId == 0 && paid == ether_) assertEq(b.shares - a.shares, units * SHARES_PER_UNIT, "as estETH");
        _follow();
        _took(requestId == 0 ? bytes32("exitSold") : bytes32("exitQueued"));
    }

    /// @notice R4: room, or what is sellable, of a wei or two, or of a unit's worth: both calls do the other leg.
    function tiny(uint256 who, uint256 size) external keepsLps(4) {
        if (!_calm()) return;
        address actor = _actor(who);
        Sight memory s = _see();
        // who has enough to empty the pool, at a rate at which a unit is worth something
        if (_worth(s, _c.token.sharesOf(actor)) < 2 * (etherPool.targetEther() + s.reserve) + 2 ether) return;
        if (_worth(s, 100 * SHARES_PER_UNIT) < 100) return;
        size = 1 + (size % 3);
        uint256 id = vm.snapshotState();
        bool room = _leaveRoom(actor, s, size) && _takesDeposit(1 ether);
        vm.startPrank(actor);
        if (room) assertGe(router.stake{value: 1 ether}(actor, actor, 0, false, NEVER), 1, "R4: stake with tiny room");
        (uint256 reserve, ) = etherPool.reserves();
        if (reserve > 1 ether) etherPool.sell(etherPool.quoteSellFor(reserve / 2), 0, actor);
        uint256 fee = etherPool.marginalFee() / 1e5 + 1;
        while (etherPool.sellableWithin(fee) > 4) {
            uint256 units = etherPool.sellableWithin(fee);
            etherPool.sell(units > 1_000 ? units - 1 : units, 0, actor);
        }
        (uint256 paid, uint256 requestId) = router.leaveShares(1 ether * SHARES_PER_UNIT, fee, 0, actor, NEVER);
        assertTrue(paid == 0 && requestId != 0, "R4: leave with what is sellable tiny");
        vm.stopPrank();
        vm.revertToState(id);
        if (room) _took("tinyRoom");
        _took("tinySale");
    }

    // --- internal ---

    /// @dev Trades until there is room of `size` wei.
    /// @return done whether it could be done
    function _leaveRoom(address actor, Sight memory s, uint256 size) private returns (bool done) {
        uint256 missing = _missing(s);
        vm.startPrank(actor);
        if (missing < size) {
            etherPool.sellFor(s.reserve + size - (s.lp * TARGET) / BP, type(uint256).max, actor);
        } else if (missing > size + 1e9 && etherPool.buyable() > missing - size) {
            etherPool.buy{value: missing - size}(0, actor);
        }
        vm.stopPrank();
        return etherPool.buyable() == size;
    }

    /// @dev What the Router must buy.
    function _bought(uint256 amount) internal view returns (uint256) {
        uint256 room = Math.min(amount, etherPool.buyable());
        return room < LEG ? 0 : room;
    }

    /// @dev Whether the staking pool takes that much now, tried and taken back.
    function _takesDeposit(uint256 amount) internal returns (bool done) {
        if (amount == 0) return false;
        uint256 id = vm.snapshotState();
        vm.deal(address(this), amount);
        (done, ) = address(_c.pool).call{value: amount}(abi.encodeCall(IStakingPool.deposit, (actors[0], actors[0])));
        vm.revertToState(id);
    }

    /// @dev What the Router must sell, and queue.
    function _split(uint256 shares, uint256 maxFeeBp) internal view returns (Left memory left) {
        Sight memory s = _see();
        (left.maxFeeBp, left.lastId) = (maxFeeBp, _c.queue.lastRequestId());
        left.sold = Math.min(shares / SHARES_PER_UNIT, etherPool.sellableWithin(maxFeeBp));
        if (left.sold == shares / SHARES_PER_UNIT) return left;
        if (_worth(s, left.sold * SHARES_PER_UNIT) < LEG) left.sold = 0;
        left.queued = shares - left.sold * SHARES_PER_UNIT;
        if (_worth(s, left.queued) < LEAST || _c.queue.requestsPaused()) left.queued = 0;
    }

    /// @param spent what of `amount` the Router must use
    function _stake(address actor, uint256 amount, bool wrapped, uint256 spent, Refusals.Causes memory causes) private {
        Sight memory s = _see();
        Purse memory a = _purse(actor);
        vm.prank(actor);
        (bool done, bytes memory answer) = address(router).call{value: amount}(
            abi.encodeCall(IRouter.stake, (actor, actor, 0, wrapped, NEVER))
        );
        if (!causes.judge(done, answer)) return;
        Purse memory b = _purse(actor);
        uint256 got = wrapped ? (b.wrapped - a.wrapped) * SHARES_PER_UNIT : b.shares - a.shares;
        assertEq(abi.decode(answer, (uint256)), got, "shares that were said");
        assertEq(a.ether_ - b.ether_, spent, "R4: the rest goes back");
        assertGe(_worth(s, got + 2 * SHARES_PER_UNIT) + 1, spent, "below the rate");
        _follow();
    }

    function _leave(address actor, Purse memory a, Left memory left, bytes memory data) private {
        Sight memory s = _see();
        vm.prank(actor);
        (bool done, bytes memory answer) = address(router).call(data);
        // a sale of a unit or two pays nothing, and the queue takes none
        if (!done && left.sold != 0 && _worth(s, left.sold * SHARES_PER_UNIT) <= 1) return;
        Refusals.Causes memory causes;
        causes.add(left.sold == 0 && left.queued == 0, IRouter.NothingToDo.selector);
        if (!causes.judge(done, answer)) return _took("leaveInVain");
        _checkLeft(s, a, _purse(actor), left, answer);
        _follow();
        if (left.sold != 0 && left.queued != 0) _took("leaveBoth");
        else _took(left.sold != 0 ? bytes32("leaveSold") : bytes32("leaveQueued"));
    }

    function _checkLeft(
        Sight memory s,
        Purse memory a,
        Purse memory b,
        Left memory left,
        bytes memory answer
    ) private pure {
        uint256 given = a.shares - b.shares + (a.wrapped - b.wrapped) * SHARES_PER_UNIT;
        assertEq(given, left.sold * SHARES_PER_UNIT + left.queued, "R4: what is neither sold nor queued stays");
        (uint256 paid, uint256 requestId) = abi.decode(answer, (uint256, uint256));
        assertEq(b.ether_ - a.ether_, paid, "ether that was said");
        assertEq(requestId, left.queued == 0 ? 0 : left.lastId + 1, "request that was said");
        if (left.sold == 0) return;
        _checkSale(s, left.sold, paid);
        // what is sold within a fee costs at most that fee
        uint256 worth = _worth(s, left.sold * SHARES_PER_UNIT);
        assertGe((paid + 2) * (BP + left.maxFeeBp), worth * BP, "costs more than the fee");
    }

    /// @dev L8: the entry fee and roundings are all that it may lose at once, beside its part of the rebates.
    function _checkProvided(Sight memory s, Purse memory a, Purse memory b, uint256 amount) private pure {
        uint256 rate = _worth(s, SHARES_PER_UNIT) + 1;
        uint256 spent = a.ether_ - b.ether_;
        // the pool's value is rounded by a wei: for many times the pool by many
        uint256 rounding = 8 + 2 * rate + (2 * amount) / _value(s);
        assertLe(amount - spent, rounding, "more than rounding came back");
        assertEq(b.shares, a.shares, "only ether");
        uint256 worth = Math.mulDiv(_value(s), b.lp - a.lp, s.lp);
        assertGe(worth + worth / 5_000 + rounding, spent, "L8: paid too much");
    }

    /// @dev After a call of the Router, whose amounts were checked against the caller's purse: the books as the pool has them now.
    /// What they must be is checked against what it holds (L1).
    function _follow() internal {
        Sight memory s = _see();
        (_books.reserve, _books.units, _books.lp) = (s.reserve, s.units, s.lp);
    }
}
