// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {BP, PREDEPOSIT} from "../shared/Units.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {BondCurve} from "./BondCurve.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";

/// @title OperatorTable
/// @notice The table of tiers, who the operators are, and who acts for them. The owner decides; its manager may predeposit
/// keys; its reward address may claim.
abstract contract OperatorTable is IOperatorRegistry, AccessManagedUpgradeable {
    /// @dev Fundings and exits look at all tiers.
    uint256 private constant MAX_TIERS = 16; // as in ValidatorQueues

    /// @inheritdoc IOperatorRegistry
    IStakedEther public immutable token;
    /// @inheritdoc IOperatorRegistry
    address public immutable validators;

    /// @inheritdoc IOperatorRegistry
    uint256 public operatorCount;
    /// @inheritdoc IOperatorRegistry
    uint256 public tierCount;
    /// @dev From 0 on, without gaps.
    mapping(uint256 tierId => Tier) internal _tiers;
    /// @dev From 1 on, without gaps: a record without operator has the id 0.
    mapping(uint256 operatorId => Operator) internal _operators;

    /// @dev What the validator registry tells was proven there.
    modifier onlyValidators() {
        require(msg.sender == validators, OnlyValidators(msg.sender));
        _;
    }

    /// @param validators_ the validator registry's proxy
    constructor(IStakedEther token_, address validators_) {
        (token, validators) = (token_, validators_);
    }

    // --- governance ---

    /// @inheritdoc IOperatorRegistry
    function addTier(Tier calldata values) external restricted returns (uint256 tierId) {
        tierId = tierCount;
        require(tierId < MAX_TIERS, TooManyTiers(MAX_TIERS));
        tierCount = tierId + 1;
        _setTier(tierId, values);
    }

    /// @inheritdoc IOperatorRegistry
    function setTier(uint256 tierId, Tier calldata values) external restricted {
        require(tierId < tierCount, UnknownTier(tierId));
        _setTier(tierId, values);
    }

    /// @inheritdoc IOperatorRegistry
    function addOperator(
        uint256 tierId,
        address owner,
        address rewardAddress,
        string calldata name
    ) external restricted returns (uint256) {
        require(tierId < tierCount, UnknownTier(tierId));
        return _addOperator(tierId, owner, rewardAddress, name);
    }

    /// @inheritdoc IOperatorRegistry
    function unfreeze(uint256 operatorId) external restricted {
        Operator storage op = _known(operatorId);
        require(op.frozen, OperatorNotFrozen(operatorId));
        (op.frozen, op.frozenAt) = (false, 0);
        emit OperatorFrozen(operatorId, false);
    }

    // --- operators ---

    /// @inheritdoc IOperatorRegistry
    function join(uint256 tierId, address rewardAddress, string calldata name) external returns (uint256) {
        require(tierId < tierCount, UnknownTier(tierId));
        require(_tiers[tierId].open, TierClosed(tierId));
        return _addOperator(tierId, msg.sender, rewardAddress, name);
    }

    /// @inheritdoc IOperatorRegistry
    function proposeOwner(uint256 operatorId, address pendingOwner) external {
        _owned(operatorId).pendingOwner = pendingOwner;
        emit OwnershipProposed(operatorId, pendingOwner);
    }

    /// @inheritdoc IOperatorRegistry
    function acceptOwnership(uint256 operatorId) external {
        Operator storage op = _known(operatorId);
        require(msg.sender == op.pendingOwner, NotPendingOwner(operatorId, msg.sender));
        op.owner = msg.sender;
        op.pendingOwner = address(0);
        emit OwnerChanged(operatorId, msg.sender);
    }

    /// @inheritdoc IOperatorRegistry
    function setRewardAddress(uint256 operatorId, address rewardAddress) external {
        require(rewardAddress != address(0), ZeroAddress());
        _owned(operatorId).rewardAddress = rewardAddress;
        emit RewardAddressChanged(operatorId, rewardAddress);
    }

    /// @inheritdoc IOperatorRegistry
    function setManager(uint256 operatorId, address manager) external {
        _owned(operatorId).manager = manager;
        emit ManagerChanged(operatorId, manager);
    }

    /// @inheritdoc IOperatorRegistry
    function rename(uint256 operatorId, string calldata name) external {
        _owned(operatorId);
        emit OperatorRenamed(operatorId, name);
    }

    // --- views ---

    /// @inheritdoc IOperatorRegistry
    function operator(uint256 operatorId) external view returns (Operator memory) {
        return _known(operatorId);
    }

    /// @inheritdoc IOperatorRegistry
    function tier(uint256 tierId) external view returns (Tier memory) {
        require(tierId < tierCount, UnknownTier(tierId));
        return _tiers[tierId];
    }

    /// @inheritdoc IOperatorRegistry
    function requiredBond(uint256 tierId, uint256 count) external view returns (uint256) {
        require(tierId < tierCount, UnknownTier(tierId));
        return BondCurve.required(_tiers[tierId].bondFirst, _tiers[tierId].bondNext, count);
    }

    // --- internal ---

    /// @dev Each bond covers at least the predeposit; the validator registry keeps the shares of the set.
    function _setTier(uint256 tierId, Tier calldata values) internal {
        bool valid =
            values.bondFirst >= PREDEPOSIT &&
                values.bondNext >= PREDEPOSIT &&
                values.feeBp <= BP &&
                values.targetShareBp <= values.maxShareBp &&
                values.maxShareBp <= BP;
        require(valid, TierInvalid(values.bondFirst, values.feeBp, values.targetShareBp, values.maxShareBp));
        _tiers[tierId] = values;
        emit TierSet(tierId, values);
        IValidatorRegistry(validators).onTierSet(tierId, values.targetShareBp, values.maxShareBp);
    }

    /// @dev The fee is the tier's of today, for good.
    function _addOperator(
        uint256 tierId,
        address owner,
        address rewardAddress,
        string calldata name
    ) internal returns (uint256 operatorId) {
        require(owner != address(0) && rewardAddress != address(0), ZeroAddress());
        operatorId = ++operatorCount;
        Operator storage op = _operators[operatorId];
        op.owner = owner;
        op.rewardAddress = rewardAddress;
        op.tier = uint8(tierId);
        op.feeBp = _tiers[tierId].feeBp;
        emit OperatorAdded(operatorId, tierId, owner, rewardAddress, name);
    }

    /// @dev The pool that the token names now.
    function _pool() internal view returns (IStakingPool) {
        return IStakingPool(token.pool());
    }

    /// @dev Reverts for an operator that nobody added.
    function _known(uint256 operatorId) internal view returns (Operator storage op) {
        op = _operators[operatorId];
        require(op.owner != address(0), UnknownOperator(operatorId));
    }

    /// @dev As _known, for its owner.
    function _owned(uint256 operatorId) internal view returns (Operator storage op) {
        op = _known(operatorId);
        require(msg.sender == op.owner, NotOperatorOwner(operatorId, msg.sender));
    }
}
