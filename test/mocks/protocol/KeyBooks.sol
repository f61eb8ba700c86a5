// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, FAR_FUTURE_EPOCH} from "../../../contracts/shared/Units.sol";
import {BeaconValidator} from "../../../contracts/shared/BeaconTypes.sol";
import {IBeaconProof} from "../../../contracts/validators/IBeaconProof.sol";
import {IValidatorExits} from "../../../contracts/validators/IValidatorExits.sol";
import {ProtocolWorld} from "./ProtocolWorld.sol";
import {Refusals} from "./Refusals.sol";

/// @notice Books of every key, and the order of fundings and exits, worked out from the keys themselves each time: nothing
/// is counted along the way. And the beacon chain's view of each key, of which proofs are made.
abstract contract KeyBooks is ProtocolWorld {
    using Refusals for Refusals.Causes;

    struct Key {
        bytes32 root;
        // what the registry knows
        uint16 operatorId;
        uint8 tier; // from the proof on
        IValidatorExits.Status status;
        bool slashed;
        bool weightless;
        bool own; // funded out of turn
        bool left; // was asked to exit, or leaves without
        bool passed; // its turn to exit is over
        uint40 sequence;
        uint40 askedAt; // unix seconds
        uint40 principalGwei;
        uint32 settledEpoch;
        // what the beacon chain knows
        bool chainSlashed;
        uint64 activationEpoch;
        uint64 exitEpoch;
        uint64 withdrawableEpoch;
    }

    /// @dev A tier, counted from its keys.
    struct Standing {
        uint256 queued;
        uint256 funded; // ever
        uint256 left; // of those
        uint256 fundKey; // queued the longest; NONE: no key is queued
        uint256 exitKey; // the first funded in order whose turn to exit is not over; NONE: there is none
        uint256 exitEnd; // the sequence after the last funded in order
        uint256 ownKey; // one funded out of turn that stays; NONE: there is none
    }

    struct Milestone {
        uint256 time;
        uint256 total; // validators, ever
    }

    uint256 internal constant NONE = type(uint256).max;
    uint256 internal constant FIRST_INDEX = 1_000; // of validators on the beacon chain
    bytes32 internal constant FALSE_STATE = "false"; // a proof that is none

    Key[] internal _keys;
    mapping(uint256 tier => uint256[]) internal _order; // keys, by the sequence they once got
    uint256[] internal _asks; // unix seconds of every request to exit
    Milestone[] internal _fundings;

    // --- views for the invariants ---

    function keyCount() external view returns (uint256) {
        return _keys.length;
    }

    function key(uint256 id) external view returns (Key memory) {
        return _keys[id];
    }

    function sequences(uint256 tier) external view returns (uint256) {
        return _order[tier].length;
    }

    function asks() external view returns (uint256) {
        return _asks.length;
    }

    function standings() external view returns (Standing[TIERS] memory) {
        return _standings();
    }

    function tierToFund() external view returns (uint256) {
        return _tierToFund(_standings());
    }

    function tierToExit() external view returns (uint256) {
        return _tierToExit(_standings(), 0);
    }

    /// @notice Validators funded by `time`, inclusive.
    function fundedBy(uint256 time) external view returns (uint256 total) {
        for (uint256 i; i < _fundings.length && _fundings[i].time <= time; ++i) total = _fundings[i].total;
    }

    /// @notice Exits asked that a report of the last reference need not have contained.
    function asksNotReported() public view returns (uint256 count) {
        for (uint256 i = _asks.length; i > 0 && _asks[i - 1] + 1 hours > _last.refTime; --i) ++count;
    }

    /// @notice Wei that must come from further exits: what is promised and neither here nor on its way.
    function exitDemand() public view returns (uint256) {
        uint256 there = poolCash() + _last.leaving + asksNotReported() * 32 ether;
        return promised() > there ? promised() - there : 0;
    }

    // --- the order ---

    function _standings() internal view returns (Standing[TIERS] memory all) {
        for (uint256 t; t < TIERS; ++t) (all[t].fundKey, all[t].exitKey, all[t].ownKey) = (NONE, NONE, NONE);
        for (uint256 id; id < _keys.length; ++id) {
            Key storage k = _keys[id];
            Standing memory s = all[k.tier];
            if (k.status == IValidatorExits.Status.Queued) {
                ++s.queued;
                if (s.fundKey == NONE || k.sequence < _keys[s.fundKey].sequence) s.fundKey = id;
            } else if (_wasFunded(k.status)) {
                _countFunded(s, k, id);
            }
        }
    }

    function _countFunded(Standing memory s, Key storage k, uint256 id) private view {
        ++s.funded;
        if (k.left) ++s.left;
        if (k.own) {
            if (!k.left) s.ownKey = id;
            return;
        }
        if (k.sequence >= s.exitEnd) s.exitEnd = uint256(k.sequence) + 1;
        if (!k.passed && (s.exitKey == NONE || k.sequence < _keys[s.exitKey].sequence)) s.exitKey = id;
    }

    /// @dev The tier with queued keys furthest below its target share, those at their maximum left out.
    function _tierToFund(Standing[TIERS] memory all) internal view returns (uint256 best) {
        best = NONE;
        int256 most;
        for (uint256 t; t < TIERS; ++t) {
            if (all[t].queued == 0 || _isFull(all, t)) continue;
            int256 below = int256(_tiers[t].targetShareBp * (_present(all) + 1)) - int256(_present(all[t]) * BP);
            if (best == NONE || below > most) (best, most) = (t, below);
        }
    }

    /// @dev The tier with validators present furthest above its target share. `without` has a bit for each left out.
    function _tierToExit(Standing[TIERS] memory all, uint256 without) internal view returns (uint256 best) {
        best = NONE;
        int256 most;
        for (uint256 t; t < TIERS; ++t) {
            if (_present(all[t]) == 0 || (without & (1 << t)) != 0) continue;
            int256 above = int256(_present(all[t]) * BP) - int256(_tiers[t].targetShareBp * _present(all));
            if (best == NONE || above > most) (best, most) = (t, above);
        }
    }

    /// @dev Whether one validator more would put a tier above its maximum share.
    function _isFull(Standing[TIERS] memory all, uint256 tier) internal view returns (bool) {
        return _present(all[tier]) * BP >= _tiers[tier].maxShareBp * (_present(all) + 1);
    }

    function _present(Standing memory s) internal pure returns (uint256) {
        return s.funded - s.left;
    }

    function _present(Standing[TIERS] memory all) internal pure returns (uint256 sum) {
        for (uint256 t; t < TIERS; ++t) sum += _present(all[t]);
    }

    /// @dev Takes the head of a tier's queue, in memory.
    function _takeHead(Standing[TIERS] memory all, uint256 tier) internal view {
        Standing memory s = all[tier];
        --s.queued;
        ++s.funded;
        uint256 from = _keys[s.fundKey].sequence + 1;
        s.fundKey = NONE;
        for (uint256 q = from; q < _order[tier].length && s.fundKey == NONE; ++q) {
            Key storage k = _keys[_order[tier][q]];
            // a key that was put back has another place
            if (k.status == IValidatorExits.Status.Queued && k.sequence == q) s.fundKey = _order[tier][q];
        }
    }

    function _wasFunded(IValidatorExits.Status status) internal pure returns (bool) {
        return
            status == IValidatorExits.Status.Active ||
            status == IValidatorExits.Status.Exiting ||
            status == IValidatorExits.Status.Withdrawn;
    }

    // --- keys ---

    /// @dev The first key from a random one on that is in this status; NONE if there is none.
    function _find(uint256 seed, IValidatorExits.Status status) internal view returns (uint256 id) {
        uint256 count = _keys.length;
        for (uint256 i; i < count; ++i) {
            id = (seed % count) + i;
            if (id >= count) id -= count;
            if (_keys[id].status == status) return id;
        }
        return NONE;
    }

    /// @dev Any key, mostly one in this status; one that nobody knows if there is none at all.
    function _some(uint256 seed, IValidatorExits.Status status) internal view returns (uint256 id) {
        id = seed % 16 == 15 ? NONE : _find(seed / 16, status);
        if (id == NONE) id = (seed / 16) % (_keys.length + 1);
    }

    function _addKey(uint256 operatorId) internal {
        Key memory k;
        k.root = _rootOf(_keys.length);
        k.operatorId = uint16(operatorId);
        k.status = IValidatorExits.Status.Predeposited;
        (k.activationEpoch, k.exitEpoch, k.withdrawableEpoch) = (FAR_FUTURE_EPOCH, FAR_FUTURE_EPOCH, FAR_FUTURE_EPOCH);
        _keys.push(k);
    }

    /// @dev The public key of a number, known to the registry or not.
    function _pubkey(uint256 id) internal pure returns (bytes memory) {
        bytes32 seed = keccak256(abi.encode("key", id));
        return abi.encodePacked(seed, bytes16(seed));
    }

    function _rootOf(uint256 id) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(_pubkey(id), bytes16(0)));
    }

    function _roots(uint256[] memory ids) internal pure returns (bytes32[] memory roots) {
        roots = new bytes32[](ids.length);
        for (uint256 i; i < ids.length; ++i) roots[i] = _rootOf(ids[i]);
    }

    /// @dev The record of a key, empty for one that nobody knows.
    function _known(uint256 id) internal view returns (Key memory k) {
        if (id < _keys.length) return _keys[id];
        (k.activationEpoch, k.exitEpoch, k.withdrawableEpoch) = (FAR_FUTURE_EPOCH, FAR_FUTURE_EPOCH, FAR_FUTURE_EPOCH);
    }

    // --- proofs ---

    function _slotAt(uint256 time) internal pure returns (uint256) {
        return (time - GENESIS) / 12;
    }

    function _timeOf(uint256 slot) internal pure returns (uint256) {
        return GENESIS + slot * 12;
    }

    function _epochNow() internal view returns (uint64) {
        return uint64(_slotAt(block.timestamp) / 32);
    }

    function _credentials() internal view returns (bytes32) {
        return bytes32((uint256(1) << 248) | uint160(address(_c.withdrawalVault)));
    }

    function _validator(uint256 id) internal view returns (BeaconValidator memory v) {
        Key memory k = _known(id);
        v.pubkeyRoot = _rootOf(id);
        v.withdrawalCredentials = _credentials();
        v.effectiveBalanceGwei = _wasFunded(k.status) ? 32e9 : 1e9;
        v.slashed = k.chainSlashed;
        v.activationEligibilityEpoch = k.activationEpoch;
        (v.activationEpoch, v.exitEpoch, v.withdrawableEpoch) = (k.activationEpoch, k.exitEpoch, k.withdrawableEpoch);
    }

    function _proof(uint256 id, uint256 slot) internal view returns (IBeaconProof.ValidatorProof memory p) {
        p.header.slot = uint64(slot);
        p.index = uint64(FIRST_INDEX + id);
        p.validator = _validator(id);
    }

    function _balance(uint256 gwei_) internal pure returns (IBeaconProof.BalanceProof memory b) {
        b.chunk = bytes32(gwei_);
    }

    /// @dev Once in a while a proof is false, or of a validator with another's credentials.
    function _spoil(IBeaconProof.ValidatorProof memory p, uint256 way, Refusals.Causes memory causes) internal pure {
        if (way % 32 == 30) p.header.stateRoot = FALSE_STATE;
        if (way % 32 == 31) p.validator.withdrawalCredentials ^= bytes32(uint256(1));
        causes.add(way % 32 == 30, IBeaconProof.ProofInvalid.selector);
        causes.add(way % 32 == 31, IValidatorExits.WrongCredentials.selector);
    }
}
