// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {BP} from "../shared/Units.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";
import {ValidatorSlots} from "./ValidatorSlots.sol";

/// @title ValidatorQueues
/// @notice Whose turn it is, to be funded and to exit. Within a tier keys go in the order in which they were proven: a
/// key knows its sequence, the tier only its heads. A key that was dropped, or funded by its operator out of turn, leaves a
/// hole that the heads step over. The latter exits out of turn too: it may go whenever its tier is next. Between tiers the
/// share of the validators that stay decides; a tie goes to the lower tier.
library ValidatorQueues {
    using BitMaps for BitMaps.BitMap;
    using ValidatorSlots for IValidatorRegistry.TierQueue;
    using ValidatorSlots for uint256;

    struct State {
        mapping(uint256 tier => uint256) words; // see ValidatorSlots
        mapping(uint256 tier => BitMaps.BitMap) holes; // by sequence
    }

    /// @dev The words of all tiers while keys are funded.
    struct Turns {
        uint256[] words;
        uint256 alone; // the tier that waits alone: it still does, or has no keys left
    }

    uint256 internal constant NONE = type(uint256).max;

    // --- the order, pure in the tiers' words ---

    /// @notice Among tiers with queued keys, the one furthest below its target share, counted with the next validator.
    /// Tiers at their maximum are left out.
    function nextToFund(uint256[] memory words) internal pure returns (uint256 best) {
        best = waitsAlone(words);
        if (best != NONE) return best;
        uint256 total = 1;
        for (uint256 i = 0; i < words.length; ++i) {
            total += words[i].presentOf();
        }
        int256 bestGap = type(int256).min;
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 word = words[i];
            uint256 present = word.presentOf() * BP;
            if (word.queuedOf() == 0 || present >= word.maxShareBpOf() * total) continue;
            int256 gap = int256(word.targetShareBpOf() * total) - int256(present);
            if (gap > bestGap) (best, bestGap) = (i, gap);
        }
    }

    /// @notice The tier that has all queued keys and no maximum: it is next until they are funded. NONE if there is none such.
    function waitsAlone(uint256[] memory words) internal pure returns (uint256 only) {
        only = NONE;
        for (uint256 i = 0; i < words.length; ++i) {
            if (words[i].queuedOf() == 0) continue;
            if (only != NONE || words[i].maxShareBpOf() < BP) return NONE;
            only = i;
        }
    }

    /// @notice Among tiers with validators that stay, the one furthest above its target share.
    function nextToExit(uint256[] memory words) internal pure returns (uint256 best) {
        uint256 total = staying(words);
        best = NONE;
        int256 bestGap = type(int256).min;
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 present = words[i].stayingOf() * BP;
            if (present == 0) continue;
            int256 gap = int256(present) - int256(words[i].targetShareBpOf() * total);
            if (gap > bestGap) (best, bestGap) = (i, gap);
        }
    }

    /// @notice Validators funded, neither proven exiting nor asked to exit.
    function staying(uint256[] memory words) internal pure returns (uint256 total) {
        for (uint256 i = 0; i < words.length; ++i) {
            total += words[i].stayingOf();
        }
    }

    // --- the queues ---

    /// @notice The words of all tiers.
    function load(State storage self) internal view returns (uint256[] memory words) {
        uint256 first = self.words[0];
        words = new uint256[](first.tiersOf());
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = i == 0 ? first : self.words[i];
        }
    }

    function tierCount(State storage self) internal view returns (uint256) {
        return self.words[0].tiersOf();
    }

    function get(State storage self, uint256 tier) internal view returns (IValidatorRegistry.TierQueue memory) {
        return self.words[tier].toQueue();
    }

    function put(State storage self, uint256 tier, IValidatorRegistry.TierQueue memory queue) internal {
        self.words[tier] = queue.pack().withTiersOf(self.words[tier]);
    }

    function setTier(State storage self, uint256 tier, uint16 targetShareBp, uint16 maxShareBp) internal {
        IValidatorRegistry.TierQueue memory queue = get(self, tier);
        (queue.targetShareBp, queue.maxShareBp) = (targetShareBp, maxShareBp);
        put(self, tier, queue);
        if (tier >= tierCount(self)) self.words[0] = self.words[0].withTiers(tier + 1);
    }

    function push(State storage self, uint256 tier) internal returns (uint256 sequence) {
        (self.words[tier], sequence) = self.words[tier].pushed();
    }

    function drop(State storage self, uint256 tier, uint256 sequence) internal {
        IValidatorRegistry.TierQueue memory queue = get(self, tier);
        --queue.queued;
        put(self, tier, queue);
        self.holes[tier].set(sequence);
    }

    /// @notice Takes a queued key out of turn.
    function takeOwn(State storage self, uint256 tier, uint256 sequence) internal {
        IValidatorRegistry.TierQueue memory queue = get(self, tier);
        --queue.queued;
        ++queue.funded;
        put(self, tier, queue);
        self.holes[tier].set(sequence);
    }

    function turnsNow(State storage self) internal view returns (Turns memory) {
        uint256[] memory words = load(self);
        return Turns(words, waitsAlone(words));
    }

    /// @notice Takes the queued key `keyRoot`, which must be the next. In memory; see `putFunded`.
    /// @return taken false if no tier may be funded now
    function takeToFund(
        State storage self,
        Turns memory turns,
        bytes32 keyRoot,
        uint256 tier,
        uint256 sequence
    ) internal view returns (bool taken) {
        uint256[] memory words = turns.words;
        uint256 nextTier = turns.alone;
        uint256 word = nextTier == NONE ? 0 : words[nextTier];
        if (word.queuedOf() == 0) {
            nextTier = nextToFund(words);
            if (nextTier == NONE) return false;
            word = words[nextTier];
        }
        uint256 head = word.fundHeadOf();
        // the usual key is at the head, and costs no look at the holes
        if (sequence != head || tier != nextTier) {
            head = stepOver(self, nextTier, head, word.tailOf());
            _requireNext(keyRoot, tier, sequence, nextTier, head);
        }
        words[nextTier] = word.fundedAt(head);
        return true;
    }

    /// @notice Writes back the queues from which `takeToFund` took.
    function putFunded(State storage self, Turns memory turns) internal {
        uint256[] memory words = turns.words;
        for (uint256 i = 0; i < words.length; ++i) {
            (uint256 old, uint256 word) = (self.words[i], words[i]);
            if (old == word) continue;
            self.words[i] = word;
            emit IValidatorRegistry.Funded(i, old.fundHeadOf(), word.fundHeadOf());
        }
    }

    /// @notice Takes the turn of the staying validator `keyRoot` to exit: its tier must be next, and it must be at the
    /// head, before it (its earlier request expired), or funded out of turn.
    function takeToExit(
        State storage self,
        uint256[] memory words,
        bytes32 keyRoot,
        uint256 tier,
        uint256 sequence
    ) internal {
        uint256 nextTier = nextToExit(words);
        IValidatorRegistry.TierQueue memory queue = words[nextTier].toQueue();
        if (tier != nextTier || (sequence >= queue.exitHead && !self.holes[tier].get(sequence))) {
            _moveExitHead(self, queue, keyRoot, tier, sequence, nextTier);
        }
        ++queue.requested;
        put(self, nextTier, queue);
    }

    /// @notice Moves the head of the exit order past `keyRoot`, which must be at the head and no longer stay.
    function skipExited(State storage self, bytes32 keyRoot, uint256 tier, uint256 sequence) internal {
        IValidatorRegistry.TierQueue memory queue = get(self, tier);
        _moveExitHead(self, queue, keyRoot, tier, sequence, tier);
        put(self, tier, queue);
    }

    /// @notice A request to exit was confirmed or forgotten, a validator is proven exiting, or both.
    function noteExit(State storage self, uint256 tier, bool wasRequested, bool exits) internal {
        IValidatorRegistry.TierQueue memory queue = get(self, tier);
        if (wasRequested) --queue.requested;
        if (exits) ++queue.exiting;
        put(self, tier, queue);
    }

    /// @notice The first sequence from `head` on that is not a hole, at most `end`.
    function stepOver(State storage self, uint256 tier, uint256 head, uint256 end) internal view returns (uint256) {
        while (head < end && self.holes[tier].get(head)) ++head;
        return head;
    }

    function _moveExitHead(
        State storage self,
        IValidatorRegistry.TierQueue memory queue,
        bytes32 keyRoot,
        uint256 tier,
        uint256 sequence,
        uint256 nextTier
    ) private view {
        uint256 head = stepOver(self, nextTier, queue.exitHead, queue.fundHead);
        _requireNext(keyRoot, tier, sequence, nextTier, head);
        queue.exitHead = uint32(head + 1);
    }

    function _requireNext(
        bytes32 keyRoot,
        uint256 tier,
        uint256 sequence,
        uint256 nextTier,
        uint256 next
    ) private pure {
        bool isNext = tier == nextTier && sequence == next;
        require(isNext, IValidatorRegistry.NotNext(keyRoot, tier, sequence, nextTier, next));
    }
}
