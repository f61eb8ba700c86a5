// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, SHARES_PER_UNIT} from "../../../contracts/shared/Units.sol";
import {IEtherPool} from "../../../contracts/liquidity/IEtherPool.sol";
import {IRouter} from "../../../contracts/liquidity/IRouter.sol";
import {LiquidityWorld} from "../../mocks/liquidity/LiquidityWorld.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice EtherPool and Router on the real protocol: the cost of selling within a fee however it is cut, R2, and reports in the
/// block of a call.
contract OnTheProtocolTest is LiquidityWorld {
    uint256 private constant LEG = 0.01 ether;

    // --- the cost of selling ---

    function testFuzz_allThatIsSellableWithin30BpCostsAtMost30BpHoweverItIsCut(
        uint256 state,
        uint256 cuts,
        uint256 pieces
    ) public {
        _shuffle(state);
        Sight memory s = _see();
        uint256 feeBp = cuts % 2 == 0 ? 30 : bound(cuts, 10, 300);
        uint256 left = etherPool.sellableWithin(feeBp);
        uint256 worth = _worth(s, left * SHARES_PER_UNIT);
        uint256 paid;
        pieces = bound(pieces, 1, 40);
        address seller = actors[1];
        vm.startPrank(seller);
        for (uint256 i; i < pieces && left != 0; ++i) {
            uint256 piece = i + 1 == pieces ? left : bound(uint256(keccak256(abi.encode(cuts, i))), 1, left);
            if (_worth(s, piece * SHARES_PER_UNIT) <= 1) continue; // pays nothing, and is refused
            paid += etherPool.sell(piece, 0, seller);
            left -= piece;
        }
        vm.stopPrank();
        worth -= _worth(s, left * SHARES_PER_UNIT);
        // each piece is rounded down by a wei, and its worth by another
        assertGe((paid + 2 * pieces) * (BP + feeBp), worth * BP, "cost more than the fee");
        if (feeBp < MAX && paid != 0) assertLe(etherPool.marginalFee(), feeBp * 1e5, "past the fee");
    }

    // --- R2 ---

    function testFuzz_R2_noOtherSplitOfAStakeGivesMore(uint256 state, uint256 amount, uint256 other) public {
        _shuffle(state);
        amount = bound(amount, 1_000, 500 ether);
        address staker = actors[2];
        uint256 id = vm.snapshotState();
        vm.prank(staker);
        uint256 best = router.stake{value: amount}(staker, staker, 0, false, NEVER);
        vm.revertToState(id);
        uint256 room = etherPool.buyable();
        for (uint256 i; i < 6; ++i) {
            uint256 bought = Math.min(bound(uint256(keccak256(abi.encode(other, i))), 0, amount), room);
            if (i == 0) bought = Math.min(amount, room);
            assertLe(_stakeSplit(staker, amount, bought), best + _ofLeg(), "another split gives more");
        }
    }

    function testFuzz_R2_noOtherSplitOfALeaveGivesMore(
        uint256 state,
        uint256 units,
        uint256 maxFeeBp,
        uint256 other
    ) public {
        _shuffle(state);
        units = bound(units, 1_000, 500 ether);
        maxFeeBp = bound(maxFeeBp, 0, MAX);
        address seller = actors[2];
        uint256 id = vm.snapshotState();
        uint256 had = _c.token.sharesOf(seller);
        vm.prank(seller);
        (uint256 paid, ) = router.leaveShares(units * SHARES_PER_UNIT, maxFeeBp, 0, seller, NEVER);
        assertLe(had - _c.token.sharesOf(seller), units * SHARES_PER_UNIT, "took more than was offered");
        // what was given and not paid at once waits in the queue, or stays: worth its value less the highest fee
        uint256 sold = _unitsSold(units, maxFeeBp, id);
        uint256 best = _score(paid, units - sold, maxFeeBp);
        for (uint256 i; i < 6; ++i) {
            uint256 score = _otherSplit(units, maxFeeBp, i == 0 ? units : uint256(keccak256(abi.encode(other, i))));
            // a leg that is left out gains at most the highest fee on it
            assertLe(score, best + (LEG * MAX) / BP + 2, "another split gives more");
        }
    }

    // --- a report in the block of a call ---

    /// @dev Falls of 0.5, 1 and 1.01 bp, in hundredths: only the last one halts.
    function test_reportsInTheBlockOfACall() public {
        uint256[3] memory falls = [uint256(50), 100, 101];
        uint256 id = vm.snapshotState();
        for (uint256 i; i < 3; ++i) {
            for (uint256 call; call < 9; ++call) {
                _reportThenCall(call, falls[i]);
                vm.revertToState(id);
                id = vm.snapshotState();
                _callThenReport(call, falls[i]);
                vm.revertToState(id);
                id = vm.snapshotState();
            }
        }
    }

    // --- internal ---

    /// @dev A state of pool and rate by chance.
    function _shuffle(uint256 state) private {
        for (uint256 i; i < 6; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(state, i)));
            address who = actors[dice % ACTORS];
            (uint256 reserve, ) = etherPool.reserves();
            uint256 room = etherPool.buyable();
            vm.startPrank(who);
            if (dice % 5 == 0 && reserve > 1 ether) etherPool.sellFor(dice % reserve, type(uint256).max, who);
            if (dice % 5 == 1 && room > 1 ether) etherPool.buy{value: 1e9 + (dice % (room - 1e9))}(0, who);
            if (dice % 5 == 2) router.provide{value: 1 ether + (dice % 300 ether)}(0, BP, who, NEVER);
            if (dice % 5 == 3) {
                uint256 lp = etherPool.balanceOf(who) / 2;
                if (lp != 0) etherPool.exit(lp, 0, 0, who);
            }
            vm.stopPrank();
            vm.warp(block.timestamp + 1 hours);
            if (dice % 5 == 4) _report(int256(dice % 2 ether), false);
        }
    }

    /// @return shares of a stake of which `bought` go to the pool
    function _stakeSplit(address staker, uint256 amount, uint256 bought) private returns (uint256 shares) {
        uint256 id = vm.snapshotState();
        vm.startPrank(staker);
        uint256 had = _c.token.sharesOf(staker);
        if (bought > 2) etherPool.buy{value: bought}(0, staker);
        else bought = 0;
        if (amount != bought) _c.pool.deposit{value: amount - bought}(staker, staker);
        shares = _c.token.sharesOf(staker) - had;
        vm.stopPrank();
        vm.revertToState(id);
    }

    /// @dev The most that a leg that is left out could have gained, in shares.
    function _ofLeg() private view returns (uint256) {
        Sight memory s = _see();
        uint256 gain = (LEG * BETA * (MAX - MIN)) / (BP * BP) + 2;
        return Math.mulDiv(gain, s.totalShares, s.totalEther);
    }

    /// @dev What `leaveShares` sold, of the state that it began with; that is where this ends.
    function _unitsSold(uint256 units, uint256 maxFeeBp, uint256 id) private returns (uint256 sold) {
        (, uint256 held) = etherPool.reserves();
        vm.revertToState(id);
        (, uint256 before) = etherPool.reserves();
        sold = held - before;
        assertLe(sold, Math.min(units, etherPool.sellableWithin(maxFeeBp)), "sold past the fee");
    }

    /// @dev What selling `part` and queueing the rest is worth to a seller.
    function _otherSplit(uint256 units, uint256 maxFeeBp, uint256 part) private view returns (uint256) {
        (uint256 reserve, ) = etherPool.reserves();
        part = bound(part, 0, reserve == 0 ? 0 : Math.min(units, etherPool.quoteSellFor(reserve)));
        if (_worth(_see(), part * SHARES_PER_UNIT) <= 1) part = 0;
        return _score(part == 0 ? 0 : etherPool.quoteSell(part), units - part, maxFeeBp);
    }

    /// @dev Wei now, and units later at their value less the highest fee that the seller would pay.
    function _score(uint256 paid, uint256 units, uint256 maxFeeBp) private view returns (uint256) {
        return paid + (_worth(_see(), units * SHARES_PER_UNIT) * BP) / (BP + maxFeeBp);
    }

    function _reportThenCall(uint256 call, uint256 hundredths) private {
        _fall(hundredths);
        bool trades = hundredths <= 100;
        assertEq(_calm(), trades, "calm");
        (bool done, bytes memory answer) = _call(call);
        // the Router queues and stakes, entries and exits go on; a fall of 1.01 bp does not stop deposits
        if (call < 3) {
            assertEq(done, trades, "a trade behind a report");
            if (!done) assertEq(bytes32(bytes4(answer)), bytes32(IEtherPool.NotCalm.selector), "its error");
        } else {
            assertTrue(done, "what needs no calm");
        }
    }

    /// @dev A fall behind a call takes from who holds estETH by then, and from LPs their part of the units: nobody else's.
    function _callThenReport(uint256 call, uint256 hundredths) private {
        (bool done, ) = _call(call);
        assertTrue(done, "a call in front of a report");
        Sight memory s = _see();
        _fall(hundredths);
        Sight memory later = _see();
        assertTrue(s.reserve == later.reserve && s.units == later.units && s.lp == later.lp, "the books moved");
        assertEq(etherPool.value(), s.reserve + _worth(later, s.units * SHARES_PER_UNIT), "worth its books");
    }

    function _fall(uint256 hundredths) private {
        uint256 total = _c.token.getTotalPooledEther();
        // a fall of exactly a basis point is rounded down
        _report(-int256(hundredths == 101 ? Math.ceilDiv(total * 101, 1e6) : (total * hundredths) / 1e6), false);
    }

    function _call(uint256 which) private returns (bool done, bytes memory answer) {
        address who = actors[0];
        uint256 shares = 5 ether * SHARES_PER_UNIT;
        bytes[9] memory calls = [
            abi.encodeCall(IEtherPool.sell, (5 ether, 0, who)),
            abi.encodeCall(IEtherPool.sellFor, (5 ether, type(uint256).max, who)),
            abi.encodeCall(IEtherPool.buy, (0, who)),
            abi.encodeCall(IEtherPool.enter, (5 ether, type(uint256).max, who)),
            abi.encodeCall(IEtherPool.exit, (5 ether, 0, 0, who)),
            abi.encodeCall(IRouter.stake, (who, who, 0, false, NEVER)),
            abi.encodeCall(IRouter.leaveShares, (shares, 30, 0, who, NEVER)),
            abi.encodeCall(IRouter.provide, (0, BP, who, NEVER)),
            abi.encodeCall(IRouter.exitToEther, (5 ether, 30, 0, who, NEVER))
        ];
        uint256 value = [uint256(0), 0, 1 ether, 5 ether, 0, 5 ether, 0, 5 ether, 0][which];
        // room for the purchase
        if (which == 2 && _calm() && etherPool.buyable() < 1 ether) {
            vm.prank(actors[1]);
            etherPool.sellFor(20 ether, type(uint256).max, actors[1]);
        }
        vm.prank(who);
        (done, answer) = (which < 5 ? address(etherPool) : address(router)).call{value: value}(calls[which]);
    }
}
