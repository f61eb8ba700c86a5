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
        uint256 count;
        mapping(uint256 tier => uint256) words; // see ValidatorSlots
        mapping(uint256 tier => BitMaps.BitMap) holes; // by sequence
    }

    uint256 internal constant NONE = type(uint256).max;
    uint256 private constant SEVERAL = NONE - 1;

    // --- the order, pure in the queues ---

    /// @notice Among tiers with queued keys, the one furthest below its target share, counted with the next validator.
    /// Tiers at their maximum are left out.
    function nextToFund(IValidatorRegistry.TierQueue[] memory queues) internal pure returns (uint256 best) {
        best = _onlyQueued(queues);
        // whoever waits alone goes next, unless its tier has a maximum
        if (best != SEVERAL && (best == NONE || queues[best].maxShareBp == BP)) return best;
        uint256 total = 1;
        for (uint256 i = 0; i < queues.length; ++i) {
            total += queues[i].funded - queues[i].exiting;
        }
        best = NONE;
        int256 bestGap = type(int256).min;
        for (uint256 i = 0; i < queues.length; ++i) {
            IValidatorRegistry.TierQueue memory queue = queues[i];
            uint256 present = uint256(queue.funded - queue.exiting) * BP;
            if (queue.queued == 0 || present >= queue.maxShareBp * total) continue;
            int256 gap = int256(queue.targetShareBp * total) - int256(present);
            if (gap > bestGap) (best, bestGap) = (i, gap);
        }
    }

    /// @notice Among tiers with validators that stay, the one furthest above its target share.
    function nextToExit(IValidatorRegistry.TierQueue[] memory queues) internal pure returns (uint256 best) {
        uint256 total = staying(queues);
        best = NONE;
        int256 bestGap = type(int256).min;
        for (uint256 i = 0; i < queues.length; ++i) {
            uint256 present = _staying(queues[i]) * BP;
            if (present == 0) continue;
            int256 gap = int256(present) - int256(queues[i].targetShareBp * total);
            if (gap > bestGap) (best, bestGap) = (i, gap);
        }
    }

    /// @notice Validators funded, neither proven exiting nor asked to exit.
    function staying(IValidatorRegistry.TierQueue[] memory queues) internal pure returns (uint256 total) {
        for (uint256 i = 0; i < queues.length; ++i) {
            total += _staying(queues[i]);
        }
    }

    // --- the queues ---

    function load(State storage self) internal view returns (IValidatorRegistry.TierQueue[] memory queues) {
        uint256 count = self.count;
        queues = new IValidatorRegistry.TierQueue[](count);
        for (uint256 i = 0; i < count; ++i) {
            queues[i] = get(self, i);
        }
    }

    function get(State storage self, uint256 tier) internal view returns (IValidatorRegistry.TierQueue memory) {
        return self.words[tier].toQueue();
    }

    function put(State storage self, uint256 tier, IValidatorRegistry.TierQueue memory queue) internal {
        self.words[tier] = queue.pack();
    }

    function setTier(State storage self, uint256 tier, uint16 targetShareBp, uint16 maxShareBp) internal {
        IValidatorRegistry.TierQueue memory queue = get(self, tier);
        (queue.targetShareBp, queue.maxShareBp) = (targetShareBp, maxShareBp);
        put(self, tier, queue);
        if (tier >= self.count) self.count = tier + 1;
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

    /// @notice Takes the queued key `keyRoot`, which must be the next. In memory; see `putFunded`.
    /// @return taken false if no tier may be funded now
    function takeToFund(
        State storage self,
        IValidatorRegistry.TierQueue[] memory queues,
        bytes32 keyRoot,
        uint256 tier,
        uint256 sequence
    ) internal view returns (bool taken) {
        uint256 nextTier = nextToFund(queues);
        if (nextTier == NONE) return false;
        IValidatorRegistry.TierQueue memory queue = queues[nextTier];
        uint256 head = queue.fundHead;
        // the usual key is at the head, and costs no look at the holes
        if (sequence != head || tier != nextTier) {
            head = stepOver(self, nextTier, head, queue.tail);
            _requireNext(keyRoot, tier, sequence, nextTier, head);
        }
        queue.fundHead = uint32(head + 1);
        --queue.queued;
        ++queue.funded;
        return true;
    }

    /// @notice Writes back the queues from which `takeToFund` took.
    function putFunded(State storage self, IValidatorRegistry.TierQueue[] memory queues) internal {
        for (uint256 i = 0; i < queues.length; ++i) {
            (uint256 from, uint256 to) = (get(self, i).fundHead, queues[i].fundHead);
            if (from == to) continue;
            put(self, i, queues[i]);
            emit IValidatorRegistry.Funded(i, from, to);
        }
    }

    /// @notice Takes the turn of the staying validator `keyRoot` to exit: its tier must be next, and it must be at the
    /// head, before it (its earlier request expired), or funded out of turn.
    function takeToExit(
        State storage self,
        IValidatorRegistry.TierQueue[] memory queues,
        bytes32 keyRoot,
        uint256 tier,
        uint256 sequence
    ) internal {
        uint256 nextTier = nextToExit(queues);
        IValidatorRegistry.TierQueue memory queue = queues[nextTier];
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

    /// @dev The only tier with queued keys; NONE or SEVERAL otherwise.
    function _onlyQueued(IValidatorRegistry.TierQueue[] memory queues) private pure returns (uint256 only) {
        only = NONE;
        for (uint256 i = 0; i < queues.length; ++i) {
            if (queues[i].queued == 0) continue;
            if (only != NONE) return SEVERAL;
            only = i;
        }
    }

    function _staying(IValidatorRegistry.TierQueue memory queue) private pure returns (uint256) {
        return uint256(queue.funded) - queue.exiting - queue.requested;
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
