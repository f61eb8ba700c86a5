// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, SHARES_PER_UNIT} from "../../../contracts/shared/Units.sol";
import {IEtherPool} from "../../../contracts/liquidity/IEtherPool.sol";
import {IStakedEther} from "../../../contracts/token/IStakedEther.sol";
import {LiquidityWorld} from "./LiquidityWorld.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Refusals} from "../protocol/Refusals.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice Who sells, buys, enters and leaves, in every size. Each trade is judged by what moved: L2, L4, L6, L7.
abstract contract Traders is LiquidityWorld {
    using Refusals for Refusals.Causes;

    /// @dev L3 around whatever an action does while the rate stays: `trades` roundings of a wei at most.
    modifier keepsLps(uint256 trades) {
        Sight memory before = _see();
        _;
        _checkLps(before, _see(), trades);
    }

    function sell(uint256 who, uint256 units, uint256 cuts) external keepsLps(1) {
        address actor = _actor(who);
        Sight memory s = _see();
        uint256 held = _c.token.sharesOf(actor) / SHARES_PER_UNIT;
        units = bound(units, 0, Math.min(held, _mostSold(s) + (units % 3)));
        uint256 pieces = cuts % 4 == 0 ? _inPieces(actor, units, cuts, true) : 0;
        Refusals.Causes memory causes = _saleCauses(s, units);
        uint256 had = actor.balance;
        vm.prank(actor);
        (bool done, bytes memory reason) = address(etherPool).call(abi.encodeCall(IEtherPool.sell, (units, 0, actor)));
        if (!causes.judge(done, reason)) return _took("sellInVain");
        uint256 paid = actor.balance - had;
        assertLe(pieces, paid, "L4: cutting a sale paid");
        _checkSale(s, units, paid);
        (_books.reserve, _books.units) = (_books.reserve - paid, _books.units + units);
        _took(pieces == 0 ? bytes32("sell") : bytes32("sellInPieces"));
    }

    function sellFor(uint256 who, uint256 amount, uint256 whole) external keepsLps(1) {
        address actor = _actor(who);
        Sight memory s = _see();
        amount = whole % 8 == 0 ? s.reserve : bound(amount, 0, s.reserve + (amount % 2));
        Refusals.Causes memory causes;
        causes.add(!_calm(), IEtherPool.NotCalm.selector);
        causes.add(amount == 0, IEtherPool.ZeroAmount.selector);
        causes.add(amount > s.reserve, IEtherPool.NotEnoughEther.selector);
        uint256 had = _c.token.sharesOf(actor);
        if (causes.count == 0) {
            uint256 needed = etherPool.quoteSellFor(amount) * SHARES_PER_UNIT;
            causes.add(needed > had, IStakedEther.SharesExceedBalance.selector);
        }
        uint256 id = vm.snapshotState();
        vm.prank(actor);
        (bool done, bytes memory reason) = address(etherPool).call(
            abi.encodeCall(IEtherPool.sellFor, (amount, type(uint256).max, actor))
        );
        if (!causes.judge(done, reason)) return _took("sellForInVain");
        uint256 units = (had - _c.token.sharesOf(actor)) / SHARES_PER_UNIT;
        vm.revertToState(id);
        uint256 paid = etherPool.quoteSell(units);
        assertGe(paid, amount, "L4: sellFor costs less than sell pays for");
        vm.prank(actor);
        etherPool.sellFor(amount, units, actor);
        _checkSale(s, units, amount);
        (_books.reserve, _books.units) = (_books.reserve - amount, _books.units + units);
        _took(amount == s.reserve ? bytes32("sellAll") : bytes32("sellFor"));
    }

    function buy(uint256 who, uint256 amount, uint256 cuts) external keepsLps(1) {
        address actor = _actor(who);
        Sight memory s = _see();
        uint256 missing = _missing(s);
        amount = cuts % 8 == 1 ? missing : bound(amount, 0, missing + (amount % 2));
        uint256 pieces = cuts % 4 == 0 ? _inPieces(actor, amount, cuts, false) : 0;
        uint256 had = _c.token.sharesOf(actor);
        vm.prank(actor);
        (bool done, bytes memory reason) = address(etherPool).call{value: amount}(
            abi.encodeCall(IEtherPool.buy, (0, actor))
        );
        Refusals.Causes memory causes = _purchaseCauses(s, amount, missing);
        if (!causes.judge(done, reason)) return _took("buyInVain");
        uint256 units = (_c.token.sharesOf(actor) - had) / SHARES_PER_UNIT;
        assertLe(pieces, units, "L4: cutting a purchase paid");
        _checkPurchase(s, amount, units, missing);
        (_books.reserve, _books.units) = (_books.reserve + amount, _books.units - units);
        _took(pieces == 0 ? bytes32("buy") : bytes32("buyInPieces"));
    }

    function enter(uint256 who, uint256 lp, uint256 more) external keepsLps(1) {
        address actor = _actor(who);
        Sight memory s = _see();
        lp = bound(lp, 1, more % 16 == 0 ? 10 * s.lp : s.lp / 8);
        // no more than this actor can pay for
        lp = Math.min(lp, Math.mulDiv(s.lp, _c.token.sharesOf(actor) / 2, (s.units + 1) * SHARES_PER_UNIT));
        if (lp == 0) return;
        Purse memory before = _purse(actor);
        uint256 value = Math.ceilDiv(s.reserve * lp * (BP + ENTRY), s.lp * BP) + (more % 2);
        vm.prank(actor);
        (uint256 ether_, uint256 units) = etherPool.enter{value: value}(lp, type(uint256).max, actor);
        Purse memory afterwards = _purse(actor);
        assertEq(ether_, Math.ceilDiv(s.reserve * lp * (BP + ENTRY), s.lp * BP), "L6: the part of the ether, up");
        assertEq(units, Math.ceilDiv(s.units * lp * (BP + ENTRY), s.lp * BP), "L6: the part of the units, up");
        assertEq(before.ether_ - afterwards.ether_, ether_, "L6: ether paid, the rest back");
        assertEq(before.shares - afterwards.shares, units * SHARES_PER_UNIT, "L6: units paid");
        (_books.reserve, _books.units) = (_books.reserve + ether_, _books.units + units);
        _books.lp += lp;
        _took(_calm() ? bytes32("enter") : bytes32("enterNotCalm"));
    }

    function exit(uint256 who, uint256 lp, uint256 all) external keepsLps(1) {
        address actor = _actor(who);
        uint256 held = etherPool.balanceOf(actor);
        if (held == 0) return;
        Sight memory s = _see();
        lp = all % 8 == 0 ? held : bound(lp, 1, held / 4 + 1);
        Purse memory before = _purse(actor);
        vm.prank(actor);
        (uint256 ether_, uint256 units) = etherPool.exit(lp, 0, 0, actor);
        Purse memory afterwards = _purse(actor);
        assertEq(ether_, (s.reserve * lp) / s.lp, "L6: the part of the ether, down");
        assertEq(units, (s.units * lp) / s.lp, "L6: the part of the units, down");
        assertEq(afterwards.ether_ - before.ether_, ether_, "L6: ether got");
        assertEq(afterwards.shares - before.shares, units * SHARES_PER_UNIT, "L6: units got");
        (_books.reserve, _books.units) = (_books.reserve - ether_, _books.units - units);
        _books.lp -= lp;
        _took(_calm() ? bytes32("exit") : bytes32("exitNotCalm"));
    }

    // --- internal ---

    /// @dev L3: what a share is worth, without the rebates to come, falls by a wei of the whole pool an operation at most.
    function _checkLps(Sight memory a, Sight memory b, uint256 trades) internal pure {
        assertGe(b.totalEther * a.totalShares, a.totalEther * b.totalShares, "the rate fell");
        uint256 was = (_value(a) - _rebates(a)) * b.lp;
        uint256 is_ = (_value(b) - _rebates(b) + 2 * trades) * a.lp;
        assertGe(is_, was, "L3: what lp are worth fell");
    }

    /// @dev L2, by amounts: nothing above the rate, nothing above MAX on top, MIN at or above the target.
    function _checkSale(Sight memory s, uint256 units, uint256 paid) internal pure {
        uint256 worth = _worth(s, units * SHARES_PER_UNIT);
        uint256 rate = _worth(s, SHARES_PER_UNIT) + 1;
        assertLe(paid, worth, "L2: paid above the rate");
        assertGe((paid + 1) * (BP + MAX) + rate * BP, worth * BP, "L2: took more than MAX");
        assertLe(paid * (BP + MIN), (worth + 1) * BP, "L2: took less than MIN");
        if (s.reserve - paid >= (s.lp * TARGET) / BP) {
            assertGe((paid + 1) * (BP + MIN) + rate * BP, worth * BP, "L2: took more than MIN above the target");
        }
    }

    /// @dev L2: the rate at least, and at most BETA of what sellers paid above MIN for the same wei on top.
    function _checkPurchase(Sight memory s, uint256 paid, uint256 units, uint256 missing) internal pure {
        uint256 t = (s.lp * TARGET) / BP;
        uint256 most = paid + (BETA * (MAX - MIN) * paid * (2 * missing - paid)) / (2 * t * BP * BP);
        assertLe(_worth(s, units * SHARES_PER_UNIT), most, "L2: a rebate above BETA of the scarcity");
        assertGe(_worth(s, (units + 1) * SHARES_PER_UNIT) + 1, most, "L2: a rebate below it");
        assertGe(_worth(s, (units + 1) * SHARES_PER_UNIT), paid, "L2: bought below the rate");
    }

    function _missing(Sight memory s) internal pure returns (uint256) {
        return Math.saturatingSub((s.lp * TARGET) / BP, s.reserve);
    }

    /// @dev Units that bring the reserve to nothing, about: sales at the end of it are tried too.
    function _mostSold(Sight memory s) private pure returns (uint256) {
        uint256 worth = s.reserve + (s.reserve * MAX) / BP;
        return Math.mulDiv(worth, s.totalShares, s.totalEther) / SHARES_PER_UNIT;
    }

    function _saleCauses(Sight memory s, uint256 units) private view returns (Refusals.Causes memory causes) {
        causes.add(!_calm(), IEtherPool.NotCalm.selector);
        if (!_calm()) return causes;
        uint256 worth = _worth(s, units * SHARES_PER_UNIT);
        uint256 t = (s.lp * TARGET) / BP;
        uint256 all = _psi(t, s.reserve);
        bool exceeds = 2 * t * BP * worth > all;
        // the fee takes all of a wei
        causes.add(worth <= 1 && !(exceeds && s.reserve == 1), IEtherPool.ZeroAmount.selector);
        if (!exceeds) return causes;
        uint256 least = Math.mulDiv(Math.ceilDiv(all, 2 * t * BP), s.totalShares, s.totalEther, Math.Rounding.Ceil);
        causes.add(units > Math.ceilDiv(least, SHARES_PER_UNIT), IEtherPool.NotEnoughEther.selector);
    }

    /// @dev The potential, from its definition.
    function _psi(uint256 t, uint256 r) private pure returns (uint256) {
        uint256 below = Math.min(r, t);
        return 2 * t * (BP + MAX) * below - (MAX - MIN) * below * below + 2 * t * (BP + MIN) * (r - below);
    }

    function _purchaseCauses(
        Sight memory s,
        uint256 amount,
        uint256 missing
    ) private view returns (Refusals.Causes memory causes) {
        causes.add(!_calm(), IEtherPool.NotCalm.selector);
        causes.add(amount > missing, IEtherPool.AboveTarget.selector);
        if (amount > missing) return causes;
        uint256 t = (s.lp * TARGET) / BP;
        uint256 worth = amount + (BETA * (MAX - MIN) * amount * (2 * missing - amount)) / (2 * t * BP * BP);
        uint256 units = Math.mulDiv(worth, s.totalShares, s.totalEther) / SHARES_PER_UNIT;
        causes.add(units == 0, IEtherPool.ZeroAmount.selector);
        causes.add(units > s.units, IEtherPool.NotEnoughUnits.selector);
    }

    /// @return got by a trade in up to five pieces, which is taken back: wei of a sale, units of a purchase
    function _inPieces(address actor, uint256 amount, uint256 cuts, bool sale) private returns (uint256 got) {
        uint256 id = vm.snapshotState();
        for (uint256 i; i < 5 && amount != 0; ++i) {
            uint256 piece = i == 4 ? amount : bound(uint256(keccak256(abi.encode(cuts, i))), 1, amount);
            bytes memory data =
                sale ? abi.encodeCall(IEtherPool.sell, (piece, 0, actor)) : abi.encodeCall(IEtherPool.buy, (0, actor));
            vm.prank(actor);
            (bool done, bytes memory answer) = address(etherPool).call{value: sale ? 0 : piece}(data);
            if (done) got += abi.decode(answer, (uint256));
            amount -= piece;
        }
        vm.revertToState(id);
    }
}
