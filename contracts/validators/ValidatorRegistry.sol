// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts-upgradeable/proxy/utils/UUPSUpgradeable.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {BeaconValidator} from "../shared/BeaconTypes.sol";
import {DepositData} from "../shared/DepositData.sol";
import {SSZ} from "../shared/SSZ.sol";
import {FAR_FUTURE_EPOCH, GWEI, PREDEPOSIT, TOP_UP, VALIDATOR_DEPOSIT} from "../shared/Units.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IWithdrawalVault} from "../withdrawals/IWithdrawalVault.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IValidatorExits} from "./IValidatorExits.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";
import {Peers} from "./Peers.sol";
import {ValidatorExits} from "./ValidatorExits.sol";
import {ValidatorQueues} from "./ValidatorQueues.sol";
import {ValidatorState} from "./ValidatorState.sol";

/// @title ValidatorRegistry
/// @notice PROVE, THEN FUND. A key is bound to its operator by a predeposit of the operator's own 1 ETH; pool ether
/// follows only after a proof that the consensus layer knows the key with this protocol's credentials and nothing else.
///
/// ORDER. Keys of a tier are funded, and later asked to exit, in the order in which they were proven (ValidatorQueues).
///
/// LIVENESS. Every transition can be made by anyone who brings the proof. Nothing here loops over stored keys. A batch goes
/// on without the keys that somebody else has already taken further.
///
/// TWO HALVES. This contract has the life of a key up to its funding, and the views. What follows is in ValidatorExits, which
/// this one deploys, so that both name the same peers, and runs on its own storage (delegatecall): one contract would be
/// larger than EIP-170 allows.
///
/// Each function checks, changes its record, and only then calls out; deposits alone are made on the way.
contract ValidatorRegistry is ValidatorState, IValidatorRegistry, AccessManagedUpgradeable, UUPSUpgradeable {
    using DepositData for bytes;
    using ValidatorQueues for ValidatorQueues.State;

    /// @dev Of predeposits or proofs in one call.
    uint256 private constant MAX_KEYS = 64;
    uint256 private constant NOBODY = type(uint256).max; // no operator's id

    /// @inheritdoc IValidatorRegistry
    IValidatorExits public immutable exits;

    // no storage here: see ValidatorState

    constructor(
        IStakedEther token_,
        IWithdrawalVault withdrawalVault_,
        IOperatorRegistry operators_,
        address depositContract_,
        uint256 genesisTime_
    ) ValidatorState(token_, withdrawalVault_, operators_, depositContract_, genesisTime_) {
        exits = new ValidatorExits(token_, withdrawalVault_, operators_, depositContract_, genesisTime_);
        _disableInitializers();
    }

    /// @notice Once, in the proxy's deployment.
    /// @param authority the AccessManager: it says who governs and who may upgrade
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
        _checkCount(pubkeys.length);
        require(signatures.length == pubkeys.length, LengthMismatch(pubkeys.length, signatures.length));
        require(depositDataRoots.length == pubkeys.length, LengthMismatch(pubkeys.length, depositDataRoots.length));
        uint256 value = PREDEPOSIT * pubkeys.length;
        require(msg.value == value, WrongValue(msg.value, value));
        operators.checkPredeposit(operatorId, msg.sender);
        uint256 fresh = _predeposit(operatorId, pubkeys, signatures, depositDataRoots);
        require(fresh > 0, AllKeysKnown(pubkeys.length));
        if (fresh < pubkeys.length) _refund(value - PREDEPOSIT * fresh);
    }

    /// @inheritdoc IValidatorRegistry
    function proveValidators(IBeaconProof.ValidatorBatch calldata batch) external {
        uint256 count = batch.validators.length;
        _checkCount(count);
        beaconProof.verifyValidators(batch);
        uint256 fresh = 0;
        for (uint256 i = 0; i < count; ++i) {
            BeaconValidator calldata v = batch.validators[i].validator;
            bytes32 keyRoot = _keyRoot(v);
            Record storage record = _records[keyRoot];
            Status status = record.status;
            // somebody else's proof was faster, and its key may be anywhere by now
            if (status > Status.Predeposited) continue;
            require(status == Status.Predeposited, WrongStatus(keyRoot, status));
            require(!v.slashed, ValidatorSlashed(keyRoot));
            require(v.effectiveBalanceGwei >= PREDEPOSIT / GWEI, EffectiveBalanceTooSmall(v.effectiveBalanceGwei));
            // no eligibility implies that no other epoch is set
            bool eligible = v.activationEligibilityEpoch != FAR_FUTURE_EPOCH;
            require(!eligible, AlreadyEligible(v.activationEligibilityEpoch));
            record.validatorIndex = uint40(batch.validators[i].index);
            _enqueue(keyRoot, record);
            ++fresh;
        }
        require(fresh > 0, AllKeysKnown(count));
    }

    /// @inheritdoc IValidatorRegistry
    function fundValidators(bytes[] calldata pubkeys) external returns (uint256 count) {
        IStakingPool pool = _pool();
        bytes[] memory taken;
        uint256[] memory operatorIds;
        (count, taken, operatorIds) = _takeQueued(pubkeys, pool.depositable() / TOP_UP);
        require(count > 0, NothingToFund());
        // where keys were passed over, or the ether did not reach
        if (count < taken.length) taken = _first(taken, count);
        _creditBonds(operatorIds, count, pool.fundValidators(taken));
    }

    /// @inheritdoc IValidatorRegistry
    function fundOwn(bytes calldata pubkey) external payable {
        require(msg.value == TOP_UP, WrongValue(msg.value, TOP_UP));
        bytes32 keyRoot = SSZ.pubkeyRoot(pubkey);
        Record memory record = _inStatus(keyRoot, Status.Queued);
        operators.checkPredeposit(record.operatorId, msg.sender);
        // the pool checks the deposit's limits, the tier its maximum: only the turn does not count
        _queues.takeOwn(record.tier, record.sequence);
        _activate(_records[keyRoot]);
        emit FundedOwn(record.operatorId, keyRoot);
        operators.onFunded(record.operatorId, 1, _pool().fundOwn{value: msg.value}(pubkey, msg.sender));
    }

    /// @inheritdoc IValidatorRegistry
    function dropQueued(bytes32[] calldata keyRoots) external {
        uint256 dropped = 0;
        for (uint256 i = 0; i < keyRoots.length; ++i) {
            Record storage record = _records[keyRoots[i]];
            if (record.status != Status.Queued) continue;
            record.status = Status.Dropped;
            _queues.drop(record.tier, record.sequence);
            emit Dropped(record.operatorId, keyRoots[i]);
            // refuses where there is no cause, as the other keys of the list stand then
            operators.onDropped(record.operatorId);
            ++dropped;
        }
        require(dropped > 0, NoneQueued(keyRoots.length));
    }

    /// @inheritdoc IValidatorRegistry
    function requeue(bytes32[] calldata keyRoots) external {
        require(keyRoots.length > 0, NoKeys());
        for (uint256 i = 0; i < keyRoots.length; ++i) {
            Record storage record = _records[keyRoots[i]];
            require(record.status == Status.Dropped, WrongStatus(keyRoots[i], record.status));
            operators.checkPredeposit(record.operatorId, msg.sender);
            _enqueue(keyRoots[i], record);
        }
    }

    // --- exits and bad news ---
    // The call, as it came, runs in the code of ValidatorExits; what it reverts with is passed on.

    /// @inheritdoc IValidatorExits
    function requestExit(
        bytes calldata,
        IBeaconProof.ValidatorProof calldata,
        IBeaconProof.ValidatorProof[] calldata
    ) external payable {
        Address.functionDelegateCall(address(exits), msg.data);
    }

    /// @inheritdoc IValidatorExits
    function ejectBelow(
        bytes calldata,
        IBeaconProof.ValidatorProof calldata,
        IBeaconProof.BalanceProof calldata
    ) external payable {
        Address.functionDelegateCall(address(exits), msg.data);
    }

    /// @inheritdoc IValidatorExits
    function skipExited(bytes32[] calldata) external {
        Address.functionDelegateCall(address(exits), msg.data);
    }

    /// @inheritdoc IValidatorExits
    function proveExiting(IBeaconProof.ValidatorProof calldata) external {
        Address.functionDelegateCall(address(exits), msg.data);
    }

    /// @inheritdoc IValidatorExits
    function proveWithdrawn(IBeaconProof.ValidatorProof calldata, IBeaconProof.BalanceProof calldata) external {
        Address.functionDelegateCall(address(exits), msg.data);
    }

    /// @inheritdoc IValidatorExits
    function proveSlashed(IBeaconProof.ValidatorProof calldata) external {
        Address.functionDelegateCall(address(exits), msg.data);
    }

    /// @inheritdoc IValidatorExits
    function proveBelow(IBeaconProof.ValidatorProof calldata, IBeaconProof.BalanceProof calldata) external {
        Address.functionDelegateCall(address(exits), msg.data);
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
        return _queues.tierCount();
    }

    /// @inheritdoc IValidatorRegistry
    function exitDemand() external view returns (uint256) {
        return _exitDemand();
    }

    /// @inheritdoc IValidatorRegistry
    function nextToFund() external view returns (uint256 tier, uint256 sequence) {
        tier = _queues.nextToFund(_queues.tierCount(), _queues.allPresent() + 1);
        require(tier != ValidatorQueues.NONE, NothingToFund());
        sequence = _queues.stepOver(tier, _queues.tiers[tier].fundHead, _queues.tiers[tier].tail);
    }

    /// @inheritdoc IValidatorRegistry
    function nextToExit() external view returns (uint256 tier, uint256 sequence) {
        tier = _queues.nextToExit(0);
        require(tier != ValidatorQueues.NONE, NothingToExit());
        sequence = _queues.exitHead(tier);
    }

    // --- governance and operator registry ---

    /// @inheritdoc IValidatorRegistry
    function setBeaconProof(IBeaconProof beaconProof_) external restricted {
        _setBeaconProof(beaconProof_);
    }

    /// @inheritdoc IValidatorRegistry
    function onTierSet(uint256 tier, uint16 targetShareBp, uint16 maxShareBp) external {
        require(msg.sender == address(operators), OnlyOperators(msg.sender));
        _queues.setTier(tier, targetShareBp, maxShareBp);
    }

    // --- internal ---

    /// @dev Other code must name the same peers. The credentials name the withdrawal vault.
    function _authorizeUpgrade(address code) internal override restricted {
        IValidatorRegistry next = IValidatorRegistry(code);
        Peers.requireSame("operators", address(next.operators()), address(operators));
        Peers.requireSame("withdrawalCredentials", next.withdrawalCredentials(), withdrawalCredentials);
        Peers.requireSame("genesisTime", bytes32(next.genesisTime()), bytes32(genesisTime));
        Peers.requireSame("token", address(next.token()), address(token));
        Peers.requireSame("depositContract", next.depositContract(), depositContract);
    }

    /// @dev Any verifier of IBeaconProof: what it accepts is believed.
    function _setBeaconProof(IBeaconProof beaconProof_) private {
        require(address(beaconProof_) != address(0), ZeroAddress());
        beaconProof = beaconProof_;
        emit BeaconProofChanged(address(beaconProof_));
    }

    /// @dev A batch has 1 to 64 keys.
    function _checkCount(uint256 count) private pure {
        require(count > 0, NoKeys());
        require(count <= MAX_KEYS, TooManyKeys(count, MAX_KEYS));
    }

    /// @dev Deposits 1 ETH for each key that is not known. @return fresh how many
    function _predeposit(
        uint256 operatorId,
        bytes[] calldata pubkeys,
        bytes[] calldata signatures,
        bytes32[] calldata depositDataRoots
    ) private returns (uint256 fresh) {
        bytes32[] memory keyRoots = new bytes32[](pubkeys.length);
        bytes memory data = DepositData.template(withdrawalCredentials);
        for (uint256 i = 0; i < pubkeys.length; ++i) {
            bytes calldata pubkey = pubkeys[i];
            bytes32 keyRoot = SSZ.pubkeyRoot(pubkey);
            if (!_bind(keyRoot, operatorId)) continue;
            keyRoots[fresh++] = keyRoot;
            data.setSignature(signatures[i]);
            data.setKey(pubkey, depositDataRoots[i]);
            data.callWith(depositContract, PREDEPOSIT);
        }
        emit Predeposited(operatorId, Arrays.splice(keyRoots, 0, fresh));
    }

    /// @dev Binds a key to its operator, for ever. @return fresh false if it is known already
    function _bind(bytes32 keyRoot, uint256 operatorId) private returns (bool fresh) {
        Record storage record = _records[keyRoot];
        if (record.status != Status.Unknown) return false;
        record.operatorId = uint32(operatorId);
        record.status = Status.Predeposited;
        return true;
    }

    /// @dev Ether of keys that were passed over goes back to who sent it. The last thing that a call does.
    function _refund(uint256 amount) private {
        (bool sent, ) = msg.sender.call{value: amount}("");
        require(sent, RefundFailed(msg.sender, amount));
    }

    /// @dev Gives a key the next place in its tier, if its operator's bond suffices.
    function _enqueue(bytes32 keyRoot, Record storage record) private {
        uint256 operatorId = record.operatorId;
        uint256 tier = operators.onProven(operatorId);
        uint256 sequence = _queues.push(tier);
        record.tier = uint8(tier);
        record.status = Status.Queued;
        record.sequence = uint40(sequence);
        emit Proven(operatorId, keyRoot, tier, sequence, record.validatorIndex);
    }

    /// @dev Makes the next at most `limit` queued keys active. Keys that are no longer queued are passed over.
    /// @return count how many were taken: the first so many of both arrays count
    /// @return taken their public keys
    /// @return operatorIds and operators
    function _takeQueued(
        bytes[] calldata pubkeys,
        uint256 limit
    ) private returns (uint256 count, bytes[] memory taken, uint256[] memory operatorIds) {
        taken = new bytes[](pubkeys.length);
        operatorIds = new uint256[](pubkeys.length);
        ValidatorQueues.Turns memory turns = _queues.turnsNow();
        for (uint256 i = 0; i < pubkeys.length && count < limit; ++i) {
            bytes calldata pubkey = pubkeys[i];
            uint256 operatorId = _take(turns, SSZ.pubkeyRoot(pubkey));
            if (operatorId == NOBODY) break;
            if (operatorId == 0) continue;
            (taken[count], operatorIds[count]) = (pubkey, operatorId);
            ++count;
        }
        _queues.emitFunded(turns);
    }

    /// @dev Makes a key active, whose turn it must be. @return operatorId 0 if the key is no longer queued, NOBODY if no tier
    /// may be funded now
    function _take(ValidatorQueues.Turns memory turns, bytes32 keyRoot) private returns (uint256 operatorId) {
        Record storage record = _records[keyRoot];
        Status status = record.status;
        if (status > Status.Queued) return 0;
        require(status == Status.Queued, WrongStatus(keyRoot, status));
        operatorId = record.operatorId;
        if (!_queues.takeToFund(turns, keyRoot, record.tier, record.sequence)) return NOBODY;
        _activate(record);
    }

    /// @dev A copy of the first `count`.
    function _first(bytes[] memory array, uint256 count) private pure returns (bytes[] memory start) {
        start = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            start[i] = array[i];
        }
    }

    /// @dev From now on 31 ETH, the pool's or the operator's, and the predeposit are its principal.
    function _activate(Record storage record) private {
        (record.status, record.fundedGwei) = (Status.Active, uint40(VALIDATOR_DEPOSIT / GWEI));
    }

    /// @dev Splits `bondShares` equally between `count` keys, the remainder to the first; one call for each run of neighbours
    /// of one operator.
    function _creditBonds(uint256[] memory operatorIds, uint256 count, uint256 bondShares) private {
        uint256 each = bondShares / count;
        uint256 remainder = bondShares % count;
        uint256 start = 0;
        while (start < count) {
            uint256 end = start + 1;
            while (end < count && operatorIds[end] == operatorIds[start]) ++end;
            operators.onFunded(operatorIds[start], end - start, each * (end - start) + remainder);
            (start, remainder) = (end, 0);
        }
    }
}
