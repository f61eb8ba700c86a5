// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts-upgradeable/proxy/utils/UUPSUpgradeable.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {ShareMath} from "../shared/ShareMath.sol";
import {BP, PREDEPOSIT} from "../shared/Units.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {BondCurve} from "./BondCurve.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";

/// @title OperatorRegistry
/// @notice BONDS. This contract's estETH account holds every operator's bond and reward shares, and nothing else is
/// counted: recorded shares never exceed held shares. A penalty moves bond shares to the queue's account as cover;
/// what the bond lacks is a debt in wei, repaid from added bond and from rewards first.
///
/// REWARDS. Reports mint all fees to this account. The weight of an operator is feeBp for each of its weighted validators.
/// Whenever weights change or somebody claims, the fees minted since are divided: `fees * totalWeight / (totalFeeBp *
/// active)` to all weights at once, the rest to the treasury: an operator with n of N equal validators earns its feeBp of
/// n / N of the rewards. One accumulator, settled whenever an operator's weight changes.
contract OperatorRegistry is IOperatorRegistry, AccessManagedUpgradeable, UUPSUpgradeable {
    using SafeCast for uint256;

    struct Totals {
        uint128 sharesPerWeight; // accumulated
        uint64 weight;
        uint64 active; // funded, not yet proven withdrawn
    }

    /// @dev One slot: how fees are divided that no report has minted yet.
    struct Fees {
        uint120 divided; // shares of all fees already divided between operators and treasury
        uint120 treasuryShares; // not yet paid to the treasury
        uint16 totalFeeBp; // of rewards, since the last division
    }

    uint256 private constant MAX_TIERS = 16;

    IStakedEther public immutable token;

    /// @inheritdoc IOperatorRegistry
    address public validators;
    Totals private _totals;
    Fees private _fees;
    /// @inheritdoc IOperatorRegistry
    uint256 public operatorCount;
    /// @inheritdoc IOperatorRegistry
    uint256 public tierCount;
    mapping(uint256 tierId => Tier) private _tiers;
    mapping(uint256 operatorId => Operator) private _operators;

    modifier onlyValidators() {
        require(msg.sender == validators, OnlyValidators(msg.sender));
        _;
    }

    constructor(IStakedEther token_) {
        token = token_;
        _disableInitializers();
    }

    function initialize(address authority) external initializer {
        __AccessManaged_init(authority);
    }

    /// @inheritdoc IOperatorRegistry
    function bind(address validators_) external {
        require(validators == address(0), AlreadyBound(validators));
        bool mutual = IValidatorRegistry(validators_).operators() == address(this);
        require(mutual && _pool().validators() == validators_, NotMyValidators(validators_));
        validators = validators_;
        emit Bound(validators_);
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
        op.frozen = false;
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
    function addBond(uint256 operatorId) external payable {
        Operator storage op = _known(operatorId);
        require(msg.value > 0, ZeroAmount());
        uint256 shares = _pool().deposit{value: msg.value}(address(this), address(0));
        shares -= _repayDebt(operatorId, op, shares);
        op.bondShares += shares.toUint128();
        emit BondAdded(operatorId, shares);
    }

    /// @inheritdoc IOperatorRegistry
    function withdrawBond(uint256 operatorId, uint256 shares, address to) external {
        Operator storage op = _owned(operatorId);
        require(shares > 0, ZeroAmount());
        require(!op.frozen, OperatorIsFrozen(operatorId));
        require(op.debt == 0, HasDebt(operatorId, op.debt));
        require(shares <= op.bondShares, SharesExceedBond(operatorId, shares, op.bondShares));
        op.bondShares -= uint128(shares);
        (uint256 bond, uint256 required) = _bond(op);
        require(bond >= required, BondTooSmall(operatorId, bond, required));
        emit BondWithdrawn(operatorId, to, shares);
        token.transferShares(to, shares);
    }

    /// @inheritdoc IOperatorRegistry
    function claimRewards(uint256 operatorId, address to) external returns (uint256 shares) {
        Operator storage op = _known(operatorId);
        require(msg.sender == op.owner || msg.sender == op.rewardAddress, NotOperatorOwner(operatorId, msg.sender));
        require(!op.frozen, OperatorIsFrozen(operatorId));
        _settle(op, _divideFees());
        shares = op.rewardShares;
        require(shares > 0, NothingToClaim(operatorId));
        op.rewardShares = 0;
        shares -= _repayDebt(operatorId, op, shares);
        emit RewardsClaimed(operatorId, to, shares);
        if (shares > 0) token.transferShares(to, shares);
    }

    // --- anyone ---

    /// @inheritdoc IOperatorRegistry
    function payTreasury() external returns (uint256 shares) {
        _divideFees();
        shares = _fees.treasuryShares;
        if (shares == 0) return 0;
        _fees.treasuryShares = 0;
        address treasury = _pool().treasury();
        emit TreasuryPaid(treasury, shares);
        token.transferShares(treasury, shares);
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

    /// @inheritdoc IOperatorRegistry
    function bondOf(uint256 operatorId) external view returns (uint256 bond, uint256 required) {
        return _bond(_known(operatorId));
    }

    /// @inheritdoc IOperatorRegistry
    function rewardTotals() external view returns (uint128 sharesPerWeight, uint64 weight, uint64 active) {
        (Totals memory totals, ) = _divided();
        return (totals.sharesPerWeight, totals.weight, totals.active);
    }

    /// @inheritdoc IOperatorRegistry
    function treasuryShares() external view returns (uint256) {
        (, Fees memory fees) = _divided();
        return fees.treasuryShares;
    }

    /// @inheritdoc IOperatorRegistry
    function claimableShares(uint256 operatorId) external view returns (uint256) {
        Operator storage op = _known(operatorId);
        (uint256 totalEther, uint256 totalShares) = token.totals();
        uint256 debtShares = ShareMath.toSharesUp(op.debt, totalEther, totalShares);
        (Totals memory totals, ) = _divided();
        return Math.saturatingSub(op.rewardShares + _unsettled(op, totals.sharesPerWeight), debtShares);
    }

    // --- pool only ---

    /// @inheritdoc IOperatorRegistry
    function setTotalFee(uint256 totalFeeBp) external {
        require(msg.sender == token.pool(), OnlyPool(msg.sender));
        _divideFees();
        _fees.totalFeeBp = uint16(totalFeeBp);
    }

    // --- validator registry only ---

    /// @inheritdoc IOperatorRegistry
    function checkPredeposit(uint256 operatorId, address caller) external view {
        Operator storage op = _operators[operatorId];
        require(caller == op.owner, NotOperatorOwner(operatorId, caller));
        _requireClear(operatorId, op);
    }

    /// @inheritdoc IOperatorRegistry
    function onProven(uint256 operatorId) external onlyValidators returns (uint256 tierId) {
        Operator storage op = _operators[operatorId];
        if (op.inDoubt) _requireClear(operatorId, op);
        op.queued += 1;
        _requireBond(operatorId, op);
        return op.tier;
    }

    /// @inheritdoc IOperatorRegistry
    function onFunded(uint256 operatorId, uint256 count, uint256 bondShares) external onlyValidators {
        Operator storage op = _operators[operatorId];
        if (op.inDoubt) {
            _requireClear(operatorId, op);
            _requireBond(operatorId, op);
            op.inDoubt = false;
        }
        Totals memory totals = _divideFees();
        _settle(op, totals);
        op.bondShares += uint128(bondShares);
        op.queued -= uint32(count);
        op.active += uint32(count);
        op.weighted += uint32(count);
        totals.weight += uint64(op.feeBp * count);
        totals.active += uint64(count);
        _totals = totals;
        emit BondAdded(operatorId, bondShares);
    }

    /// @inheritdoc IOperatorRegistry
    function onWeightStopped(uint256 operatorId) external onlyValidators {
        Operator storage op = _operators[operatorId];
        Totals memory totals = _divideFees();
        _settle(op, totals);
        op.weighted -= 1;
        totals.weight -= op.feeBp;
        _totals = totals;
    }

    /// @inheritdoc IOperatorRegistry
    function onWithdrawn(uint256 operatorId, uint256 shortfall) external onlyValidators {
        Operator storage op = _operators[operatorId];
        op.active -= 1;
        Totals memory totals = _divideFees();
        totals.active -= 1;
        _totals = totals;
        if (shortfall > 0) _takePenalty(operatorId, op, shortfall);
    }

    /// @inheritdoc IOperatorRegistry
    function onSlashed(uint256 operatorId) external onlyValidators {
        Operator storage op = _operators[operatorId];
        op.frozen = true;
        op.inDoubt = true;
        emit OperatorFrozen(operatorId, true);
    }

    /// @inheritdoc IOperatorRegistry
    function onDropped(uint256 operatorId) external onlyValidators {
        Operator storage op = _operators[operatorId];
        if (!op.frozen && op.debt == 0) {
            (uint256 bond, uint256 required) = _bond(op);
            require(bond < BondCurve.passMark(required), BondSuffices(operatorId, bond, required));
        }
        op.queued -= 1;
    }

    // --- internal ---

    function _authorizeUpgrade(address) internal override restricted {}

    function _setTier(uint256 tierId, Tier calldata values) private {
        bool valid =
            values.bondFirst >= PREDEPOSIT &&
                values.bondNext >= PREDEPOSIT &&
                values.feeBp <= BP &&
                values.targetShareBp <= values.maxShareBp &&
                values.maxShareBp <= BP;
        require(valid, TierInvalid(values.bondFirst, values.feeBp, values.targetShareBp, values.maxShareBp));
        require(validators != address(0), NotBound());
        _tiers[tierId] = values;
        emit TierSet(tierId, values);
        IValidatorRegistry(validators).onTierSet(tierId, values.targetShareBp, values.maxShareBp);
    }

    function _addOperator(
        uint256 tierId,
        address owner,
        address rewardAddress,
        string calldata name
    ) private returns (uint256 operatorId) {
        require(owner != address(0) && rewardAddress != address(0), ZeroAddress());
        operatorId = ++operatorCount;
        Operator storage op = _operators[operatorId];
        op.owner = owner;
        op.rewardAddress = rewardAddress;
        op.tier = uint8(tierId);
        op.feeBp = _tiers[tierId].feeBp;
        emit OperatorAdded(operatorId, tierId, owner, rewardAddress, name);
    }

    /// @dev Divides the fees minted since the last division by the weights since then.
    function _divideFees() private returns (Totals memory totals) {
        Fees memory fees;
        (totals, fees) = _divided();
        if (fees.divided == _fees.divided) return totals;
        (_totals, _fees) = (totals, fees);
    }

    /// @dev Totals and fees as they are once divided. The operators' part rounds down to whole shares per weight.
    function _divided() private view returns (Totals memory totals, Fees memory fees) {
        (totals, fees) = (_totals, _fees);
        uint256 minted = token.totalFeeShares();
        uint256 fresh = minted - fees.divided;
        if (fresh == 0) return (totals, fees);
        if (totals.weight != 0 && fees.totalFeeBp != 0) {
            uint256 part = (fresh * totals.weight) / (uint256(fees.totalFeeBp) * totals.active);
            uint256 increment = Math.min(fresh, part) / totals.weight;
            totals.sharesPerWeight += increment.toUint128();
            fresh -= increment * totals.weight;
        }
        fees.divided = minted.toUint120();
        fees.treasuryShares += fresh.toUint120();
    }

    /// @dev Moves what the operator's present weight earned since it was last settled into its rewards.
    function _settle(Operator storage op, Totals memory totals) private {
        if (op.settledAt == totals.sharesPerWeight) return;
        op.rewardShares += _unsettled(op, totals.sharesPerWeight).toUint128();
        op.settledAt = totals.sharesPerWeight;
    }

    /// @dev `amount` wei in bond shares, rounded up, to cover; what the bond lacks becomes debt, rounded up.
    function _takePenalty(uint256 operatorId, Operator storage op, uint256 amount) private {
        (uint256 totalEther, uint256 totalShares) = token.totals();
        uint256 owed = ShareMath.toSharesUp(amount, totalEther, totalShares);
        uint256 taken = Math.min(owed, op.bondShares);
        uint256 debt = taken == owed ? 0 : amount - ShareMath.toEtherDown(taken, totalEther, totalShares);
        op.bondShares -= uint128(taken);
        op.debt = (op.debt + debt).toUint88();
        op.inDoubt = true;
        emit PenaltyTaken(operatorId, amount, taken, debt);
        _moveToCover(taken);
    }

    /// @dev Repays debt with at most `available` shares that this contract holds. @return used shares
    function _repayDebt(uint256 operatorId, Operator storage op, uint256 available) private returns (uint256 used) {
        uint256 debt = op.debt;
        if (debt == 0) return 0;
        (uint256 totalEther, uint256 totalShares) = token.totals();
        uint256 owed = ShareMath.toSharesUp(debt, totalEther, totalShares);
        used = Math.min(owed, available);
        uint256 repaid = used == owed ? debt : ShareMath.toEtherDown(used, totalEther, totalShares);
        op.debt = uint88(debt - repaid);
        emit DebtRepaid(operatorId, repaid, used);
        _moveToCover(used);
    }

    function _moveToCover(uint256 shares) private {
        if (shares == 0) return;
        token.transferShares(token.queue(), shares);
        _pool().addCover(shares);
    }

    function _pool() private view returns (IStakingPool) {
        return IStakingPool(token.pool());
    }

    function _known(uint256 operatorId) private view returns (Operator storage op) {
        op = _operators[operatorId];
        require(op.owner != address(0), UnknownOperator(operatorId));
    }

    function _owned(uint256 operatorId) private view returns (Operator storage op) {
        op = _known(operatorId);
        require(msg.sender == op.owner, NotOperatorOwner(operatorId, msg.sender));
    }

    function _requireClear(uint256 operatorId, Operator storage op) private view {
        require(!op.frozen, OperatorIsFrozen(operatorId));
        require(op.debt == 0, HasDebt(operatorId, op.debt));
    }

    function _requireBond(uint256 operatorId, Operator storage op) private view {
        (uint256 bond, uint256 required) = _bond(op);
        required = BondCurve.passMark(required);
        require(bond >= required, BondTooSmall(operatorId, bond, required));
    }

    /// @dev Wei at stake, rounded down, and wei required, for all queued and active validators.
    function _bond(Operator storage op) private view returns (uint256 bond, uint256 required) {
        (uint256 totalEther, uint256 totalShares) = token.totals();
        bond = BondCurve.atStake(ShareMath.toEtherDown(op.bondShares, totalEther, totalShares), op.queued);
        Tier storage terms = _tiers[op.tier];
        required = BondCurve.required(terms.bondFirst, terms.bondNext, uint256(op.queued) + op.active);
    }

    function _unsettled(Operator storage op, uint256 sharesPerWeight) private view returns (uint256) {
        return (sharesPerWeight - op.settledAt) * op.weighted * op.feeBp;
    }
}
