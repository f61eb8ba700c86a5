// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {UUPSUpgradeable} from "@openzeppelin/contracts-upgradeable/proxy/utils/UUPSUpgradeable.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {DepositData} from "../shared/DepositData.sol";
import {SSZ} from "../shared/SSZ.sol";
import {FAR_FUTURE_EPOCH, GWEI, PREDEPOSIT, TOP_UP, VALIDATOR_DEPOSIT} from "../shared/Units.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IWithdrawalQueue} from "../withdrawals/IWithdrawalQueue.sol";
import {IWithdrawalVault} from "../withdrawals/IWithdrawalVault.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";
import {ValidatorQueues} from "./ValidatorQueues.sol";
import {ValidatorSlots} from "./ValidatorSlots.sol";
import {ValidatorState} from "./ValidatorState.sol";

/// @title ValidatorRegistry
/// @notice PROVE, THEN FUND. A key is bound to its operator by a predeposit of the operator's own 1 ETH; pool ether
/// follows only after a proof that the consensus layer knows the key with this protocol's credentials and nothing else.
///
/// ORDER. Keys of a tier are funded, and later asked to exit, in the order in which they were proven (ValidatorQueues).
///
/// LIVENESS. Every transition can be made by anyone who brings the proof. Nothing here loops over stored keys.
///
/// Each function checks, changes its record in memory, saves it, and only then calls out.
contract ValidatorRegistry is ValidatorState, UUPSUpgradeable {
    using DepositData for bytes;
    using ValidatorQueues for ValidatorQueues.State;
    using ValidatorSlots for Record;
    using ValidatorSlots for uint256;

    uint256 private constant MAX_KEYS = 64;
    uint256 private constant EXIT_REQUEST_LIFETIME = 1 days;
    /// @dev The predeploy's own queue may delay a request; a state before that says nothing.
    uint256 private constant NOT_EXITING_AFTER = 1 hours;
    uint256 private constant SMALL_DEMAND_AFTER = 3 days; // from the end of the oldest round that waits
    uint256 private constant EPOCHS_BEFORE_EXIT = 256; // SHARD_COMMITTEE_PERIOD
    uint256 private constant BELOW_GWEI = 31.75e9;
    uint256 private constant NOBODY = type(uint256).max;

    IStakedEther public immutable token;
    IWithdrawalVault public immutable withdrawalVault;
    address public immutable depositContract;
    IOperatorRegistry private immutable _operators;

    constructor(
        IStakedEther token_,
        IWithdrawalVault withdrawalVault_,
        IOperatorRegistry operators_,
        address depositContract_,
        uint256 genesisTime_
    ) ValidatorState(address(withdrawalVault_), genesisTime_) {
        require(depositContract_.code.length != 0, NoDepositContract(depositContract_));
        token = token_;
        withdrawalVault = withdrawalVault_;
        _operators = operators_;
        depositContract = depositContract_;
        _disableInitializers();
    }

    function initialize(address authority, IBeaconProof beaconProof_) external initializer {
        __AccessManaged_init(authority);
        _setBeaconProof(beaconProof_);
    }

    // --- from key to validator ---

    /// @inheritdoc IValidatorRegistry
    function predeposit(
        uint256 operatorId,
        bytes[] calldata pubkeys,
        bytes[] calldata signatures,
        bytes32[] calldata depositDataRoots
    ) external payable {
        uint256 count = pubkeys.length;
        _checkCount(count);
        require(signatures.length == count, LengthMismatch(count, signatures.length));
        require(depositDataRoots.length == count, LengthMismatch(count, depositDataRoots.length));
        require(msg.value == PREDEPOSIT * count, WrongValue(msg.value, PREDEPOSIT * count));
        _operators.checkPredeposit(operatorId, msg.sender);

        bytes32[] memory keyRoots = new bytes32[](count);
        bytes memory data = DepositData.template(withdrawalCredentials);
        uint256 word = ValidatorSlots.predeposited(operatorId);
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata pubkey = pubkeys[i];
            bytes32 keyRoot = SSZ.pubkeyRoot(pubkey);
            uint256 known = _records[keyRoot];
            if (known != 0) revert KeyKnown(keyRoot, known.toStatus());
            _records[keyRoot] = word;
            keyRoots[i] = keyRoot;
            data.setSignature(signatures[i]);
            data.setKey(pubkey, depositDataRoots[i]);
            data.callWith(depositContract, PREDEPOSIT);
        }
        emit Predeposited(operatorId, keyRoots);
    }

    /// @inheritdoc IValidatorRegistry
    function proveValidators(IBeaconProof.ValidatorBatch calldata batch) external {
        uint256 count = batch.validators.length;
        _checkCount(count);
        _forward(IBeaconProof.verifyValidators.selector, 4);
        for (uint256 i = 0; i < count; ++i) {
            IBeaconProof.ListedValidator calldata item = batch.validators[i];
            IBeaconProof.Validator calldata v = item.validator;
            bytes32 keyRoot = _keyRoot(v);
            uint256 word = _records[keyRoot];
            if (word.toStatus() != Status.Predeposited) revert WrongStatus(keyRoot, word.toStatus());
            require(!v.slashed, ValidatorSlashed(keyRoot));
            require(v.effectiveBalanceGwei >= PREDEPOSIT / GWEI, EffectiveBalanceTooSmall(v.effectiveBalanceGwei));
            // no eligibility implies that no other epoch is set
            bool eligible = v.activationEligibilityEpoch != FAR_FUTURE_EPOCH;
            require(!eligible, AlreadyEligible(v.activationEligibilityEpoch));
            _enqueue(keyRoot, word, item.index);
        }
    }

    /// @inheritdoc IValidatorRegistry
    function fundValidators(bytes[] calldata pubkeys) external returns (uint256 count) {
        IStakingPool pool = _pool();
        (bytes memory taken, uint256[] memory runs) = _takeQueued(pubkeys, pool.depositable() / TOP_UP);
        count = taken.length / SSZ.PUBKEY_LENGTH;
        require(count > 0, NothingToFund());
        _creditBonds(runs, count, pool.fundValidators(taken));
    }

    /// @inheritdoc IValidatorRegistry
    function fundOwn(bytes calldata pubkey) external payable {
        require(msg.value == TOP_UP, WrongValue(msg.value, TOP_UP));
        bytes32 keyRoot = SSZ.pubkeyRoot(pubkey);
        uint256 word = _records[keyRoot];
        if (word.toStatus() != Status.Queued) revert WrongStatus(keyRoot, word.toStatus());
        (uint256 operatorId, uint256 tier, uint256 sequence) = word.placeOf();
        _operators.checkPredeposit(operatorId, msg.sender);
        _queues.takeOwn(tier, sequence);
        _records[keyRoot] = word.activated();
        emit FundedOwn(operatorId, keyRoot);

        _operators.onFunded(operatorId, 1, _pool().noteOwnFunding(msg.sender));
        bytes memory data = DepositData.template(withdrawalCredentials);
        data.setTopUp(pubkey, withdrawalCredentials);
        data.callWith(depositContract, TOP_UP);
    }

    /// @inheritdoc IValidatorRegistry
    function dropQueued(bytes32 keyRoot) external {
        Record memory record = _inStatus(keyRoot, Status.Queued);
        record.status = Status.Dropped;
        _save(keyRoot, record);
        _queues.drop(record.tier, record.sequence);
        emit Dropped(record.operatorId, keyRoot);
        _operators.onDropped(record.operatorId);
    }

    /// @inheritdoc IValidatorRegistry
    function requeue(bytes32 keyRoot) external {
        uint256 word = _records[keyRoot];
        require(word.toStatus() == Status.Dropped, WrongStatus(keyRoot, word.toStatus()));
        _enqueue(keyRoot, word, word.validatorIndexOf());
    }

    // --- exits ---

    /// @inheritdoc IValidatorRegistry
    function requestExit(bytes calldata pubkey, IBeaconProof.ValidatorProof calldata readiness) external payable {
        bytes32 expected = SSZ.pubkeyRoot(pubkey);
        _forward(IBeaconProof.verifyValidator.selector, 36);
        bytes32 keyRoot = _keyRoot(readiness.validator);
        require(keyRoot == expected, KeyMismatch(expected, keyRoot));
        Record memory record = _inStatus(keyRoot, Status.Active);
        require(record.exitRequestedAt == 0, ExitAlreadyRequested(keyRoot, record.exitRequestedAt));
        (uint64 start, uint64 end) = (readiness.validator.activationEpoch, readiness.validator.exitEpoch);
        uint64 epoch = _epoch(readiness);
        bool ready = uint256(start) + EPOCHS_BEFORE_EXIT <= epoch && end == FAR_FUTURE_EPOCH;
        require(ready, NotReadyToExit(start, end, epoch));

        uint256[] memory words = _queues.load();
        _requireDemand(ValidatorQueues.staying(words));
        _queues.takeToExit(words, keyRoot, record.tier, record.sequence);
        record.exitRequestedAt = uint40(block.timestamp);
        _save(keyRoot, record);
        emit ExitRequested(record.operatorId, keyRoot);

        bytes[] memory pubkeys = new bytes[](1);
        pubkeys[0] = pubkey;
        withdrawalVault.requestExits{value: msg.value}(pubkeys, msg.sender);
    }

    /// @inheritdoc IValidatorRegistry
    function skipExited(bytes32[] calldata keyRoots) external {
        require(keyRoots.length > 0, NoKeys());
        for (uint256 i = 0; i < keyRoots.length; ++i) {
            Record memory record = validator(keyRoots[i]);
            bool left = record.status == Status.Exiting || record.status == Status.Withdrawn;
            require(left, WrongStatus(keyRoots[i], record.status));
            _queues.skipExited(keyRoots[i], record.tier, record.sequence);
        }
    }

    /// @inheritdoc IValidatorRegistry
    function expireExitRequest(bytes32 keyRoot) external {
        Record memory record = _requested(keyRoot);
        uint256 expiresAt = record.exitRequestedAt + EXIT_REQUEST_LIFETIME;
        require(block.timestamp >= expiresAt, ExitNotExpired(keyRoot, expiresAt));
        _forgetRequest(keyRoot, record);
    }

    /// @inheritdoc IValidatorRegistry
    function proveNotExiting(IBeaconProof.ValidatorProof calldata proof) external {
        bytes32 keyRoot = _verified(proof);
        Record memory record = _requested(keyRoot);
        uint256 notBefore = record.exitRequestedAt + NOT_EXITING_AFTER;
        require(_slotTime(proof) >= notBefore, ProofTooEarly(_slotTime(proof), notBefore));
        require(proof.validator.exitEpoch == FAR_FUTURE_EPOCH, IsExiting(keyRoot, proof.validator.exitEpoch));
        _forgetRequest(keyRoot, record);
    }

    /// @inheritdoc IValidatorRegistry
    function proveExiting(IBeaconProof.ValidatorProof calldata proof) external {
        bytes32 keyRoot = _verified(proof);
        Record memory record = _inStatus(keyRoot, Status.Active);
        require(proof.validator.exitEpoch != FAR_FUTURE_EPOCH, NotExiting(keyRoot));
        _leave(record, Status.Exiting);
        emit Exiting(record.operatorId, keyRoot, proof.validator.withdrawableEpoch);
        _saveWeightless(keyRoot, record);
    }

    /// @inheritdoc IValidatorRegistry
    function proveWithdrawn(
        IBeaconProof.ValidatorProof calldata proof,
        IBeaconProof.BalanceProof calldata /* balance: read by the verifier */
    ) external {
        (bytes32 keyRoot, uint256 settledGwei) = _verifiedWithBalance(proof);
        Record memory record = _funded(keyRoot);
        uint64 end = proof.validator.withdrawableEpoch;
        require(uint256(_epoch(proof)) + 1 == end, NotLastEpoch(_epoch(proof), end));
        _leave(record, Status.Withdrawn);
        uint256 principal = record.fundedGwei;
        uint256 shortfall = settledGwei < principal ? (principal - settledGwei) * GWEI : 0;
        emit Withdrawn(record.operatorId, keyRoot, settledGwei, shortfall);
        _saveWeightless(keyRoot, record);
        _operators.onWithdrawn(record.operatorId, shortfall);
    }

    // --- bad news ---

    /// @inheritdoc IValidatorRegistry
    function proveSlashed(IBeaconProof.ValidatorProof calldata proof) external {
        bytes32 keyRoot = _verified(proof);
        Record memory record = _funded(keyRoot);
        require(proof.validator.slashed, NotSlashed(keyRoot));
        require(!record.slashed, ValidatorSlashed(keyRoot));
        record.slashed = true;
        emit Slashed(record.operatorId, keyRoot);
        _saveWeightless(keyRoot, record);
        _operators.onSlashed(record.operatorId);
        _pool().noteSlashing(_slotTime(proof));
    }

    /// @inheritdoc IValidatorRegistry
    function proveBelow(
        IBeaconProof.ValidatorProof calldata proof,
        IBeaconProof.BalanceProof calldata /* balance: read by the verifier */
    ) external {
        (bytes32 keyRoot, uint256 balanceGwei) = _verifiedWithBalance(proof);
        Record memory record = _inStatus(keyRoot, Status.Active);
        require(!record.weightStopped, WeightAlreadyStopped(keyRoot));
        // before activation the top-up may still wait in the consensus layer's own queue
        uint64 start = proof.validator.activationEpoch;
        require(start <= _epoch(proof), NotActiveYet(start, _epoch(proof)));
        require(balanceGwei < BELOW_GWEI, NotBelow(balanceGwei, BELOW_GWEI));
        _saveWeightless(keyRoot, record);
    }

    // --- views ---

    /// @inheritdoc IValidatorRegistry
    function operators() external view returns (address) {
        return address(_operators);
    }

    /// @inheritdoc IValidatorRegistry
    function exitDemand() external view returns (uint256) {
        return _pool().exitDemand(ValidatorQueues.staying(_queues.load()));
    }

    // --- operator registry only ---

    /// @inheritdoc IValidatorRegistry
    function onTierSet(uint256 tier, uint16 targetShareBp, uint16 maxShareBp) external {
        require(msg.sender == address(_operators), OnlyOperators(msg.sender));
        _queues.setTier(tier, targetShareBp, maxShareBp);
    }

    // --- internal ---

    /// @dev Other code must name the same operator registry.
    function _authorizeUpgrade(address code) internal override restricted {
        address named = IValidatorRegistry(code).operators();
        require(named == address(_operators), NotMyOperators(named, address(_operators)));
    }

    function _checkCount(uint256 count) private pure {
        require(count > 0, NoKeys());
        require(count <= MAX_KEYS, TooManyKeys(count, MAX_KEYS));
    }

    /// @dev Gives a key the next place in its tier, if its operator's bond suffices.
    function _enqueue(bytes32 keyRoot, uint256 word, uint256 validatorIndex) private {
        (uint256 operatorId, , ) = word.placeOf();
        uint256 tier = _operators.onProven(operatorId);
        uint256 sequence = _queues.push(tier);
        _records[keyRoot] = ValidatorSlots.enqueued(operatorId, tier, sequence, validatorIndex);
        emit Proven(operatorId, keyRoot, tier, sequence, validatorIndex);
    }

    /// @dev Makes the next at most `limit` queued keys active. Keys that are no longer queued are passed over.
    /// @return taken the public keys of the others, one after another
    /// @return runs for each run of keys of one operator: its id, and how many << 32
    function _takeQueued(
        bytes[] calldata pubkeys,
        uint256 limit
    ) private returns (bytes memory taken, uint256[] memory runs) {
        taken = new bytes(pubkeys.length * SSZ.PUBKEY_LENGTH);
        runs = new uint256[](pubkeys.length);
        ValidatorQueues.Turns memory turns = _queues.turnsNow();
        uint256 count = 0; // of runs
        uint256 length = 0; // of taken
        uint256 run = 0;
        limit *= SSZ.PUBKEY_LENGTH;
        for (uint256 i = 0; i < pubkeys.length && length < limit; ++i) {
            bytes calldata pubkey = pubkeys[i];
            uint256 operatorId = _take(turns, SSZ.pubkeyRoot(pubkey));
            if (operatorId == 0) continue;
            if (operatorId == NOBODY) break;
            if (uint32(run) != operatorId) {
                if (run != 0) runs[count++] = run;
                run = operatorId;
            }
            assembly ("memory-safe") {
                run := add(run, shl(32, 1))
                calldatacopy(add(add(taken, 0x20), length), pubkey.offset, 48)
                length := add(length, 48)
            }
        }
        if (run != 0) runs[count++] = run;
        assembly ("memory-safe") {
            mstore(taken, length)
            mstore(runs, count)
        }
        _queues.putFunded(turns);
    }

    /// @dev Makes a key active, whose turn it must be. @return operatorId 0 if the key is no longer queued, NOBODY if no tier
    /// may be funded now
    function _take(ValidatorQueues.Turns memory turns, bytes32 keyRoot) private returns (uint256 operatorId) {
        uint256 word = _records[keyRoot];
        Status status = word.toStatus();
        if (status != Status.Queued) {
            require(status > Status.Queued, WrongStatus(keyRoot, status));
            return 0;
        }
        uint256 tier;
        uint256 sequence;
        (operatorId, tier, sequence) = word.placeOf();
        if (!_queues.takeToFund(turns, keyRoot, tier, sequence)) return NOBODY;
        _records[keyRoot] = word.activated();
    }

    /// @dev Splits `bondShares` equally between `count` keys, the remainder to the first; one call for each run.
    function _creditBonds(uint256[] memory runs, uint256 count, uint256 bondShares) private {
        uint256 each = bondShares / count;
        uint256 remainder = bondShares % count;
        for (uint256 i = 0; i < runs.length; ++i) {
            uint256 keys = runs[i] >> 32;
            _operators.onFunded(uint32(runs[i]), keys, each * keys + remainder);
            remainder = 0;
        }
    }

    /// @dev A funded validator leaves; an active one no longer stays.
    function _leave(Record memory record, Status to) private {
        if (record.status == Status.Active) _queues.noteExit(record.tier, record.exitRequestedAt != 0, true);
        (record.status, record.exitRequestedAt) = (to, 0);
    }

    function _forgetRequest(bytes32 keyRoot, Record memory record) private {
        record.exitRequestedAt = 0;
        _save(keyRoot, record);
        _queues.noteExit(record.tier, true, false);
        emit ExitRequestExpired(record.operatorId, keyRoot);
    }

    /// @dev Saves a validator that earns no operator fee from now on.
    function _saveWeightless(bytes32 keyRoot, Record memory record) private {
        bool stops = !record.weightStopped;
        record.weightStopped = true;
        _save(keyRoot, record);
        if (!stops) return;
        emit WeightStopped(record.operatorId, keyRoot);
        _operators.onWeightStopped(record.operatorId);
    }

    /// @dev A full validator's worth, or anything once a request has waited for long.
    function _requireDemand(uint256 stayingCount) private view {
        uint256 demand = _pool().exitDemand(stayingCount);
        if (demand >= VALIDATOR_DEPOSIT) return;
        uint256 waitsSince = IWithdrawalQueue(token.queue()).oldestRoundEnd();
        bool old = waitsSince != 0 && waitsSince + SMALL_DEMAND_AFTER <= block.timestamp;
        require(demand > 0 && old, NoDemand(demand));
    }

    function _pool() private view returns (IStakingPool) {
        return IStakingPool(token.pool());
    }
}
