// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, SHARES_PER_UNIT} from "../../../contracts/shared/Units.sol";
import {IOperatorRegistry} from "../../../contracts/validators/IOperatorRegistry.sol";
import {KeyBooks} from "./KeyBooks.sol";
import {Refusals} from "./Refusals.sol";

/// @notice Books of bonds, debts and rewards.
abstract contract OperatorBooks is KeyBooks {
    using Refusals for Refusals.Causes;

    struct OperatorBook {
        uint256 bond; // shares
        uint256 rewards; // shares, unclaimed, of the fees divided so far
        uint256 ahead; // what a unit of its weight was paid of fees that nobody divided yet
        uint256 debt; // wei
        uint256 queued;
        uint256 active;
        uint256 weighted;
        uint256 frozenAt; // unix seconds; 0: not frozen
        bool inDoubt; // a penalty, a freeze or a fine came since it was last funded
        uint256 fine; // shares, locked
        uint256 fineExpiresAt; // unix seconds
    }

    /// @dev Fees are divided, in whole units of 1e9 shares, when weights or the fee change, or the treasury is paid.
    struct FeeBook {
        uint256 undivided; // shares
        uint256 treasury; // shares
        uint256 feeBp;
        uint256 minted; // shares, ever
        uint256 taken; // shares, ever: claimed, compounded, repaid, paid to the treasury
    }

    mapping(uint256 operatorId => OperatorBook) internal _books;
    FeeBook internal _fees = FeeBook(0, 0, 1000, 0, 0);

    function operatorBook(uint256 id) external view returns (OperatorBook memory) {
        return _books[id];
    }

    function feeBook() external view returns (FeeBook memory) {
        return _fees;
    }

    /// @return rewards of an operator and of the treasury, with what is not divided yet
    function earned(uint256 id) public view returns (uint256 rewards, uint256 treasury) {
        (uint256 each, uint256 weight) = _perWeight();
        rewards = _books[id].rewards + (each - _books[id].ahead) * _books[id].weighted * _feeBp(id);
        treasury = _fees.treasury + _divisible() - each * weight;
    }

    /// @notice Wei that an operator has at stake, and that its validators require.
    function bondOf(uint256 id) public view returns (uint256 atStake, uint256 required) {
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        atStake = (_books[id].bond * totalEther) / totalShares + _books[id].queued * 1 ether;
        uint256 count = _books[id].queued + _books[id].active;
        if (count != 0) required = _tiers[_tierOf(id)].bondFirst + (count - 1) * _tiers[_tierOf(id)].bondNext;
    }

    // --- fees ---

    /// @dev Divides the fees minted since the last time: the operators' part to each by its weight, the rest to the treasury.
    function _divide() internal {
        (uint256 each, uint256 weight) = _perWeight();
        for (uint256 id = 1; id <= OPERATORS; ++id) {
            _books[id].rewards += (each - _books[id].ahead) * _books[id].weighted * _feeBp(id);
            _books[id].ahead = 0;
        }
        uint256 fees = _divisible();
        _fees.treasury += fees - each * weight;
        _fees.undivided -= fees;
        if (each != 0) _took("operatorFee");
    }

    function _divisible() private view returns (uint256) {
        return _fees.undivided - (_fees.undivided % SHARES_PER_UNIT);
    }

    function _perWeight() private view returns (uint256 each, uint256 weight) {
        uint256 active;
        for (uint256 id = 1; id <= OPERATORS; ++id) {
            weight += _books[id].weighted * _feeBp(id);
            active += _books[id].active;
        }
        uint256 fees = _divisible();
        if (weight == 0 || _fees.feeBp == 0) return (0, weight);
        uint256 part = (fees * weight) / (_fees.feeBp * active);
        each = (part < fees ? part : fees) / weight;
    }

    function _canCollect(uint256 id) internal view returns (bool) {
        (uint256 rewards, ) = earned(id);
        return _books[id].frozenAt == 0 && rewards != 0;
    }

    /// @dev Takes an operator's rewards out of the books, debt repaid. @return what it may have
    function _collect(uint256 id) internal returns (uint256 shares_) {
        (uint256 all, ) = earned(id);
        (_books[id].ahead, ) = _perWeight();
        _books[id].rewards = 0;
        _fees.taken += all;
        return all - _repay(id, all);
    }

    // --- bonds and debts ---

    /// @dev Bond of `count` funded keys of an operator, whose weight starts.
    function _noteFunded(uint256 id, uint256 count, uint256 bondShares) internal {
        _divide();
        OperatorBook storage op = _books[id];
        op.inDoubt = false;
        op.bond += bondShares;
        op.queued -= count;
        op.active += count;
        op.weighted += count;
    }

    /// @dev `shortfall` wei are missing: from the bond to cover, the rest is a debt.
    function _penalise(uint256 id, uint256 shortfall) internal {
        if (shortfall == 0) return;
        OperatorBook storage op = _books[id];
        op.inDoubt = true;
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        uint256 owed = (shortfall * totalShares + totalEther - 1) / totalEther;
        uint256 used = owed < op.bond ? owed : op.bond;
        if (used != owed) op.debt += shortfall - (used * totalEther) / totalShares;
        op.bond -= used;
        _shares.cover += used;
        _took("penalty");
    }

    function _repay(uint256 id, uint256 available) internal returns (uint256 used) {
        OperatorBook storage op = _books[id];
        if (op.debt == 0) return 0;
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        uint256 owed = (op.debt * totalShares + totalEther - 1) / totalEther;
        used = owed < available ? owed : available;
        op.debt = used == owed ? 0 : op.debt - (used * totalEther) / totalShares;
        _shares.cover += used;
        _took("repay");
    }

    /// @dev Whether what is at stake is below 98% of the requirement, with `more` keys queued.
    function _bondLacks(uint256 id, uint256 more) internal view returns (bool) {
        (uint256 atStake, uint256 required) = bondOf(id);
        uint256 next = _tiers[_tierOf(id)].bondNext;
        bool first = _books[id].queued + _books[id].active == 0;
        if (more != 0) required = first ? _tiers[_tierOf(id)].bondFirst + (more - 1) * next : required + more * next;
        return (atStake + more * 1 ether) * BP < required * 9_800;
    }

    /// @dev Why what may only be done without freeze and debt must be refused.
    function _addUnclear(Refusals.Causes memory causes, uint256 id) internal view {
        causes.add(_books[id].frozenAt != 0, IOperatorRegistry.OperatorIsFrozen.selector);
        causes.add(_books[id].debt != 0, IOperatorRegistry.HasDebt.selector);
    }

    /// @dev Why so many shares of a bond can't be withdrawn (I8).
    function _withdrawalCauses(uint256 id, uint256 amount) internal view returns (Refusals.Causes memory causes) {
        _addUnclear(causes, id);
        causes.add(amount > _books[id].bond, IOperatorRegistry.SharesExceedBond.selector);
        if (amount > _books[id].bond) return causes;
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        (, uint256 required) = bondOf(id);
        uint256 atStake = ((_books[id].bond - amount) * totalEther) / totalShares + _books[id].queued * 1 ether;
        causes.add(atStake < required, IOperatorRegistry.BondTooSmall.selector);
    }

    function _operator(uint256 seed) internal pure returns (uint256) {
        return 1 + (seed % OPERATORS);
    }
}
