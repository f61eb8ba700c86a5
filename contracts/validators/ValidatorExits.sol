// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SSZ} from "../shared/SSZ.sol";
import {
    FAR_FUTURE_EPOCH,
    GWEI,
    PREDEPOSIT,
    SECONDS_PER_SLOT,
    SLOTS_PER_EPOCH,
    VALIDATOR_DEPOSIT
} from "../shared/Units.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IWithdrawalQueue} from "../withdrawals/IWithdrawalQueue.sol";
import {IWithdrawalVault} from "../withdrawals/IWithdrawalVault.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IValidatorExits} from "./IValidatorExits.sol";
import {ValidatorQueues} from "./ValidatorQueues.sol";
import {ValidatorState} from "./ValidatorState.sol";

/// @title ValidatorExits
/// @notice The second half of the validator registry: how validators leave, and bad news about them. The registry deploys it
/// and runs it on its own storage.
///
/// Called directly it works on the storage of this address, which is empty for ever: there is no verifier, no record and no
/// tier, so every function reverts, and no peer takes a call from here.
///
/// Each function checks the proof, changes its record in memory, saves it, and only then calls out.
contract ValidatorExits is ValidatorState {
    using Checkpoints for Checkpoints.Trace208;
    using ValidatorQueues for ValidatorQueues.State;

    /// @dev What an exit is asked on: readiness of yesterday says nothing of today.
    uint256 private constant MAX_STATE_AGE = 1 hours;
    /// @dev Less than a validator's worth may be waiting too: once it is old, a whole validator exits for it.
    uint256 private constant SMALL_DEMAND_AFTER = 3 days; // from the end of the oldest round that waits
    /// @dev The consensus layer drops a request for a younger one (consensus-specs, electra/beacon-chain.md,
    /// process_withdrawal_request).
    uint256 private constant EPOCHS_BEFORE_EXIT = 256; // SHARD_COMMITTEE_PERIOD
    /// @dev Below it an effective balance of 32 ETH falls (HYSTERESIS_DOWNWARD_MULTIPLIER), and so do rewards.
    uint256 private constant BELOW_GWEI = 31.75e9;

    /// @dev Called by the registry's constructor, so that both halves have the same peers.
    constructor(
        IStakedEther token_,
        IWithdrawalVault withdrawalVault_,
        IOperatorRegistry operators_,
        address depositContract_,
        uint256 genesisTime_
    ) ValidatorState(token_, withdrawalVault_, operators_, depositContract_, genesisTime_) {}

    // --- exits ---

    /// @inheritdoc IValidatorExits
    function requestExit(
        bytes calldata pubkey,
        IBeaconProof.ValidatorProof calldata readiness,
        IBeaconProof.ValidatorProof[] calldata passed
    ) external payable {
        beaconProof.verifyValidator(readiness);
        (bytes32 keyRoot, Record memory record) = _ready(pubkey, readiness);
        // what its operator did may spare the one or the other
        (bool outOfTurn, bool withoutDemand) = operators.exitCause(record.operatorId);
        if (!withoutDemand) _requireDemand();
        // one that was asked before had its turn
        if (!outOfTurn && record.exitRequestedAt == 0) _takeTurn(keyRoot, record, passed);
        _ask(pubkey, keyRoot, record);
    }

    /// @inheritdoc IValidatorExits
    function ejectBelow(
        bytes calldata pubkey,
        IBeaconProof.ValidatorProof calldata readiness,
        IBeaconProof.BalanceProof calldata balance
    ) external payable {
        uint256 balanceGwei = beaconProof.verifyValidatorAndBalance(readiness, balance);
        (bytes32 keyRoot, Record memory record) = _ready(pubkey, readiness);
        // more than an ether a unit: what a slashing, a leak or a validator given up loses
        uint256 units = record.fundedGwei / (VALIDATOR_DEPOSIT / GWEI);
        uint256 threshold = record.fundedGwei - units * (PREDEPOSIT / GWEI);
        require(balanceGwei < threshold, NotBelow(balanceGwei, threshold));
        _ask(pubkey, keyRoot, record);
    }

    /// @inheritdoc IValidatorExits
    function skipExited(bytes32[] calldata keyRoots) external {
        require(keyRoots.length > 0, NoKeys());
        for (uint256 i = 0; i < keyRoots.length; ++i) {
            Record memory record = _records[keyRoots[i]];
            // an active one with a request was asked out of turn, else the head would be past it
            bool left = record.status == Status.Exiting || record.status == Status.Withdrawn;
            require(left || record.exitRequestedAt != 0, WrongStatus(keyRoots[i], record.status));
            _queues.skipExited(keyRoots[i], record.tier, record.sequence);
        }
    }

    /// @inheritdoc IValidatorExits
    function proveExiting(IBeaconProof.ValidatorProof calldata proof) external {
        beaconProof.verifyValidator(proof);
        bytes32 keyRoot = _keyRoot(proof.validator);
        Record memory record = _inStatus(keyRoot, Status.Active);
        // an exit epoch never goes away again, so any state that shows it will do
        require(proof.validator.exitEpoch != FAR_FUTURE_EPOCH, NotExiting(keyRoot));
        _leave(record, Status.Exiting);
        emit Exiting(record.operatorId, keyRoot, proof.validator.withdrawableEpoch);
        _saveWeightless(keyRoot, record);
    }

    /// @inheritdoc IValidatorExits
    function proveWithdrawn(
        IBeaconProof.ValidatorProof calldata proof,
        IBeaconProof.BalanceProof calldata balance
    ) external {
        uint256 settledGwei = beaconProof.verifyValidatorAndBalance(proof, balance);
        bytes32 keyRoot = _keyRoot(proof.validator);
        Record memory record = _wasFunded(keyRoot);
        uint64 end = proof.validator.withdrawableEpoch;
        // later the sweep may have taken the balance, earlier it may still fall
        require(uint256(_epoch(proof)) + 1 == end, NotLastEpoch(_epoch(proof), end));
        bool again = record.status == Status.Withdrawn;
        if (again) {
            // only a slashing moves the last epoch, and only once
            require(proof.validator.slashed, NotSlashed(keyRoot));
            require(end > record.settledEpoch, AlreadySettled(keyRoot, record.settledEpoch));
        }
        _leave(record, Status.Withdrawn);
        // what comes back beyond the principal is a reward, or a gift
        uint256 kept = Math.min(settledGwei, record.fundedGwei);
        uint256 shortfall = (record.fundedGwei - kept) * GWEI;
        (record.fundedGwei, record.settledEpoch) = (uint40(kept), uint32(end));
        emit Withdrawn(record.operatorId, keyRoot, settledGwei, shortfall);
        _saveWeightless(keyRoot, record);
        if (again) operators.onLateShortfall(record.operatorId, shortfall);
        else operators.onWithdrawn(record.operatorId, shortfall);
    }

    // --- bad news ---

    /// @inheritdoc IValidatorExits
    function proveSlashed(IBeaconProof.ValidatorProof calldata proof) external {
        beaconProof.verifyValidator(proof);
        bytes32 keyRoot = _keyRoot(proof.validator);
        Record memory record = _wasFunded(keyRoot);
        require(proof.validator.slashed, NotSlashed(keyRoot));
        require(!record.slashed, ValidatorSlashed(keyRoot));
        record.slashed = true;
        emit Slashed(record.operatorId, keyRoot);
        // what it costs is charged by proveWithdrawn, once it is known
        _saveWeightless(keyRoot, record);
        operators.onSlashed(record.operatorId);
        _pool().noteSlashing(_slotTime(proof));
    }

    /// @inheritdoc IValidatorExits
    function proveBelow(
        IBeaconProof.ValidatorProof calldata proof,
        IBeaconProof.BalanceProof calldata balance
    ) external {
        uint256 balanceGwei = beaconProof.verifyValidatorAndBalance(proof, balance);
        bytes32 keyRoot = _keyRoot(proof.validator);
        Record memory record = _inStatus(keyRoot, Status.Active);
        require(!record.weightStopped, WeightAlreadyStopped(keyRoot));
        // before activation the top-up may still wait in the consensus layer's own queue
        uint64 start = proof.validator.activationEpoch;
        require(start <= _epoch(proof), NotActiveYet(start, _epoch(proof)));
        require(balanceGwei < BELOW_GWEI, NotBelow(balanceGwei, BELOW_GWEI));
        _saveWeightless(keyRoot, record);
    }

    // --- internal: exits ---
    // A request: ready, demand, turn, in this order; then _ask.

    /// @dev An active validator whose proof, which was verified, shows that the consensus layer would accept a request now, and
    /// dropped the one before.
    function _ready(
        bytes calldata pubkey,
        IBeaconProof.ValidatorProof calldata proof
    ) private view returns (bytes32 keyRoot, Record memory record) {
        keyRoot = _keyRoot(proof.validator);
        bytes32 expected = SSZ.pubkeyRoot(pubkey);
        require(keyRoot == expected, KeyMismatch(expected, keyRoot));
        record = _inStatus(keyRoot, Status.Active);
        _requireRecent(proof);
        uint256 askedAt = record.exitRequestedAt;
        // in an earlier state the request may only be on its way
        bool shows = askedAt == 0 || _slotTime(proof) >= askedAt + REQUEST_SHOWS_AFTER;
        require(shows, ExitAlreadyRequested(keyRoot, askedAt));
        (uint64 start, uint64 end) = (proof.validator.activationEpoch, proof.validator.exitEpoch);
        bool ready = _isMature(proof) && end == FAR_FUTURE_EPOCH;
        require(ready, NotReadyToExit(start, end, _epoch(proof)));
    }

    /// @dev Takes the validator's turn, once the tiers are left out whose heads `passed` shows to be too young.
    function _takeTurn(bytes32 keyRoot, Record memory record, IBeaconProof.ValidatorProof[] calldata passed) private {
        uint256 tiers = 0; // left out: a bit for each
        for (uint256 i = 0; i < passed.length; ++i) {
            uint256 young = _nextToExit(tiers);
            _requireYoungHead(young, passed[i]);
            tiers |= 1 << young;
        }
        _queues.takeToExit(_nextToExit(tiers), keyRoot, record.tier, record.sequence);
    }

    /// @dev The tier that is next without those of the bits in `passed`.
    function _nextToExit(uint256 passed) private view returns (uint256 tier) {
        tier = _queues.nextToExit(passed);
        require(tier != ValidatorQueues.NONE, NothingToExit());
    }

    /// @dev Verifies that the head of `tier` stays, and that nobody could make it exit now. One that leaves, or was asked out
    /// of turn, is no reason to pass its tier over: skipExited moves the head.
    function _requireYoungHead(uint256 tier, IBeaconProof.ValidatorProof calldata proof) private view {
        beaconProof.verifyValidator(proof);
        bytes32 keyRoot = _keyRoot(proof.validator);
        Record memory record = _inStatus(keyRoot, Status.Active);
        require(record.exitRequestedAt == 0, ExitAlreadyRequested(keyRoot, record.exitRequestedAt));
        _queues.requireHead(tier, keyRoot, record.tier, record.sequence);
        _requireRecent(proof);
        require(proof.validator.exitEpoch == FAR_FUTURE_EPOCH, IsExiting(keyRoot, proof.validator.exitEpoch));
        require(!_isMature(proof), ReadyToExit(keyRoot, proof.validator.activationEpoch, _epoch(proof)));
    }

    /// @dev Books the request and sends it. A second one counts again in what was asked: it brings the ether that the first
    /// did not bring.
    function _ask(bytes calldata pubkey, bytes32 keyRoot, Record memory record) private {
        if (record.exitRequestedAt == 0) _queues.noteLeaving(record.tier);
        record.exitRequestedAt = uint40(block.timestamp);
        _records[keyRoot] = record;
        _exitsAsked.push(uint48(block.timestamp), _exitsAsked.latest() + 1);
        emit ExitRequested(record.operatorId, keyRoot);

        bytes[] memory pubkeys = new bytes[](1);
        pubkeys[0] = pubkey;
        // the vault, whose address is in the credentials, must be the one that asks
        withdrawalVault.requestExits{value: msg.value}(pubkeys, msg.sender);
    }

    /// @dev A full validator's worth, or anything once a request has waited for long.
    function _requireDemand() private view {
        uint256 demand = _exitDemand();
        if (demand >= VALIDATOR_DEPOSIT) return;
        uint256 waitsSince = IWithdrawalQueue(token.queue()).oldestRoundEnd();
        bool old = waitsSince != 0 && waitsSince + SMALL_DEMAND_AFTER <= block.timestamp;
        require(demand > 0 && old, NoDemand(demand));
    }

    // --- internal: records ---

    /// @dev The record of a key that was funded, whatever became of it.
    function _wasFunded(bytes32 keyRoot) private view returns (Record memory record) {
        record = _records[keyRoot];
        Status status = record.status;
        bool funded = status == Status.Active || status == Status.Exiting || status == Status.Withdrawn;
        require(funded, WrongStatus(keyRoot, status));
    }

    /// @dev An active validator is present no longer, unless it was asked to exit and counts as leaving since.
    function _leave(Record memory record, Status to) private {
        if (record.status == Status.Active && record.exitRequestedAt == 0) _queues.noteLeaving(record.tier);
        (record.status, record.exitRequestedAt) = (to, 0);
    }

    /// @dev Saves a changed record of a validator that earns no operator fee from now on.
    function _saveWeightless(bytes32 keyRoot, Record memory record) private {
        bool stops = !record.weightStopped;
        record.weightStopped = true;
        _records[keyRoot] = record;
        if (!stops) return;
        emit WeightStopped(record.operatorId, keyRoot);
        operators.onWeightStopped(record.operatorId);
    }

    // --- internal: states ---

    /// @dev The state must be of the last hour.
    function _requireRecent(IBeaconProof.ValidatorProof calldata proof) private view {
        uint256 notBefore = block.timestamp - MAX_STATE_AGE;
        require(_slotTime(proof) >= notBefore, StateTooOld(_slotTime(proof), notBefore));
    }

    /// @dev Whether a validator was active for as long as the consensus layer demands before an exit.
    function _isMature(IBeaconProof.ValidatorProof calldata proof) private pure returns (bool) {
        return uint256(proof.validator.activationEpoch) + EPOCHS_BEFORE_EXIT <= _epoch(proof);
    }

    /// @dev Unix seconds.
    function _slotTime(IBeaconProof.ValidatorProof calldata proof) private view returns (uint256) {
        return genesisTime + SECONDS_PER_SLOT * proof.header.slot;
    }

    /// @dev Of the proven state.
    function _epoch(IBeaconProof.ValidatorProof calldata proof) private pure returns (uint64) {
        return proof.header.slot / uint64(SLOTS_PER_EPOCH);
    }
}
