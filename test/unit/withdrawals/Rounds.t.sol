// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RAY} from "../../../contracts/shared/Units.sol";
import {RequestToken} from "../../../contracts/withdrawals/RequestToken.sol";
import {Rounds} from "../../../contracts/withdrawals/Rounds.sol";
import {Test} from "../../helpers/Test.sol";

/// @notice Rounds with random requests, rates and falls, against sums over single requests.
contract RoundsTest is Test {
    using Rounds for Rounds.Book;

    uint256 internal constant REQUESTS = 12;

    Rounds.Book private _book;
    mapping(uint256 => RequestToken.Request) private _requests;
    uint256[REQUESTS + 1] private _openedAt; // rate of each request's round
    uint256[REQUESTS + 1] private _roundOf;
    uint256[REQUESTS + 1] private _finalRate;

    function testFuzz_paymentsAreWhatWasPromisedWhateverTheHint(uint256 seed, uint256 hint) public {
        _fill(seed);
        uint256 sum = _finaliseAtRandom(seed);
        uint256 last = _book.lastFinalisedId(_requests);
        uint256 owed;
        for (uint256 id = 1; id <= last; ++id) {
            uint256 start = _requests[id - 1].endUnits;
            uint256 units = _requests[id].endUnits - start;
            uint256 rate = _openedAt[id] < _finalRate[id] ? _openedAt[id] : _finalRate[id];
            uint256 pays = (units * rate) / RAY;
            assertEq(_book.payment(start, units, 0, _book.head.capped), pays, "by search");
            assertEq(_book.payment(start, units, hint, _book.head.capped), pays, "by any hint");
            for (uint256 round; round <= 6; ++round) {
                assertEq(_book.payment(start, units, round, _book.head.capped), pays, "by a small hint");
            }
            owed += pays;
        }
        assertGe(sum, owed, "sums below their requests");
        assertLe(sum, owed + last, "sums above their requests");
    }

    function testFuzz_roundAtFindsTheRound(uint256 seed, uint256 hint) public {
        _fill(seed);
        for (uint256 id = 1; id <= REQUESTS; ++id) {
            assertEq(_book.roundAt(_requests[id - 1].endUnits, 0), _roundOf[id], "by search");
            assertEq(_book.roundAt(_requests[id - 1].endUnits, hint % 9), _roundOf[id], "by any hint");
        }
    }

    /// @dev Never more than there is, in order, and no request left that could be paid.
    function testFuzz_finaliseGoesAsFarAsTheEtherReaches(uint256 seed, uint256 available) public {
        _fill(seed);
        uint256 all;
        for (uint256 id = 1; id <= REQUESTS; ++id) all += _value(id, type(uint256).max);
        available = bound(available, 0, all + all / 4);
        (uint256 paid, uint256 units) = _finalise(RAY * 1e6, type(uint48).max, available);
        assertLe(paid, available, "more than there is");
        uint256 last = _book.lastFinalisedId(_requests);
        assertEq(_requests[last].endUnits, units, "to a request's end");
        if (last < REQUESTS) assertGt(paid + _value(last + 1, type(uint256).max) + 1, available, "one was left");
    }

    /// @dev The same requests are paid, a wei less a piece.
    function testFuzz_piecesPayWhatTheWholePays(uint256 seed, uint256 first, uint256 available) public {
        _fill(seed);
        uint256 all;
        for (uint256 id = 1; id <= REQUESTS; ++id) all += _value(id, type(uint256).max);
        available = bound(available, 0, all + 10);
        first = bound(first, 0, available);
        (uint256 paid1, ) = _finalise(RAY, type(uint48).max, first);
        (uint256 paid2, ) = _finalise(RAY, type(uint48).max, available - paid1);
        uint256 reached = _book.lastFinalisedId(_requests);
        uint256 sum;
        for (uint256 id = 1; id <= reached; ++id) sum += _value(id, RAY);
        assertGe(paid1 + paid2, sum, "less than the requests");
        assertLe(paid1 + paid2, sum + reached, "more than the requests");
        assertLe(paid1 + paid2, available, "more than there is");
    }

    function testFuzz_roundsAfterTheCutoffWait(uint256 seed, uint256 cutoff) public {
        _fill(seed);
        cutoff = bound(cutoff, 0, 10);
        _finalise(RAY * 1e6, cutoff, type(uint128).max);
        uint256 last = _book.lastFinalisedId(_requests);
        if (last != 0) assertLe(_book.rounds[_roundOf[last]].endsAt, cutoff, "paid before the round ended");
        if (last < REQUESTS) assertGt(_book.rounds[_roundOf[last + 1]].endsAt, cutoff, "left though its round ended");
    }

    function test_appendCountsUpToTheTypesOfItsSlotAndNoFurther() public {
        _book.tail = Rounds.Tail(7, type(uint32).max - 1, 3, 1000, true, type(uint56).max - 5);
        _assertRefused(1, 6);
        (uint256 id, uint256 end) = this.append(9, 5);
        assertEq(id, type(uint32).max, "id");
        assertEq(end, 16, "end");
        Rounds.Tail memory tail = _book.tail;
        assertEq(tail.requestedUnits, 16, "units");
        assertEq(tail.lastRequestId, type(uint32).max, "last id");
        assertEq(tail.remainder, type(uint56).max, "remainder");
        assertEq(tail.lastRound, 3, "round");
        assertEq(tail.nextCutoff, 1000, "cut-off");
        assertTrue(tail.roundOpen, "open");
        _book.tail.remainder = 0;
        _assertRefused(1, 0);
    }

    function append(uint256 units, uint256 remainder) external returns (uint256 id, uint256 end) {
        return Rounds.append(_book.tail, units, remainder, 1000);
    }

    // --- internal ---

    function _assertRefused(uint256 units, uint256 remainder) private {
        try this.append(units, remainder) {
            revert AssertTrue("should overflow");
        } catch (bytes memory reason) {
            assertEq(bytes32(reason), bytes32(Rounds.QueueOverflow.selector), "reason");
        }
    }

    function _fill(uint256 seed) private {
        for (uint256 id = 1; id <= REQUESTS; ++id) {
            uint256 dice = uint256(keccak256(abi.encode(seed, id)));
            if (id == 1 || dice % 3 == 0) {
                uint24 round = ++_book.tail.lastRound;
                uint256 rate = bound(dice >> 8, RAY / 2, 2 * RAY);
                _book.rounds[round] = Rounds.Round(_book.tail.requestedUnits, uint104(rate), round);
            }
            _openedAt[id] = _book.rounds[_book.tail.lastRound].rate;
            _roundOf[id] = _book.tail.lastRound;
            uint256 units = (dice >> 120) % 4 == 0 ? 50 + ((dice >> 130) % 400) : ((dice >> 130) % 1e21) + 50;
            _book.tail.requestedUnits += uint96(units);
            _requests[id] = RequestToken.Request(address(this), _book.tail.requestedUnits);
            _book.tail.lastRequestId = uint32(id);
        }
    }

    function _finaliseAtRandom(uint256 seed) private returns (uint256 sum) {
        for (uint256 i; i < 8; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, "finalise", i)));
            uint256 rate = bound(dice, RAY / 2, 2 * RAY);
            uint256 before = _book.lastFinalisedId(_requests);
            (uint256 paid, ) = _finalise(rate, (dice >> 100) % 9, (dice >> 110) % 3e21);
            sum += paid;
            uint256 last = _book.lastFinalisedId(_requests);
            for (uint256 id = before + 1; id <= last; ++id) _finalRate[id] = rate;
        }
    }

    function _value(uint256 id, uint256 maxRate) private view returns (uint256) {
        uint256 rate = _openedAt[id] < maxRate ? _openedAt[id] : maxRate;
        return ((_requests[id].endUnits - _requests[id - 1].endUnits) * rate) / RAY;
    }

    function _finalise(uint256 maxRate, uint256 cutoff, uint256 available) private returns (uint256, uint256) {
        Rounds.Head memory head = _book.head;
        uint256 from = head.finalisedUnits;
        uint256 paid = _book.finalise(_requests, head, _book.tail, maxRate, cutoff, available);
        return (paid, head.finalisedUnits - from);
    }
}
