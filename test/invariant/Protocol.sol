// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InvariantTest} from "../helpers/InvariantTest.sol";
import {Operators} from "../mocks/protocol/Operators.sol";
import {ProtocolHandler} from "../mocks/protocol/ProtocolHandler.sol";
import {ProtocolWorld} from "../mocks/protocol/ProtocolWorld.sol";
import {SHARES_PER_UNIT, TOP_UP} from "../../contracts/shared/Units.sol";

/// @notice Invariants of docs/invariants.md over the real token, wrapper, pool, queue, vaults and operator registry. What
/// happens within one operation (I3, I4, I6, I9, I11-I13, I15) the handler asserts as it acts; here is what holds between.
contract ProtocolInvariants is InvariantTest {
    ProtocolHandler public handler;
    ProtocolWorld.Contracts internal c;

    function setUp() public {
        handler = new ProtocolHandler();
        c = handler.contracts();
        targetContract(address(handler));
    }

    function invariant_I1_thePoolHoldsItsBuffer() public view {
        uint256 cash = handler.poolCash();
        assertEq(c.pool.buffer(), cash, "buffer = what flowed in less what flowed out");
        assertEq(address(c.pool).balance, cash + handler.cash().forcedToPool, "ether = buffer + forced");
    }

    function invariant_I2_sharesAddUp() public {
        uint256 sum = c.token.sharesOf(c.token.LOCKED()) + c.token.sharesOf(c.treasury);
        address[6] memory peers = [
            address(c.queue),
            address(c.pool),
            address(c.wrapped),
            address(c.operators),
            address(c.rewardsVault),
            address(0xb0bd) // where bonds are withdrawn to
        ];
        for (uint256 i; i < 6; ++i) sum += c.token.sharesOf(peers[i]);
        for (uint256 i; i < 5; ++i) sum += c.token.sharesOf(handler.actors(i));
        for (uint256 i; i < 3; ++i) sum += c.token.sharesOf(account(["operator 1", "operator 2", "operator 3"][i]));
        assertEq(sum, c.token.getTotalShares(), "sum of shares");
        assertGe(c.token.sharesOf(address(c.wrapped)), c.wrapped.totalSupply() * SHARES_PER_UNIT, "behind westETH");
    }

    function invariant_I3_theRateIsWhatTheLastReportLeft() public view {
        (uint256 totalEther, uint256 totalShares) = c.token.totals();
        uint256 last = c.token.rateAt(block.timestamp);
        uint256 rate = c.token.rate();
        assertGe(rate, last, "the rate fell since the last report");
        // each operation rounds by a wei or two of all there is
        assertLe(((rate - last) * totalShares) / 1e36, handler.slack() + 1, "the rate rose since the last report");
        assertGt(totalEther, 0, "totals");
    }

    function invariant_I4_balancesAddUp() public view {
        uint256 sum;
        for (uint256 i; i < 5; ++i) sum += c.token.balanceOf(handler.actors(i));
        assertLe(sum, c.token.totalSupply() + 1, "balances above the total");
    }

    function invariant_I5_theQueueHoldsWhatItOwes() public view {
        uint256 last = handler.lastFinalised();
        uint256 owed;
        for (uint256 id = 1; id <= last; ++id) owed += handler.worthOf(id, 0);
        uint256 held = address(c.queue).balance - handler.cash().forcedToQueue;
        assertGe(held, owed, "the queue owes more than it holds");
        assertLe(held, owed + last, "more than a wei a request is left over");
    }

    function invariant_I6_requestsAreWorthWhatTheyShow() public view {
        uint256 last = handler.lastTicket();
        uint256[] memory ids = new uint256[](last);
        for (uint256 i; i < last; ++i) ids[i] = i + 1;
        uint256[] memory shown = c.queue.getClaimableEther(ids);
        for (uint256 i; i < last; ++i) {
            ProtocolWorld.Ticket memory t = handler.ticket(i + 1);
            bool waiting = t.state == ProtocolWorld.State.Waiting;
            assertEq(shown[i], waiting ? 0 : handler.worthOf(i + 1, 0), "what a request is paid");
            assertEq(waiting, i + 1 > c.queue.lastFinalizedId(), "in order");
        }
        assertEq(c.queue.lastRequestId(), last, "requests");
    }

    function invariant_I6_theQueuesSharesAreAccountedFor() public view {
        ProtocolWorld.Shares memory s = handler.shares();
        assertEq(c.queue.unfinalisedShares(), s.waiting, "waiting");
        assertEq(c.pool.books().cover, s.cover, "cover");
        uint256 all = s.waiting + s.remainders + s.cover + s.donatedToQueue;
        assertEq(c.token.sharesOf(address(c.queue)), all, "the queue's account");
    }

    /// @dev Proofs are the validator registry's, which is not in this suite: here, what the pool lets go.
    function invariant_I7_31EtherLeaveForAValidator() public view {
        assertEq(address(c.deposits).balance, c.deposits.topUps() * TOP_UP, "top-ups");
        assertEq(c.deposits.topUps(), handler.beacon().funded, "validators");
    }

    function invariant_I8_bondsRecordedAreHeld() public view {
        uint256 sum;
        for (uint256 id = 1; id <= 3; ++id) {
            Operators.OperatorBook memory book = handler.operatorBook(id);
            assertEq(c.operators.operator(id).bondShares, book.bond, "bond");
            assertEq(c.operators.operator(id).debt, book.debt, "debt");
            assertEq(c.operators.operator(id).frozen, book.frozen, "frozen");
            (uint256 rewards, ) = handler.earned(id);
            sum += book.bond + book.fine + rewards;
        }
        (, uint256 treasury) = handler.earned(1);
        uint256 held = c.token.sharesOf(address(c.operators)) - handler.shares().donatedToOperators;
        sum += treasury + (handler.feeBook().undivided % SHARES_PER_UNIT);
        assertEq(held, sum, "bonds, fines, rewards, the treasury's part and what waits for a unit = held");
    }

    function invariant_I16_finesAreLockedUntilTheyEnd() public view {
        for (uint256 id = 1; id <= 3; ++id) {
            Operators.OperatorBook memory book = handler.operatorBook(id);
            assertEq(c.operators.fineOf(id).shares, book.fine, "fine");
            assertEq(c.operators.fineOf(id).expiresAt, book.fineExpiresAt, "its end");
        }
    }

    function invariant_I17_feesAreDividedWholeAndOnce() public view {
        uint256 sum;
        for (uint256 id = 1; id <= 3; ++id) {
            (uint256 rewards, ) = handler.earned(id);
            if (handler.operatorBook(id).debt == 0) assertEq(c.operators.claimableShares(id), rewards, "rewards");
            sum += rewards;
        }
        (, uint256 treasury) = handler.earned(1);
        assertEq(c.operators.treasuryShares(), treasury, "the treasury's part");
        Operators.FeeBook memory fees = handler.feeBook();
        assertEq(c.token.totalFeeShares(), fees.minted, "fees minted");
        sum += fees.undivided % SHARES_PER_UNIT;
        assertEq(
            fees.minted,
            fees.taken + sum + treasury,
            "fees minted = taken + operators' + treasury's + less than a unit"
        );
    }

    function invariant_I9_heldBackIsBookedOnce() public view {
        assertEq(c.pool.books().heldBack, handler.heldBack(), "held back");
    }

    function invariant_I10_etherIsConserved() public view {
        ProtocolWorld.Cash memory cash = handler.cash();
        uint256 inflow = cash.deposited + cash.bonds + cash.recognised;
        assertEq(c.token.totalSupply(), inflow - cash.fallen - cash.paid, "T = deposits + bonds + recognised - paid");
        ProtocolHandler.Snapshot memory s = handler.lastSnapshot();
        int256 recognised = int256(cash.recognised) - int256(cash.fallen) + int256(handler.heldBack());
        int256 there = int256(s.cl + s.received) - int256(s.funded * 32 ether);
        assertEq(recognised, there, "recognised + held back = what was there");
        uint256 vaults = address(c.withdrawalVault).balance + address(c.rewardsVault).balance;
        assertEq(vaults, handler.beacon().received - cash.swept, "what is in the vaults");
    }

    function invariant_I15_nobodyGainsBetweenReports() public view {
        for (uint256 i; i < 5; ++i) {
            address actor = handler.actors(i);
            int256 limit = handler.credit(actor) + int256(handler.slack() + 2 * handler.lastTicket() + 2);
            assertTrue(int256(handler.worth(actor)) <= limit, "worth more than was put in");
        }
    }
}
