// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {UUPSUpgradeable} from "@openzeppelin/contracts-upgradeable/proxy/utils/UUPSUpgradeable.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ShareMath} from "../shared/ShareMath.sol";
import {SHARES_PER_UNIT} from "../shared/Units.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IWrappedStakedEther} from "../token/IWrappedStakedEther.sol";
import {BondCurve} from "./BondCurve.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {OperatorBonds} from "./OperatorBonds.sol";

/// @title OperatorRegistry
/// @notice Divides the fees between operators and treasury, and follows the validators. This contract's estETH account
/// holds every operator's bond, fine and reward shares and the treasury's part, and nothing else is counted: recorded shares
/// never exceed held shares.
///
/// REWARDS. Reports mint all fees to this account. The weight of an operator is feeBp for each of its weighted validators.
/// Whenever weights change or somebody claims, the fees minted since are divided: `fees * totalWeight / (totalFeeBp *
/// active)` to all weights at once, the rest to the treasury: an operator with n of N equal validators earns its feeBp of
/// n / N of the rewards. One accumulator, settled whenever an operator's weight changes.
contract OperatorRegistry is OperatorBonds, UUPSUpgradeable {
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

    Totals private _totals;
    Fees private _fees;

    constructor(IStakedEther token_, IWrappedStakedEther wrapped_) OperatorBonds(token_, wrapped_) {
        _disableInitializers();
    }

    function initialize(address authority) external initializer {
        __AccessManaged_init(authority);
        // bonds and rewards are paid out as westETH too
        token.approve(address(wrapped), type(uint256).max);
    }

    // --- operators ---

    /// @inheritdoc IOperatorRegistry
    function claimRewards(uint256 operatorId, address to) external returns (uint256 shares) {
        shares = _collect(operatorId);
        emit RewardsClaimed(operatorId, to, shares);
        if (shares > 0) token.transferShares(to, shares);
    }

    /// @inheritdoc IOperatorRegistry
    function claimRewardsWrapped(uint256 operatorId, address to) external returns (uint256 amount) {
        uint256 shares = _collect(operatorId);
        amount = shares / SHARES_PER_UNIT;
        // what is less than a unit stays
        _operators[operatorId].rewardShares = uint128(shares - amount * SHARES_PER_UNIT);
        emit RewardsClaimed(operatorId, to, amount * SHARES_PER_UNIT);
        if (amount > 0) wrapped.mint(amount, to);
    }

    /// @inheritdoc IOperatorRegistry
    function compoundRewards(uint256 operatorId) external returns (uint256 shares) {
        shares = _collect(operatorId);
        emit RewardsClaimed(operatorId, address(this), shares);
        _addBond(operatorId, shares);
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
        require(caller == op.owner || caller == op.manager, NotOperatorOwner(operatorId, caller));
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

    /// @dev Takes the operator's rewards, debt repaid, for its owner or reward address.
    function _collect(uint256 operatorId) private returns (uint256 shares) {
        Operator storage op = _known(operatorId);
        require(msg.sender == op.owner || msg.sender == op.rewardAddress, NotOperatorOwner(operatorId, msg.sender));
        require(!op.frozen, OperatorIsFrozen(operatorId));
        _settle(op, _divideFees());
        shares = op.rewardShares;
        require(shares > 0, NothingToClaim(operatorId));
        op.rewardShares = 0;
        shares -= _repayDebt(operatorId, op, shares);
    }

    function _unsettled(Operator storage op, uint256 sharesPerWeight) private view returns (uint256) {
        return (sharesPerWeight - op.settledAt) * op.weighted * op.feeBp;
    }
}
