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
import {Peers} from "./Peers.sol";

/// @title OperatorRegistry
/// @notice Divides the fees between operators and treasury, and follows the validators. This contract's estETH account
/// holds every operator's bond, fine and reward shares and the treasury's part, and nothing else is counted: recorded shares
/// never exceed held shares.
///
/// REWARDS. Reports mint all fees to this account. The weight of an operator is feeBp for each of its weighted validators.
/// Whenever weights change, the fees minted since are divided: `fees * totalWeight / (totalFeeBp *
/// active)` to all weights at once, the rest to the treasury: an operator with n of N equal validators earns its feeBp of
/// n / N of the rewards. One accumulator, settled whenever an operator's weight changes.
contract OperatorRegistry is OperatorBonds, UUPSUpgradeable {
    using SafeCast for uint256;

    /// @dev One slot: read and written whenever a validator comes or goes.
    struct Totals {
        uint104 sharesPerWeight; // accumulated: at most a ten-thousandth of the rewards a validator ever brought
        uint88 divided; // units of all fees divided between operators and treasury; less than a unit waits for more
        uint40 weight;
        uint24 active; // funded, not yet proven withdrawn
    }

    /// @dev One slot: what only a division needs.
    struct Fees {
        uint128 treasuryShares; // not yet paid to the treasury
        uint16 totalFeeBp; // of rewards, since the last division
    }

    /// @dev In these governance may find that a slashing was no reason to end all of an operator's validators.
    uint256 private constant EJECT_AFTER = 7 days;

    /// @dev As of the last division; what was minted since is in `_divided`.
    Totals private _totals;
    /// @dev The treasury's part, and the fee by which the next division is made.
    Fees private _fees;

    /// @dev Code for a proxy: initialised there alone.
    constructor(
        IStakedEther token_,
        IWrappedStakedEther wrapped_,
        address validators_
    ) OperatorBonds(token_, wrapped_, validators_) {
        _disableInitializers();
    }

    /// @notice Once, in the proxy's deployment.
    /// @param authority the AccessManager: it says who governs and who may upgrade
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
        _totals = _divideFees();
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
        (Totals memory totals, , ) = _divided();
        return (totals.sharesPerWeight, totals.weight, totals.active);
    }

    /// @inheritdoc IOperatorRegistry
    function treasuryShares() external view returns (uint256) {
        (, uint256 rest, ) = _divided();
        return _fees.treasuryShares + rest;
    }

    /// @inheritdoc IOperatorRegistry
    function claimableShares(uint256 operatorId) external view returns (uint256) {
        Operator storage op = _known(operatorId);
        (uint256 totalEther, uint256 totalShares) = token.totals();
        uint256 debtShares = ShareMath.toSharesUp(op.debt, totalEther, totalShares);
        (Totals memory totals, , ) = _divided();
        return Math.saturatingSub(op.rewardShares + _unsettled(op, totals.sharesPerWeight), debtShares);
    }

    /// @inheritdoc IOperatorRegistry
    function exitCause(uint256 operatorId) external view returns (bool outOfTurn, bool withoutDemand) {
        Operator storage op = _operators[operatorId];
        bool indebted = op.debt != 0;
        outOfTurn = indebted || op.frozen;
        withoutDemand = indebted || (op.frozen && block.timestamp >= op.frozenAt + EJECT_AFTER);
    }

    // --- pool only ---

    /// @inheritdoc IOperatorRegistry
    function setTotalFee(uint256 totalFeeBp) external {
        require(msg.sender == token.pool(), OnlyPool(msg.sender));
        _totals = _divideFees();
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
        // in doubt: neither debt nor a freeze came unless a penalty or a slashing said so
        if (op.inDoubt) _requireClear(operatorId, op);
        ++op.queued;
        _requireBond(operatorId, op);
        return op.tier;
    }

    /// @inheritdoc IOperatorRegistry
    function onFunded(uint256 operatorId, uint256 count, uint256 bondShares) external onlyValidators {
        Operator storage op = _operators[operatorId];
        uint256 queued = op.queued;
        require(count <= queued, NotQueued(queued, count));
        // otherwise what was checked when the keys were proven holds, whatever terms and rate are now
        if (op.inDoubt) {
            _requireClear(operatorId, op);
            _requireBond(operatorId, op);
        }
        Totals memory totals = _divideFees();
        _settle(op, totals);
        totals.weight += uint40(op.feeBp * count);
        // together: one write of their slot
        (op.bondShares, op.queued, op.active, op.weighted, op.inDoubt) = (
            (op.bondShares + bondShares).toUint128(),
            uint32(queued - count),
            op.active + uint32(count),
            op.weighted + uint32(count),
            false
        );
        totals.active += uint24(count);
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
        // it counted in the division until now, weighted or not
        op.active -= 1;
        Totals memory totals = _divideFees();
        totals.active -= 1;
        _totals = totals;
        if (shortfall > 0) _takePenalty(operatorId, op, shortfall);
    }

    /// @inheritdoc IOperatorRegistry
    function onLateShortfall(uint256 operatorId, uint256 shortfall) external onlyValidators {
        if (shortfall > 0) _takePenalty(operatorId, _operators[operatorId], shortfall);
    }

    /// @inheritdoc IOperatorRegistry
    function onSlashed(uint256 operatorId) external onlyValidators {
        Operator storage op = _operators[operatorId];
        // the first one's time counts: without a decision seven days later all validators may be made to exit
        if (!op.frozen) (op.frozen, op.frozenAt) = (true, uint40(block.timestamp));
        op.inDoubt = true;
        emit OperatorFrozen(operatorId, true);
    }

    /// @inheritdoc IOperatorRegistry
    function onDropped(uint256 operatorId) external onlyValidators {
        Operator storage op = _operators[operatorId];
        if (!op.frozen && op.debt == 0) {
            require(op.inDoubt, NotInDoubt(operatorId));
            (uint256 bond, uint256 required) = _bond(op);
            require(bond < BondCurve.passMark(required), BondSuffices(operatorId, bond, required));
        }
        op.queued -= 1;
    }

    // --- internal ---

    /// @dev Other code must name the same peers.
    function _authorizeUpgrade(address code) internal override restricted {
        IOperatorRegistry next = IOperatorRegistry(code);
        Peers.requireSame("validators", next.validators(), validators);
        Peers.requireSame("token", address(next.token()), address(token));
        Peers.requireSame("wrapped", address(next.wrapped()), address(wrapped));
    }

    /// @dev Divides the fees minted since the last division by the weights since then. The caller stores the totals.
    function _divideFees() private returns (Totals memory totals) {
        uint256 rest;
        bool fresh;
        (totals, rest, fresh) = _divided();
        if (fresh) _fees.treasuryShares += rest.toUint128();
    }

    /// @dev Totals as they are once the fees are divided, which may happen at any time before a weight changes. The operators'
    /// part rounds down to whole shares per weight. `rest` is the treasury's; not `fresh`: there was nothing to divide.
    function _divided() private view returns (Totals memory totals, uint256 rest, bool fresh) {
        totals = _totals;
        uint256 minted = token.totalFeeShares() / SHARES_PER_UNIT;
        if (minted == totals.divided) return (totals, 0, false);
        rest = (minted - totals.divided) * SHARES_PER_UNIT;
        totals.divided = minted.toUint88();
        uint256 totalFeeBp = _fees.totalFeeBp;
        uint256 weight = totals.weight;
        if (weight != 0 && totalFeeBp != 0) {
            uint256 part = (rest * weight) / (totalFeeBp * totals.active);
            uint256 increment = Math.min(rest, part) / weight;
            totals.sharesPerWeight += increment.toUint104();
            rest -= increment * weight;
        }
        return (totals, rest, true);
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
        // weights stay as they are, so the fees need not be divided for good
        (Totals memory totals, , ) = _divided();
        _settle(op, totals);
        shares = op.rewardShares;
        require(shares > 0, NothingToClaim(operatorId));
        op.rewardShares = 0;
        shares -= _repayDebt(operatorId, op, shares);
    }

    /// @dev Shares that the operator's present weight earned since it was last settled.
    function _unsettled(Operator storage op, uint256 sharesPerWeight) private view returns (uint256) {
        return (sharesPerWeight - op.settledAt) * op.weighted * op.feeBp;
    }
}
