// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {UUPSUpgradeable} from "@openzeppelin/contracts-upgradeable/proxy/utils/UUPSUpgradeable.sol";
import {IDepositContract} from "../external/IDepositContract.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {
    FAR_FUTURE_EPOCH,
    GWEI,
    PREDEPOSIT,
    TOP_UP,
    VALIDATOR_DEPOSIT
} from "../shared/Units.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IWithdrawalQueue} from "../withdrawals/IWithdrawalQueue.sol";
import {IWithdrawalVault} from "../withdrawals/IWithdrawalVault.sol";
import {DepositData} from "./DepositData.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";
import {SSZ} from "./SSZ.sol";
import {ValidatorProofs} from "./ValidatorProofs.sol";
import {ValidatorQueues} from "./ValidatorQueues.sol";

/// @title ValidatorRegistry
/// @notice PROVE, THEN FUND. A key is bound to its operator by a predeposit of the operator's own 1 ETH; pool ether
/// follows only after a proof that the consensus layer knows the key with this protocol's credentials and nothing else.
///
/// ORDER. Keys of a tier are funded, and later asked to exit, in the order in which they were proven. A key's place is
/// a number in its record; each tier remembers the heads only. A dropped key leaves a hole that the heads step over.
///
/// LIVENESS. Every transition can be made by anyone who brings the proof. Nothing here loops over stored keys.
contract ValidatorRegistry is ValidatorProofs, UUPSUpgradeable {
    using ValidatorQueues for ValidatorQueues.State;

    uint256 private constant EXIT_REQUEST_LIFETIME = 1 days;
    /// @dev The predeploy's own queue may delay a request; a state before that says nothing.
    uint256 private constant NOT_EXITING_AFTER = 1 hours;
    uint256 private constant SMALL_DEMAND_AFTER = 3 days; // from the end of the oldest round that waits
    uint256 private constant EPOCHS_BEFORE_EXIT = 256; // SHARD_COMMITTEE_PERIOD
    uint256 private constant BELOW_GWEI = 31.75e9;

    IStakedEther public immutable token;
    IWithdrawalVault public immutable withdrawalVault;
    IOperatorRegistry private immutable _operators;
    IDepositContract public immutable depositContract;

    ValidatorQueues.State private _queues;
    mapping(bytes32 keyRoot => Record) private _records;

    constructor(
        IStakedEther token_,
        IWithdrawalVault withdrawalVault_,
        IOperatorRegistry operators_,
        IDepositContract depositContract_,
        uint256 genesisTime_
    ) ValidatorProofs(address(withdrawalVault_), genesisTime_) {
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

    /// @notice The pool sends the ether of a funding.
    receive() external payable {
        require(msg.sender == token.pool(), OnlyPool(msg.sender));
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
        require(count > 0, NoKeys());
        require(signatures.length == count, LengthMismatch(count, signatures.length));
        require(depositDataRoots.length == count, LengthMismatch(count, depositDataRoots.length));
        require(msg.value == PREDEPOSIT * count, WrongValue(msg.value, PREDEPOSIT * count));
        _operators.checkPredeposit(operatorId, msg.sender);

        bytes memory credentials = abi.encodePacked(withdrawalCredentials);
        for (uint256 i = 0; i < count; ++i) {
            uint256 length = signatures[i].length;
            require(length == DepositData.SIGNATURE_LENGTH, BadSignatureLength(length));
            bytes32 keyRoot = SSZ.pubkeyRoot(pubkeys[i]);
            Record storage record = _records[keyRoot];
            require(record.status == Status.Unknown, KeyKnown(keyRoot, record.status));
            record.operatorId = uint32(operatorId);
            record.status = Status.Predeposited;
            emit Predeposited(operatorId, keyRoot, pubkeys[i]);
            depositContract.deposit{value: PREDEPOSIT}(pubkeys[i], credentials, signatures[i], depositDataRoots[i]);
        }
    }

    /// @inheritdoc IValidatorRegistry
    function proveValidators(IBeaconProof.ValidatorProof[] calldata proofs) external {
        require(proofs.length > 0, NoKeys());
        for (uint256 i = 0; i < proofs.length; ++i) {
            IBeaconProof.Validator calldata v = proofs[i].validator;
            bytes32 keyRoot = _verified(proofs[i]);
            Record storage record = _records[keyRoot];
            require(record.status == Status.Predeposited, WrongStatus(keyRoot, record.status));
            require(!v.slashed, ValidatorSlashed(keyRoot));
            require(v.effectiveBalanceGwei >= PREDEPOSIT / GWEI, EffectiveBalanceTooSmall(v.effectiveBalanceGwei));
            // no eligibility implies that no other epoch is set
            bool eligible = v.activationEligibilityEpoch != FAR_FUTURE_EPOCH;
            require(!eligible, AlreadyEligible(v.activationEligibilityEpoch));
            record.validatorIndex = uint40(proofs[i].index);
            _enqueue(keyRoot, record);
        }
    }

    /// @inheritdoc IValidatorRegistry
    function fundValidators(bytes[] calldata pubkeys) external returns (uint256 count) {
        IStakingPool pool = _pool();
        bytes32[] memory keyRoots;
        uint256[] memory operatorIds;
        (count, keyRoots, operatorIds) = _takeQueued(pubkeys, pool.depositable() / TOP_UP);
        require(count > 0, NothingToFund());

        _creditBonds(operatorIds, count, pool.fundValidators(count));

        bytes memory credentials = abi.encodePacked(withdrawalCredentials);
        bytes memory signature = new bytes(DepositData.SIGNATURE_LENGTH);
        for (uint256 i = 0; i < keyRoots.length; ++i) {
            if (operatorIds[i] == 0) continue;
            bytes32 root = DepositData.topUpRoot(keyRoots[i], withdrawalCredentials);
            depositContract.deposit{value: TOP_UP}(pubkeys[i], credentials, signature, root);
        }
    }

    /// @inheritdoc IValidatorRegistry
    function dropQueued(bytes32 keyRoot) external {
        Record storage record = _records[keyRoot];
        require(record.status == Status.Queued, WrongStatus(keyRoot, record.status));
        _operators.onDropped(record.operatorId);
        record.status = Status.Dropped;
        _queues.drop(record.tier, record.sequence);
        emit Dropped(record.operatorId, keyRoot);
    }

    /// @inheritdoc IValidatorRegistry
    function requeue(bytes32 keyRoot) external {
        Record storage record = _records[keyRoot];
        require(record.status == Status.Dropped, WrongStatus(keyRoot, record.status));
        _enqueue(keyRoot, record);
    }

    // --- exits ---

    /// @inheritdoc IValidatorRegistry
    function requestExit(bytes calldata pubkey, IBeaconProof.ValidatorProof calldata readiness) external payable {
        bytes32 expected = SSZ.pubkeyRoot(pubkey);
        bytes32 keyRoot = _verified(readiness);
        require(keyRoot == expected, KeyMismatch(expected, keyRoot));
        Record storage record = _records[keyRoot];
        require(record.status == Status.Active, WrongStatus(keyRoot, record.status));
        require(record.exitRequestedAt == 0, ExitAlreadyRequested(keyRoot, record.exitRequestedAt));
        (uint64 start, uint64 end) = (readiness.validator.activationEpoch, readiness.validator.exitEpoch);
        uint64 epoch = _epoch(readiness);
        bool ready = uint256(start) + EPOCHS_BEFORE_EXIT <= epoch && end == FAR_FUTURE_EPOCH;
        require(ready, NotReadyToExit(start, end, epoch));

        TierQueue[] memory queues = _queues.load();
        _requireDemand(ValidatorQueues.staying(queues));
        _queues.takeToExit(queues, keyRoot, record);
        record.exitRequestedAt = uint40(block.timestamp);
        emit ExitRequested(record.operatorId, keyRoot);

        bytes[] memory pubkeys = new bytes[](1);
        pubkeys[0] = pubkey;
        withdrawalVault.requestExits{value: msg.value}(pubkeys, msg.sender);
    }

    /// @inheritdoc IValidatorRegistry
    function skipExited(bytes32[] calldata keyRoots) external {
        require(keyRoots.length > 0, NoKeys());
        for (uint256 i = 0; i < keyRoots.length; ++i) {
            Record storage record = _records[keyRoots[i]];
            bool left = record.status == Status.Exiting || record.status == Status.Withdrawn;
            require(left, WrongStatus(keyRoots[i], record.status));
            _queues.skipExited(keyRoots[i], record.tier, record.sequence);
        }
    }

    /// @inheritdoc IValidatorRegistry
    function expireExitRequest(bytes32 keyRoot) external {
        Record storage record = _records[keyRoot];
        uint256 expiresAt = record.exitRequestedAt + EXIT_REQUEST_LIFETIME;
        require(record.exitRequestedAt != 0, NotRequested(keyRoot));
        require(block.timestamp >= expiresAt, ExitNotExpired(keyRoot, expiresAt));
        _forgetRequest(record);
        emit ExitRequestExpired(record.operatorId, keyRoot);
    }

    /// @inheritdoc IValidatorRegistry
    function proveNotExiting(IBeaconProof.ValidatorProof calldata proof) external {
        bytes32 keyRoot = _verified(proof);
        Record storage record = _records[keyRoot];
        require(record.exitRequestedAt != 0, NotRequested(keyRoot));
        uint256 notBefore = record.exitRequestedAt + NOT_EXITING_AFTER;
        require(_slotTime(proof) >= notBefore, ProofTooEarly(_slotTime(proof), notBefore));
        require(proof.validator.exitEpoch == FAR_FUTURE_EPOCH, IsExiting(keyRoot, proof.validator.exitEpoch));
        _forgetRequest(record);
        emit ExitRequestExpired(record.operatorId, keyRoot);
    }

    /// @inheritdoc IValidatorRegistry
    function proveExiting(IBeaconProof.ValidatorProof calldata proof) external {
        bytes32 keyRoot = _verified(proof);
        Record storage record = _records[keyRoot];
        require(record.status == Status.Active, WrongStatus(keyRoot, record.status));
        require(proof.validator.exitEpoch != FAR_FUTURE_EPOCH, NotExiting(keyRoot));
        _leave(keyRoot, record);
        record.status = Status.Exiting;
        emit Exiting(record.operatorId, keyRoot, proof.validator.withdrawableEpoch);
    }

    /// @inheritdoc IValidatorRegistry
    function proveWithdrawn(IBeaconProof.ValidatorProof calldata proof, IBeaconProof.BalanceProof calldata balance)
        external
    {
        (bytes32 keyRoot, uint256 settledGwei) = _verifiedWithBalance(proof, balance);
        Record storage record = _records[keyRoot];
        _requireFunded(keyRoot, record);
        uint64 end = proof.validator.withdrawableEpoch;
        require(uint256(_epoch(proof)) + 1 == end, NotLastEpoch(_epoch(proof), end));
        if (record.status == Status.Active) _leave(keyRoot, record);
        record.status = Status.Withdrawn;
        uint256 principal = record.fundedGwei;
        uint256 shortfall = settledGwei < principal ? (principal - settledGwei) * GWEI : 0;
        emit Withdrawn(record.operatorId, keyRoot, settledGwei, shortfall);
        _operators.onWithdrawn(record.operatorId, shortfall);
    }

    // --- bad news ---

    /// @inheritdoc IValidatorRegistry
    function proveSlashed(IBeaconProof.ValidatorProof calldata proof) external {
        bytes32 keyRoot = _verified(proof);
        Record storage record = _records[keyRoot];
        _requireFunded(keyRoot, record);
        require(proof.validator.slashed, NotSlashed(keyRoot));
        require(!record.slashed, ValidatorSlashed(keyRoot));
        record.slashed = true;
        emit Slashed(record.operatorId, keyRoot);
        if (!record.weightStopped) _stopWeight(keyRoot, record);
        _operators.onSlashed(record.operatorId);
        _pool().noteSlashing(_slotTime(proof));
    }

    /// @inheritdoc IValidatorRegistry
    function proveBelow(IBeaconProof.ValidatorProof calldata proof, IBeaconProof.BalanceProof calldata balance)
        external
    {
        (bytes32 keyRoot, uint256 balanceGwei) = _verifiedWithBalance(proof, balance);
        Record storage record = _records[keyRoot];
        require(record.status == Status.Active, WrongStatus(keyRoot, record.status));
        require(!record.weightStopped, WeightAlreadyStopped(keyRoot));
        // before activation the top-up may still wait in the consensus layer's own queue
        uint64 start = proof.validator.activationEpoch;
        require(start <= _epoch(proof), NotActiveYet(start, _epoch(proof)));
        require(balanceGwei < BELOW_GWEI, NotBelow(balanceGwei, BELOW_GWEI));
        _stopWeight(keyRoot, record);
    }

    // --- views ---

    /// @inheritdoc IValidatorRegistry
    function validator(bytes32 keyRoot) external view returns (Record memory) {
        return _records[keyRoot];
    }

    /// @inheritdoc IValidatorRegistry
    function tierQueue(uint256 tier) external view returns (TierQueue memory) {
        return _queues.tiers[tier];
    }

    /// @inheritdoc IValidatorRegistry
    function tierCount() external view returns (uint256) {
        return _queues.count;
    }

    /// @inheritdoc IValidatorRegistry
    function operators() external view returns (address) {
        return address(_operators);
    }

    /// @inheritdoc IValidatorRegistry
    function exitDemand() external view returns (uint256) {
        return _pool().exitDemand(ValidatorQueues.staying(_queues.load()));
    }

    /// @inheritdoc IValidatorRegistry
    function nextToFund() external view returns (uint256 tier, uint256 sequence) {
        TierQueue[] memory queues = _queues.load();
        tier = ValidatorQueues.nextToFund(queues);
        require(tier != ValidatorQueues.NONE, NothingToFund());
        sequence = _queues.stepOver(tier, queues[tier].fundHead, queues[tier].tail);
    }

    /// @inheritdoc IValidatorRegistry
    function nextToExit() external view returns (uint256 tier, uint256 sequence) {
        TierQueue[] memory queues = _queues.load();
        tier = ValidatorQueues.nextToExit(queues);
        require(tier != ValidatorQueues.NONE, NothingToExit());
        sequence = _queues.stepOver(tier, queues[tier].exitHead, queues[tier].fundHead);
    }

    // --- governance and peers ---

    /// @inheritdoc IValidatorRegistry
    function onTierSet(uint256 tier, uint256 targetShareBp, uint256 maxShareBp) external {
        require(msg.sender == address(_operators), OnlyOperators(msg.sender));
        _queues.setTier(tier, targetShareBp, maxShareBp);
    }

    // --- internal ---

    function _authorizeUpgrade(address) internal override restricted {}

    /// @dev Gives a key the next place in its tier, if its operator's bond suffices.
    function _enqueue(bytes32 keyRoot, Record storage record) private {
        uint256 operatorId = record.operatorId;
        uint256 tier = _operators.onProven(operatorId);
        uint32 sequence = _queues.push(tier);
        (record.tier, record.status, record.sequence) = (uint8(tier), Status.Queued, sequence);
        emit Proven(operatorId, keyRoot, tier, sequence, record.validatorIndex);
    }

    /// @dev Makes the next at most `limit` queued keys active. Keys that are no longer queued are passed over: an entry of
    /// `operatorIds` is zero where nothing was taken.
    function _takeQueued(bytes[] calldata pubkeys, uint256 limit)
        private
        returns (uint256 count, bytes32[] memory keyRoots, uint256[] memory operatorIds)
    {
        keyRoots = new bytes32[](pubkeys.length);
        operatorIds = new uint256[](pubkeys.length);
        TierQueue[] memory queues = _queues.load();
        for (uint256 i = 0; i < pubkeys.length && count < limit; ++i) {
            bytes32 keyRoot = SSZ.pubkeyRoot(pubkeys[i]);
            Record memory record = _records[keyRoot];
            require(record.status >= Status.Queued, WrongStatus(keyRoot, record.status));
            if (record.status != Status.Queued) continue;
            if (!_queues.takeToFund(queues, keyRoot, record)) break;
            record.status = Status.Active;
            record.fundedGwei = uint40(VALIDATOR_DEPOSIT / GWEI);
            _records[keyRoot] = record;
            (keyRoots[i], operatorIds[i]) = (keyRoot, record.operatorId);
            ++count;
            emit Funded(record.operatorId, keyRoot);
        }
        _queues.storeFunded(queues);
    }

    /// @dev Splits `bondShares` equally between `count` keys, the remainder to the first; one call for each run of keys of
    /// one operator.
    function _creditBonds(uint256[] memory operatorIds, uint256 count, uint256 bondShares) private {
        uint256 each = bondShares / count;
        uint256 remainder = bondShares % count;
        for (uint256 i = 0; i < operatorIds.length;) {
            uint256 operatorId = operatorIds[i];
            uint256 run = 0;
            while (i < operatorIds.length && operatorIds[i] == operatorId) (++i, ++run);
            if (operatorId == 0) continue;
            _operators.onFunded(operatorId, run, each * run + remainder);
            remainder = 0;
        }
    }

    /// @dev An active validator leaves: it earns nothing any more and no longer counts as staying.
    function _leave(bytes32 keyRoot, Record storage record) private {
        if (record.exitRequestedAt != 0) _forgetRequest(record);
        _queues.tiers[record.tier].exiting += 1;
        if (!record.weightStopped) _stopWeight(keyRoot, record);
    }

    function _forgetRequest(Record storage record) private {
        record.exitRequestedAt = 0;
        _queues.tiers[record.tier].requested -= 1;
    }

    function _stopWeight(bytes32 keyRoot, Record storage record) private {
        record.weightStopped = true;
        emit WeightStopped(record.operatorId, keyRoot);
        _operators.onWeightStopped(record.operatorId);
    }

    function _requireFunded(bytes32 keyRoot, Record storage record) private view {
        bool funded = record.status == Status.Active || record.status == Status.Exiting;
        require(funded, WrongStatus(keyRoot, record.status));
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
