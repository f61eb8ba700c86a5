// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {RAY} from "../shared/Units.sol";
import {RequestToken} from "./RequestToken.sol";

/// @title Rounds
/// @notice All requests of a round share its opening rate, so that a round is settled by sums. The queue counts units of
/// 1e9 shares, cumulatively: request i covers (endUnits[i - 1], endUnits[i]], round r starts at startUnits[r].
library Rounds {
    using Checkpoints for Checkpoints.Trace160;

    /// @dev One slot, written by every request: `append` knows its layout.
    struct Tail {
        uint96 requestedUnits; // cumulative
        uint32 lastRequestId;
        uint24 lastRound;
        uint40 nextCutoff; // unix seconds
        bool roundOpen;
        uint56 remainder; // shares below one unit, of requests since the last report
    }

    /// @dev One slot, written by every finalisation.
    struct Head {
        uint96 finalisedUnits; // cumulative
        uint32 knownFinalisedId; // some finalised request, from which searches start
        uint24 round; // the first round not wholly finalised
        bool capped; // some finalisation paid less than an opening rate
    }

    /// @dev One slot, written when it opens and never again.
    struct Round {
        uint96 startUnits;
        uint104 rate; // ray, at opening, rounded down
        uint48 endsAt; // unix seconds
    }

    /// @dev All state of the queue but the requests themselves.
    struct Book {
        Tail tail;
        Head head;
        mapping(uint256 round => Round) rounds;
        Checkpoints.Trace160 caps; // from these units on, finalisation paid at most this rate; max: no cap
    }

    /// @dev Bounds what a report costs however many rounds wait; continueFinalisation goes on.
    uint256 internal constant MAX_ROUNDS_PER_CALL = 64;
    /// @dev Above any rate: the opening rates alone count from there on.
    uint160 private constant NO_CAP = type(uint160).max;

    /// @notice The queue's slot is full: 96 bits of units, 32 of requests, or 56 of remainders since the last report.
    error QueueOverflow();

    /// @notice Counts a request of `units` in the round that is open at `time`.
    /// @param remainder shares below one unit
    /// @return id of the request; zero if no round is open: nothing was counted
    /// @return end cumulative units up to and including it
    /// @dev The slot is read and written once, by hand: stakers pay for it.
    function append(
        Tail storage tail,
        uint256 units,
        uint256 remainder,
        uint256 time
    ) internal returns (uint256 id, uint256 end) {
        uint256 packed;
        assembly ("memory-safe") {
            packed := sload(tail.slot)
        }
        if (uint8(packed >> 192) == 0 || time > uint40(packed >> 152)) return (0, 0);
        unchecked {
            end = uint96(packed) + units;
            id = uint256(uint32(packed >> 96)) + 1;
            remainder += packed >> 200;
            if (end > type(uint96).max || id > type(uint32).max || remainder > type(uint56).max) revert QueueOverflow();
            packed = (uint200(packed) & ~uint256(type(uint128).max)) | (remainder << 200) | (id << 96) | end;
        }
        assembly ("memory-safe") {
            sstore(tail.slot, packed)
        }
    }

    /// @notice Finalises in order, rounds that ended by `cutoff`, paying min(opening rate, maxRate) a share, as far as
    /// `available` wei reach. Sums round down once a round (or a round's part), never below the sum of its requests.
    /// @param head the book's, moved and stored if anything is finalised
    /// @param maxRate ray: the rate of the report that allows it, F
    /// @param cutoff unix seconds
    /// @param available wei that the pool has for it
    /// @return paid wei, for the units by which the head moved
    function finalise(
        Book storage book,
        mapping(uint256 => RequestToken.Request) storage requests,
        Head memory head,
        Tail memory tail,
        uint256 maxRate,
        uint256 cutoff,
        uint256 available
    ) internal returns (uint256 paid) {
        uint256 from = head.finalisedUnits;
        // rounds count from 1
        if (head.round == 0) head.round = 1;
        bool whole = true;
        for (uint256 i; i < MAX_ROUNDS_PER_CALL && whole && head.finalisedUnits < tail.requestedUnits; ++i) {
            Round memory round = book.rounds[head.round];
            if (round.endsAt > cutoff) break;
            uint256 part;
            (part, whole) = _settleRound(book, requests, head, tail, round.rate, maxRate, available - paid);
            paid += part;
        }
        if (head.finalisedUnits == from) return 0;
        // all there is: the last id is known without a search
        if (head.finalisedUnits == tail.requestedUnits) head.knownFinalisedId = tail.lastRequestId;
        book.head = head;
    }

    /// @notice The last finalised request; zero if none.
    /// @dev A binary search by units: partly settled rounds end at a request that no field names.
    function lastFinalisedId(
        Book storage book,
        mapping(uint256 => RequestToken.Request) storage requests
    ) internal view returns (uint256 low) {
        Head memory head = book.head;
        low = head.knownFinalisedId;
        uint256 high = book.tail.lastRequestId;
        while (low < high) {
            uint256 mid = Math.ceilDiv(low + high, 2);
            if (requests[mid].endUnits <= head.finalisedUnits) low = mid;
            else high = mid - 1;
        }
    }

    /// @notice The round in which units after `startUnits` of a request were counted. `hint` is tried first.
    /// @dev A wrong hint is found out by the neighbours' starts, and the search goes over all rounds then.
    function roundAt(Book storage book, uint256 startUnits, uint256 hint) internal view returns (uint256) {
        if (hint != 0) {
            Round memory hinted = book.rounds[hint];
            if (hinted.endsAt != 0 && hinted.startUnits <= startUnits) {
                Round memory next = book.rounds[hint + 1];
                if (next.endsAt == 0 || startUnits < next.startUnits) return hint;
            }
        }
        uint256 low = 1;
        uint256 high = book.tail.lastRound;
        while (low < high) {
            uint256 mid = Math.ceilDiv(low + high, 2);
            if (book.rounds[mid].startUnits <= startUnits) low = mid;
            else high = mid - 1;
        }
        return low;
    }

    /// @notice Wei that a request of `units` from `startUnits` on is paid once finalised, rounded down.
    /// @param startUnits where the request before it ends
    /// @param hint a round to try first; 0 for none
    /// @param capped the head's: whether caps must be looked up at all
    function payment(
        Book storage book,
        uint256 startUnits,
        uint256 units,
        uint256 hint,
        bool capped
    ) internal view returns (uint256) {
        uint256 rate = book.rounds[roundAt(book, startUnits, hint)].rate;
        if (capped) {
            uint160 cap = book.caps.upperLookup(uint96(startUnits));
            // no checkpoint at or before these units: nothing was capped yet
            if (cap != 0) rate = Math.min(rate, cap);
        }
        return (units * rate) / RAY;
    }

    /// @dev Settles the rest of the round at the head, or as many of its requests as `available` reaches.
    /// @param head moved past what is settled
    /// @return paid wei, rounded down once for all of it
    /// @return whole whether nothing of the round is left
    function _settleRound(
        Book storage book,
        mapping(uint256 => RequestToken.Request) storage requests,
        Head memory head,
        Tail memory tail,
        uint256 openingRate,
        uint256 maxRate,
        uint256 available
    ) private returns (uint256 paid, bool whole) {
        uint256 rate = Math.min(openingRate, maxRate);
        bool isLast = head.round == tail.lastRound;
        uint256 end = isLast ? tail.requestedUnits : book.rounds[head.round + 1].startUnits;
        paid = ((end - head.finalisedUnits) * rate) / RAY;
        whole = paid <= available;
        if (!whole) {
            end = _lastAffordable(requests, head, tail, end, rate, available);
            if (end == head.finalisedUnits) return (0, false);
            paid = ((end - head.finalisedUnits) * rate) / RAY;
        }
        // a round that was wholly paid as the last one has no units left, and its price says nothing of the next one's
        if (end != head.finalisedUnits) _setCap(book, head, openingRate, maxRate);
        head.finalisedUnits = uint96(end);
        if (whole && !isLast) ++head.round;
    }

    /// @dev Records, from the finalised units on, whether maxRate binds; writes only when that changes.
    function _setCap(Book storage book, Head memory head, uint256 openingRate, uint256 maxRate) private {
        uint160 cap = maxRate < openingRate ? uint160(maxRate) : NO_CAP;
        if (!head.capped) {
            if (cap == NO_CAP) return;
            head.capped = true;
        }
        if (book.caps.latest() != cap) book.caps.push(head.finalisedUnits, cap);
    }

    /// @dev Cumulative units of the last request up to `roundEnd` that `available` pays together with those before it.
    /// A binary search, as paid sums grow with the requests. Notes the id in `head` for later searches.
    function _lastAffordable(
        mapping(uint256 => RequestToken.Request) storage requests,
        Head memory head,
        Tail memory tail,
        uint256 roundEnd,
        uint256 rate,
        uint256 available
    ) private view returns (uint256 units) {
        uint256 from = head.finalisedUnits;
        uint256 low = head.knownFinalisedId;
        uint256 high = tail.lastRequestId;
        units = from;
        while (low < high) {
            uint256 mid = Math.ceilDiv(low + high, 2);
            uint256 end = requests[mid].endUnits;
            if (end <= from || (end <= roundEnd && ((end - from) * rate) / RAY <= available)) {
                low = mid;
                if (end > from) units = end;
            } else {
                high = mid - 1;
            }
        }
        head.knownFinalisedId = uint32(low);
    }
}
