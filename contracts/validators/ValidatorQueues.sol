// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {BP} from "../shared/Units.sol";
import {IValidatorExits} from "./IValidatorExits.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";

/// @title ValidatorQueues
/// @notice Whose turn it is, to be funded and to exit. Within a tier keys go in the order in which they were proven: a
/// key knows its sequence, the tier only its heads. A key that was dropped, or funded by its operator out of turn, leaves a
/// hole that the heads step over. The latter exits out of turn too: it may go whenever its tier is next. Between tiers the
/// share of the validators present decides; a tie goes to the lower tier.
library ValidatorQueues {
    using BitMaps for BitMaps.BitMap;

    /// @dev Bounds the loops below.
    uint256 private constant MAX_TIERS = 16; // as in OperatorTable

    /// @dev Part of ValidatorState's storage: only fields at the end may be added.
    struct State {
        IValidatorRegistry.TierQueue[MAX_TIERS] tiers;
        mapping(uint256 tier => BitMaps.BitMap) holes; // by sequence
    }

    /// @dev What is known of all tiers while keys are funded.
    struct Turns {
        uint256 total; // validators present, and the next one
        uint256[] firsts; // of each tier the first sequence taken, plus one; 0: none
    }

    /// @dev No tier.
    uint256 internal constant NONE = type(uint256).max;

    // --- the order ---

    /// @notice Among `count` tiers, of those with queued keys the one furthest below its target share of `total` validators,
    /// the next one included. Tiers at their maximum are left out. NONE if no tier is left.
    function nextToFund(State storage self, uint256 count, uint256 total) internal view returns (uint256 best) {
        int256 bestGap = type(int256).min;
        best = NONE;
        for (uint256 i = 0; i < count; ++i) {
            IValidatorRegistry.TierQueue storage queue = self.tiers[i];
            // all of them before any branch: one read of the slot
            uint256 queued = queue.queued;
            uint256 here = present(queue);
            uint256 maxShareBp = queue.maxShareBp;
            uint256 targetShareBp = queue.targetShareBp;
            if (queued == 0 || isAtMaximum(here, maxShareBp, total)) continue;
            int256 gap = gapOf(here, targetShareBp, total);
            if (gap > bestGap) (best, bestGap) = (i, gap);
        }
    }

    /// @notice Among tiers with validators present, the one furthest above its target share. NONE if no tier is left.
    /// @param passed a bit for each tier that is left out
    function nextToExit(State storage self, uint256 passed) internal view returns (uint256 best) {
        uint256 total = allPresent(self);
        uint256 count = tierCount(self);
        int256 bestGap = type(int256).min;
        best = NONE;
        for (uint256 i = 0; i < count; ++i) {
            uint256 here = present(self.tiers[i]);
            // the shares are those of all tiers, passed or not
            if (here == 0 || (passed >> i) & 1 != 0) continue;
            int256 gap = -gapOf(here, self.tiers[i].targetShareBp, total);
            if (gap > bestGap) (best, bestGap) = (i, gap);
        }
    }

    /// @notice Validators funded, neither asked to exit nor proven exiting.
    function present(IValidatorRegistry.TierQueue storage queue) internal view returns (uint256) {
        unchecked {
            return uint256(queue.funded) - queue.leaving; // each leaves once
        }
    }

    /// @notice Of all tiers.
    function allPresent(State storage self) internal view returns (uint256 total) {
        uint256 count = tierCount(self);
        for (uint256 i = 0; i < count; ++i) {
            total += present(self.tiers[i]);
        }
    }

    /// @notice Whether a tier with `here` validators has its maximum of `total`, the next one included in these.
    function isAtMaximum(uint256 here, uint256 maxShareBp, uint256 total) internal pure returns (bool) {
        unchecked {
            return here * BP >= maxShareBp * total; // counts are below 2**32
        }
    }

    /// @notice By how much a tier with `here` of `total` validators is below its target share, times both.
    function gapOf(uint256 here, uint256 targetShareBp, uint256 total) internal pure returns (int256) {
        unchecked {
            return int256(targetShareBp * total) - int256(here * BP); // counts are below 2**32
        }
    }

    // --- the queues ---

    /// @notice Tiers are added one by one, and stay.
    function tierCount(State storage self) internal view returns (uint256) {
        return self.tiers[0].tiers;
    }

    /// @notice Adds or changes a tier; its queue stays as it is.
    function setTier(State storage self, uint256 tier, uint16 targetShareBp, uint16 maxShareBp) internal {
        IValidatorRegistry.TierQueue storage queue = self.tiers[tier];
        (queue.targetShareBp, queue.maxShareBp) = (targetShareBp, maxShareBp);
        if (tier >= tierCount(self)) self.tiers[0].tiers = uint8(tier + 1);
    }

    /// @notice One key more at the tail.
    function push(State storage self, uint256 tier) internal returns (uint256 sequence) {
        IValidatorRegistry.TierQueue storage queue = self.tiers[tier];
        sequence = queue.tail++;
        ++queue.queued;
    }

    /// @notice Takes a queued key out. Both orders step over its place.
    function drop(State storage self, uint256 tier, uint256 sequence) internal {
        --self.tiers[tier].queued;
        self.holes[tier].set(sequence);
    }

    /// @notice Takes a queued key out of turn. Its tier must be below its maximum, as in `nextToFund`.
    function takeOwn(State storage self, uint256 tier, uint256 sequence) internal {
        IValidatorRegistry.TierQueue storage queue = self.tiers[tier];
        (uint256 here, uint256 maxShareBp, uint256 total) = (present(queue), queue.maxShareBp, allPresent(self) + 1);
        bool full = isAtMaximum(here, maxShareBp, total);
        require(!full, IValidatorRegistry.TierAtMaximum(tier, here, total, maxShareBp));
        --queue.queued;
        ++queue.funded;
        self.holes[tier].set(sequence);
    }

    /// @notice What `takeToFund` needs to go on from key to key.
    function turnsNow(State storage self) internal view returns (Turns memory) {
        return Turns(allPresent(self) + 1, new uint256[](tierCount(self)));
    }

    /// @notice Takes the queued key `keyRoot`, which must be the next.
    /// @return taken false if no tier may be funded now
    function takeToFund(
        State storage self,
        Turns memory turns,
        bytes32 keyRoot,
        uint256 tier,
        uint256 sequence
    ) internal returns (bool taken) {
        uint256 next = nextToFund(self, turns.firsts.length, turns.total);
        if (next == NONE) return false;
        IValidatorRegistry.TierQueue storage queue = self.tiers[next];
        uint256 head = queue.fundHead;
        // a queued key leaves no hole: where it is at the head, the 2,100 gas of a look are saved
        if (tier != next || sequence != head) {
            head = stepOver(self, next, head, queue.tail);
            _requireNext(keyRoot, tier, sequence, next, head, queue.tail);
        }
        // together: one write of the slot
        (queue.fundHead, queue.funded, queue.queued) = (uint32(head + 1), queue.funded + 1, queue.queued - 1);
        ++turns.total;
        if (turns.firsts[next] == 0) turns.firsts[next] = head + 1;
        return true;
    }

    /// @notice Tells which keys were taken in these turns.
    function emitFunded(State storage self, Turns memory turns) internal {
        for (uint256 i = 0; i < turns.firsts.length; ++i) {
            uint256 first = turns.firsts[i];
            if (first != 0) emit IValidatorRegistry.Funded(i, first - 1, self.tiers[i].fundHead);
        }
    }

    /// @notice Takes the turn to exit of `keyRoot`, which stays: its tier must be `next`, and it must be at the head, or funded
    /// out of turn.
    function takeToExit(State storage self, uint256 next, bytes32 keyRoot, uint256 tier, uint256 sequence) internal {
        if (tier != next || !self.holes[tier].get(sequence)) _moveExitHead(self, next, keyRoot, tier, sequence);
    }

    /// @notice Moves the head of the exit order past `keyRoot`, which must be at the head and no longer stay.
    function skipExited(State storage self, bytes32 keyRoot, uint256 tier, uint256 sequence) internal {
        _moveExitHead(self, tier, keyRoot, tier, sequence);
    }

    /// @notice Whether `keyRoot`, which stays, speaks for tier `next`: it is the head of its exit order or, where that has
    /// ended, any one funded out of turn.
    function requireHead(
        State storage self,
        uint256 next,
        bytes32 keyRoot,
        uint256 tier,
        uint256 sequence
    ) internal view {
        (uint256 head, uint256 end) = (exitHead(self, next), self.tiers[next].fundHead);
        if (tier == next && head == end && self.holes[tier].get(sequence)) return;
        _requireNext(keyRoot, tier, sequence, next, head, end);
    }

    /// @notice A validator was asked to exit, or is proven exiting without. Once for each.
    function noteLeaving(State storage self, uint256 tier) internal {
        ++self.tiers[tier].leaving;
    }

    /// @notice The first sequence of a tier that was not yet asked to exit; the end of the order if there is none.
    function exitHead(State storage self, uint256 tier) internal view returns (uint256) {
        return stepOver(self, tier, self.tiers[tier].exitHead, self.tiers[tier].fundHead);
    }

    /// @notice The first sequence from `head` on that is not a hole, at most `end`.
    function stepOver(State storage self, uint256 tier, uint256 head, uint256 end) internal view returns (uint256) {
        while (head < end && self.holes[tier].get(head)) ++head;
        return head;
    }

    /// @dev Of tier `next`, past `keyRoot`, which must be at the head. Never past what is funded: beyond it only holes may
    /// have left, and these have no turn.
    function _moveExitHead(State storage self, uint256 next, bytes32 keyRoot, uint256 tier, uint256 sequence) private {
        uint256 head = exitHead(self, next);
        _requireNext(keyRoot, tier, sequence, next, head, self.tiers[next].fundHead);
        self.tiers[next].exitHead = uint32(head + 1);
    }

    /// @dev The key must be at the head of tier `next`, in an order that goes as far as `end`.
    function _requireNext(
        bytes32 keyRoot,
        uint256 tier,
        uint256 sequence,
        uint256 next,
        uint256 head,
        uint256 end
    ) private pure {
        bool isNext = tier == next && sequence == head && head < end;
        require(isNext, IValidatorExits.NotNext(keyRoot, tier, sequence, next, head));
    }
}
