// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ShareMath} from "../shared/ShareMath.sol";
import {SHARES_PER_UNIT} from "../shared/Units.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IWrappedStakedEther} from "../token/IWrappedStakedEther.sol";
import {BondCurve} from "./BondCurve.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {OperatorTable} from "./OperatorTable.sol";

/// @title OperatorBonds
/// @notice Bonds are shares on this contract's estETH account: they earn and bear losses as everybody's. A penalty moves
/// bond shares to the queue's account as cover; what the bond lacks is a debt in wei, repaid first from whatever is added.
///
/// FINES. A guardian may lock a part of the bond, at most all of it, with a hash of its evidence (stolen MEV). Governance
/// confirms the fine within thirty days, and it becomes cover; or it is cancelled, or lapses, and goes back.
abstract contract OperatorBonds is OperatorTable {
    using SafeCast for uint256;

    /// @dev Longer than a vote and its delay.
    uint256 public constant FINE_LIFETIME = 30 days;

    /// @inheritdoc IOperatorRegistry
    IWrappedStakedEther public immutable wrapped;

    /// @dev Shares that are neither bond nor cover yet; on this contract's account all the same.
    mapping(uint256 operatorId => Fine) private _fines;

    /// @param validators_ the validator registry's proxy, whose address is known before it is there (RegistryProxies)
    constructor(
        IStakedEther token_,
        IWrappedStakedEther wrapped_,
        address validators_
    ) OperatorTable(token_, validators_) {
        wrapped = wrapped_;
    }

    // --- bonds ---

    /// @inheritdoc IOperatorRegistry
    function addBond(uint256 operatorId) external payable {
        _known(operatorId);
        require(msg.value > 0, ZeroAmount());
        _addBond(operatorId, _pool().deposit{value: msg.value}(address(this), address(0)));
    }

    /// @inheritdoc IOperatorRegistry
    function addBondShares(uint256 operatorId, uint256 shares) external {
        _known(operatorId);
        require(shares > 0, ZeroAmount());
        token.transferSharesFrom(msg.sender, address(this), shares);
        _addBond(operatorId, shares);
    }

    /// @inheritdoc IOperatorRegistry
    function addBondWrapped(uint256 operatorId, uint256 amount) external {
        _known(operatorId);
        require(amount > 0, ZeroAmount());
        wrapped.transferFrom(msg.sender, address(this), amount);
        wrapped.unwrap(amount);
        _addBond(operatorId, amount * SHARES_PER_UNIT);
    }

    /// @inheritdoc IOperatorRegistry
    function withdrawBond(uint256 operatorId, uint256 shares, address to) external {
        _withdrawBond(operatorId, shares, to);
        token.transferShares(to, shares);
    }

    /// @inheritdoc IOperatorRegistry
    function withdrawBondWrapped(uint256 operatorId, uint256 amount, address to) external {
        _withdrawBond(operatorId, amount * SHARES_PER_UNIT, to);
        wrapped.mint(amount, to);
    }

    // --- fines ---

    /// @inheritdoc IOperatorRegistry
    function lockFine(uint256 operatorId, uint256 amount, bytes32 evidence) external restricted {
        Operator storage op = _known(operatorId);
        require(amount > 0, ZeroAmount());
        require(_fines[operatorId].shares == 0, FineOpen(operatorId, _fines[operatorId].expiresAt));
        (uint256 totalEther, uint256 totalShares) = token.totals();
        uint256 bond = ShareMath.toEtherDown(op.bondShares, totalEther, totalShares);
        // rounded down against rounded up: of the last wei the shares may be one unit more than the bond has
        require(amount <= bond, FineAboveBond(operatorId, amount, bond));
        uint256 shares = Math.min(ShareMath.toSharesUp(amount, totalEther, totalShares), op.bondShares);
        op.bondShares -= uint128(shares);
        op.inDoubt = true;
        _fines[operatorId] = Fine(uint128(shares), uint40(block.timestamp + FINE_LIFETIME));
        emit FineLocked(operatorId, amount, shares, evidence);
    }

    /// @inheritdoc IOperatorRegistry
    function confirmFine(uint256 operatorId) external restricted {
        Fine memory fine = _takeFine(operatorId);
        require(block.timestamp <= fine.expiresAt, FineLapsed(operatorId, fine.expiresAt));
        emit FineConfirmed(operatorId, fine.shares);
        _moveToCover(fine.shares);
    }

    /// @inheritdoc IOperatorRegistry
    function cancelFine(uint256 operatorId) external restricted {
        _releaseFine(operatorId, _takeFine(operatorId));
    }

    /// @inheritdoc IOperatorRegistry
    function releaseFine(uint256 operatorId) external {
        Fine memory fine = _takeFine(operatorId);
        require(block.timestamp > fine.expiresAt, FineOpen(operatorId, fine.expiresAt));
        _releaseFine(operatorId, fine);
    }

    // --- views ---

    /// @inheritdoc IOperatorRegistry
    function bondOf(uint256 operatorId) external view returns (uint256 bond, uint256 required) {
        return _bond(_known(operatorId));
    }

    /// @inheritdoc IOperatorRegistry
    function freeBond(uint256 operatorId) external view returns (uint256) {
        Operator storage op = _known(operatorId);
        (uint256 bond, uint256 required) = _bond(op);
        if (op.frozen || op.debt != 0 || bond <= required) return 0;
        (uint256 totalEther, uint256 totalShares) = token.totals();
        // what stays must be worth the requirement, rounded down
        uint256 kept = Math.saturatingSub(required, BondCurve.atStake(0, op.queued));
        return Math.saturatingSub(op.bondShares, ShareMath.toSharesUp(kept, totalEther, totalShares));
    }

    /// @inheritdoc IOperatorRegistry
    function fineOf(uint256 operatorId) external view returns (Fine memory) {
        return _fines[operatorId];
    }

    // --- internal ---

    /// @dev Adds shares that this contract has already; debt is repaid from them first.
    function _addBond(uint256 operatorId, uint256 shares) internal {
        Operator storage op = _operators[operatorId];
        shares -= _repayDebt(operatorId, op, shares);
        op.bondShares += shares.toUint128();
        emit BondAdded(operatorId, shares);
    }

    /// @dev Takes free shares out of the bond: the rest must be worth the whole requirement. The caller sends them.
    function _withdrawBond(uint256 operatorId, uint256 shares, address to) private {
        Operator storage op = _owned(operatorId);
        require(shares > 0, ZeroAmount());
        require(!op.frozen, OperatorIsFrozen(operatorId));
        require(op.debt == 0, HasDebt(operatorId, op.debt));
        require(shares <= op.bondShares, SharesExceedBond(operatorId, shares, op.bondShares));
        op.bondShares -= uint128(shares);
        (uint256 bond, uint256 required) = _bond(op);
        require(bond >= required, BondTooSmall(operatorId, bond, required));
        emit BondWithdrawn(operatorId, to, shares);
    }

    /// @dev Ends a fine; what becomes of its shares is the caller's.
    function _takeFine(uint256 operatorId) private returns (Fine memory fine) {
        fine = _fines[operatorId];
        require(fine.shares != 0, NoFine(operatorId));
        delete _fines[operatorId];
    }

    /// @dev The shares go back to the bond, debt repaid first.
    function _releaseFine(uint256 operatorId, Fine memory fine) private {
        emit FineReleased(operatorId, fine.shares);
        _addBond(operatorId, fine.shares);
    }

    /// @dev `amount` wei in bond shares, rounded up, to cover; what the bond lacks becomes debt, rounded up.
    function _takePenalty(uint256 operatorId, Operator storage op, uint256 amount) internal {
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
    function _repayDebt(uint256 operatorId, Operator storage op, uint256 available) internal returns (uint256 used) {
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

    /// @dev Bond shares become cover, which reports burn: they raise the rate of all others.
    function _moveToCover(uint256 shares) internal {
        if (shares == 0) return;
        token.transferShares(token.queue(), shares);
        _pool().addCover(shares);
    }

    /// @dev Neither frozen nor in debt.
    function _requireClear(uint256 operatorId, Operator storage op) internal view {
        require(!op.frozen, OperatorIsFrozen(operatorId));
        require(op.debt == 0, HasDebt(operatorId, op.debt));
    }

    /// @dev The bond must reach 98% of what the operator's queued and active validators require.
    function _requireBond(uint256 operatorId, Operator storage op) internal view {
        (uint256 bond, uint256 required) = _bond(op);
        required = BondCurve.passMark(required);
        require(bond >= required, BondTooSmall(operatorId, bond, required));
    }

    /// @dev Wei at stake, rounded down, and wei required, for all queued and active validators.
    function _bond(Operator storage op) internal view returns (uint256 bond, uint256 required) {
        (uint256 totalEther, uint256 totalShares) = token.totals();
        uint256 queued = op.queued;
        bond = BondCurve.atStake(ShareMath.toEtherDown(op.bondShares, totalEther, totalShares), queued);
        Tier storage terms = _tiers[op.tier];
        required = BondCurve.required(terms.bondFirst, terms.bondNext, queued + op.active);
    }
}
