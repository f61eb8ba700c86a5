// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Attackers} from "./Attackers.sol";
import {IEtherPool} from "../../../contracts/liquidity/IEtherPool.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SHARES_PER_UNIT} from "../../../contracts/shared/Units.sol";
import {StakingPool} from "../../../contracts/pool/StakingPool.sol";
import {Successors} from "./Successors.sol";
import {CalmAnswers} from "../CalmAnswers.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice Everything that happens around the EtherPool: reports of every kind, slashings, pauses, time, other pools, gifts.
contract LiquidityHandler is Attackers {
    Successors private _successors = new Successors();
    CalmAnswers private _strange = new CalmAnswers();

    function report(uint256 kind, uint256 size) external {
        uint256 total = _c.token.getTotalPooledEther();
        uint256 cl = _c.pool.etherAtValidators();
        kind %= 8;
        if (kind == 0) return _reported(-int256(Math.min(total / 20_000, cl)), false, "reportHalfBp");
        if (kind == 1) return _reported(-int256(Math.min((total * 101) / 1_000_000, cl)), false, "reportOverBp");
        if (kind == 2) return _reported(-int256(bound(size, 0, Math.min(total / 100, cl / 2))), false, "reportFall");
        if (kind == 3) return _reported(0, size % 2 == 0, "reportIncident");
        _reported(int256(bound(size, 0, total / 3_000)), false, "report");
    }

    /// @notice Half of what validators have is gone.
    function ruin(uint256 rarely) external {
        if (rarely % 16 != 0) return;
        _reported(-int256(_c.pool.etherAtValidators() / 2), false, "ruin");
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 40 hours));
        _took(_calm() ? bytes32("wait") : bytes32("waitNotCalm"));
    }

    function slash(uint256 count) external {
        for (uint256 i; i < 1 + (count % 40); ++i) {
            vm.prank(address(_c.validators));
            _c.pool.noteSlashing(block.timestamp);
        }
        _checkHalt();
        _took(_calm() ? bytes32("slash") : bytes32("slashHalts"));
    }

    function hold(uint256 rarely) external {
        if (rarely % 4 != 0) return;
        _c.pool.hold();
        _checkHalt();
        _took("hold");
    }

    function pause(uint256 which) external {
        _c.queue.pauseRequests(which % 4 == 1);
        _c.pool.pauseDeposits(which % 4 == 2);
        _checkHalt();
        _took("pause");
    }

    function fund() external {
        if (block.timestamp > _c.pool.books().openUntil) return;
        _fund();
        _took("fund");
    }

    function grow(uint256 who, uint256 amount) external {
        vm.prank(_actor(who));
        (bool done, ) = address(_c.pool).call{value: bound(amount, 1, 1_000 ether)}(
            abi.encodeCall(_c.pool.deposit, (_actor(who), address(0)))
        );
        if (done) _took("grow");
    }

    /// @notice A pool of the same code takes over.
    function replacePool(uint256 rarely) external {
        if (rarely % 8 != 0) return;
        StakingPool old = _c.pool;
        (bool was, ) = old.calm();
        _c.pool = _successors.deploy(old);
        _c.token.replacePool(address(_c.pool));
        assertEq(_calm(), was, "calm as its predecessor");
        _took("replacePool");
    }

    /// @notice L6 and L7 under a pool that is not calm, or does not know the question; then it never happened.
    function strangePool(uint256 kind) external {
        uint256 id = vm.snapshotState();
        _strange.setAnswer(kind % 2 == 0 ? abi.encode(false, block.timestamp) : bytes(""), kind % 3 == 0);
        _c.token.replacePool(address(_strange));
        _expectHalted();
        address actor = actors[0];
        uint256 lp = etherPool.balanceOf(actor) / 2 + 1;
        if (etherPool.balanceOf(actor) >= lp) {
            vm.prank(actor);
            etherPool.exit(lp, 0, 0, actor);
        }
        vm.revertToState(id);
        _took("strangePool");
    }

    /// @notice Forced ether and donated shares, to pool and Router: nobody's.
    function donate(uint256 who, uint256 amount, uint256 which) external keepsLps(0) {
        uint256 worth = etherPool.value();
        amount = bound(amount, 0, 10 ether);
        if (which % 2 == 0) {
            vm.deal(address(etherPool), address(etherPool).balance + amount);
            vm.deal(address(router), address(router).balance + amount);
            (forcedEther, forcedToRouter) = (forcedEther + amount, forcedToRouter + amount);
        } else {
            uint256 shares = Math.min(amount * SHARES_PER_UNIT + 1, _c.token.sharesOf(_actor(who)) / 4);
            vm.startPrank(_actor(who));
            _c.token.transferShares(address(etherPool), shares);
            _c.token.transferShares(address(router), shares);
            vm.stopPrank();
            (donatedShares, donatedToRouter) = (donatedShares + shares, donatedToRouter + shares);
        }
        assertEq(etherPool.value(), worth, "gifts move nothing");
        _took("donate");
    }

    // --- what must be ---

    function books() external view returns (Sight memory) {
        return _books;
    }

    // --- internal ---

    function _reported(int256 change, bool incident, bytes32 name) private {
        Sight memory s = _see();
        _report(change, incident);
        Sight memory later = _see();
        assertTrue(s.reserve == later.reserve && s.units == later.units && s.lp == later.lp, "a report moves no book");
        _checkHalt();
        _took(name);
    }

    function _checkHalt() private {
        if (!_calm()) _expectHalted();
    }

    /// @dev L7.
    function _expectHalted() private {
        assertEq(etherPool.sellableWithin(MAX), 0, "L7: sellable");
        assertEq(etherPool.buyable(), 0, "L7: buyable");
        Sight memory s = _see();
        address actor = actors[2];
        vm.startPrank(actor);
        bytes[3] memory trades = [
            abi.encodeCall(etherPool.sell, (1 ether, 0, actor)),
            abi.encodeCall(etherPool.sellFor, (1, type(uint256).max, actor)),
            abi.encodeCall(etherPool.buy, (0, actor))
        ];
        for (uint256 i; i < 3; ++i) {
            (bool done, bytes memory reason) = address(etherPool).call{value: i == 2 ? 1 ether : 0}(trades[i]);
            assertTrue(!done && bytes4(reason) == IEtherPool.NotCalm.selector, "L7: a trade went on");
        }
        vm.stopPrank();
        assertEq(keccak256(abi.encode(s)), keccak256(abi.encode(_see())), "L7: something changed");
    }
}
