// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SHARES_PER_UNIT, TOP_UP} from "../../../contracts/shared/Units.sol";
import {IOperatorRegistry} from "../../../contracts/validators/IOperatorRegistry.sol";
import {ProtocolWorld} from "./ProtocolWorld.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice What operators do, and what is proven of their validators; books of bonds and rewards of their own.
abstract contract Operators is ProtocolWorld {
    struct OperatorBook {
        uint256 bond; // shares
        uint256 rewards; // shares, unclaimed, of the fees divided so far
        uint256 ahead; // what a unit of its weight was paid of fees that nobody divided yet
        uint256 debt; // wei
        uint256 queued;
        uint256 active;
        uint256 weighted;
        bool frozen;
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

    function payTreasury() external keepsRate keepsShares {
        _divide();
        uint256 before = _c.token.sharesOf(_c.treasury);
        _c.operators.payTreasury();
        assertEq(_c.token.sharesOf(_c.treasury) - before, _fees.treasury, "the treasury's part");
        if (_fees.treasury != 0) _took("payTreasury");
        _fees.taken += _fees.treasury;
        _fees.treasury = 0;
    }

    function addBond(uint256 who, uint256 amount) external keepsRate {
        uint256 id = _operator(who);
        amount = bound(amount, 1, 60 ether);
        if (!_canDeposit(amount)) return;
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        uint256 minted = (amount * totalShares) / totalEther;
        vm.deal(address(0xfeed), amount);
        vm.prank(address(0xfeed));
        _c.operators.addBond{value: amount}(id);
        _cash.deposited += amount;
        _books[id].bond += minted - _repay(id, minted);
        _took("addBond");
    }

    /// @notice I8: what may be withdrawn leaves the whole requirement of proven validators.
    function withdrawBond(uint256 who, uint256 amount) external keepsRate keepsShares {
        uint256 id = _operator(who);
        OperatorBook storage op = _books[id];
        if (op.bond == 0) return;
        amount = bound(amount, 1, op.bond);
        vm.prank(_owner(id));
        try _c.operators.withdrawBond(id, amount, address(0xb0bd)) {
            _bondWithdrawn(id, amount);
            _took("withdrawBond");
        } catch (bytes memory reason) {
            _expectBondRefusal(reason);
            _took("withdrawBondInVain");
        }
    }

    function claimRewards(uint256 who) external keepsRate keepsShares {
        uint256 id = _operator(who);
        address owner = _owner(id);
        if (!_canCollect(id)) return;
        uint256 before = _c.token.sharesOf(owner);
        uint256 rewards = _collect(id);
        vm.prank(owner);
        _c.operators.claimRewards(id, owner);
        assertEq(_c.token.sharesOf(owner) - before, rewards, "rewards by weight, debt repaid first");
        _took("claimRewards");
    }

    function prove(uint256 who, uint256 count) external keepsRate keepsShares {
        uint256 id = _operator(who);
        for (count = 1 + (count % 24); count != 0; --count) {
            try _c.validators.prove(id) {
                ++_books[id].queued;
                _took("prove");
            } catch (bytes memory reason) {
                _expectBondRefusal(reason);
                return;
            }
        }
    }

    function drop(uint256 who) external keepsRate keepsShares {
        uint256 id = _operator(who);
        if (_books[id].queued == 0) return;
        try _c.validators.drop(id) {
            --_books[id].queued;
            _took("drop");
        } catch (bytes memory reason) {
            require(bytes4(reason) == IOperatorRegistry.BondSuffices.selector, UnexpectedRefusal(reason));
        }
    }

    /// @notice Funds queued validators of one operator, then of the next.
    function fund(uint256 who, uint256 count) external keepsRate {
        _fund(who, count);
    }

    function stopWeight(uint256 who) external keepsRate keepsShares {
        uint256 id = _operator(who);
        if (_books[id].weighted == 0) return;
        _c.validators.stopWeight(id);
        _divide();
        --_books[id].weighted;
        _took("stopWeight");
    }

    /// @notice A validator leaves with `shortfall` wei missing: from the bond to cover, the rest is a debt.
    function withdrawn(uint256 who, uint256 shortfall, bool whole) external keepsRate keepsShares {
        uint256 id = _operator(who);
        OperatorBook storage op = _books[id];
        if (op.active == 0) return;
        if (op.weighted == op.active) {
            _c.validators.stopWeight(id);
            _divide();
            --op.weighted;
        }
        _divide();
        shortfall = whole ? 0 : bound(shortfall, 1, 32 ether);
        _c.validators.withdrawn(id, shortfall);
        --op.active;
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        uint256 owed = (shortfall * totalShares + totalEther - 1) / totalEther;
        uint256 used = owed < op.bond ? owed : op.bond;
        if (used != owed) op.debt += shortfall - (used * totalEther) / totalShares;
        op.bond -= used;
        _shares.cover += used;
        _took(used == 0 ? bytes32("withdrawn") : bytes32("penalty"));
    }

    function slashed(uint256 who, uint256 ago) external keepsRate keepsShares {
        uint256 id = _operator(who);
        if (_books[id].active == 0) return;
        _slash(id, block.timestamp - bound(ago, 0, 3 hours));
    }

    function unfreeze(uint256 who) external keepsRate keepsShares {
        uint256 id = _operator(who);
        if (!_books[id].frozen) return;
        _c.operators.unfreeze(id);
        _books[id].frozen = false;
    }

    // --- internal ---

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

    function _fund(uint256 who, uint256 count) internal {
        uint256 room = _c.pool.depositable() / TOP_UP;
        if (room > 64) room = 64;
        uint256[] memory ids = _queued(_operator(who), count % 2 == 0 || room < 8 ? room : bound(count, 1, 8));
        if (ids.length == 0) return;
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        uint256 minted = (ids.length * 1 ether * totalShares) / totalEther;
        uint256 sent = address(_c.deposits).balance;
        try _c.validators.fund(ids) returns (uint256 bondShares) {
            assertEq(bondShares, minted, "bond of the predeposits at the current rate");
            _creditBonds(ids, minted);
            _cash.bonds += ids.length * 1 ether;
            _beacon.funded += ids.length;
            _beacon.cl += ids.length * 32 ether;
            assertEq(address(_c.deposits).balance - sent, ids.length * TOP_UP, "I7: 31 ETH a validator");
            _took("fund");
        } catch (bytes memory reason) {
            _expectBondRefusal(reason);
        }
    }

    function _slash(uint256 id, uint256 time) internal {
        _c.validators.slashed(id, time);
        _books[id].frozen = true;
        if (time > _beacon.slashingTime) _beacon.slashingTime = time;
        _took("slashed");
    }

    function _canCollect(uint256 id) internal view returns (bool) {
        (uint256 rewards, ) = earned(id);
        return !_books[id].frozen && rewards != 0;
    }

    /// @dev Takes an operator's rewards out of the books, debt repaid. @return what it may have
    function _collect(uint256 id) internal returns (uint256 shares_) {
        (uint256 all, ) = earned(id);
        (_books[id].ahead, ) = _perWeight();
        _books[id].rewards = 0;
        _fees.taken += all;
        return all - _repay(id, all);
    }

    /// @dev I8 of one withdrawal.
    function _bondWithdrawn(uint256 id, uint256 amount) internal {
        OperatorBook storage op = _books[id];
        op.bond -= amount;
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        uint256 atStake = (op.bond * totalEther) / totalShares + op.queued * 1 ether;
        assertGe(atStake, _required(id), "I8: withdrawn below the requirement");
        assertTrue(!op.frozen && op.debt == 0, "I8: withdrawn though frozen or in debt");
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

    function _creditBonds(uint256[] memory ids, uint256 minted) private {
        _divide();
        for (uint256 i; i < ids.length; ++i) {
            OperatorBook storage op = _books[ids[i]];
            op.bond += minted / ids.length + (i == 0 ? minted % ids.length : 0);
            --op.queued;
            ++op.active;
            ++op.weighted;
        }
    }

    function _queued(uint256 first, uint256 most) private view returns (uint256[] memory ids) {
        uint256[] memory found = new uint256[](most);
        uint256 count;
        for (uint256 i; i < OPERATORS; ++i) {
            uint256 id = 1 + ((first - 1 + i) % OPERATORS);
            for (uint256 k; k < _books[id].queued && count < most; ++k) found[count++] = id;
        }
        ids = new uint256[](count);
        for (uint256 i; i < count; ++i) ids[i] = found[i];
    }

    function _required(uint256 id) private view returns (uint256) {
        uint256 count = _books[id].queued + _books[id].active;
        if (count == 0) return 0;
        return [uint256(1 ether), 2.4 ether, 4 ether][id - 1] + (count - 1) * (1 ether + (id - 1) * 0.3 ether);
    }

    function _feeBp(uint256 id) private pure returns (uint256) {
        return [uint256(500), 700, 1500][id - 1];
    }

    function _expectBondRefusal(bytes memory reason) internal pure {
        bytes4 name = bytes4(reason);
        bool expected =
            name == IOperatorRegistry.BondTooSmall.selector ||
                name == IOperatorRegistry.OperatorIsFrozen.selector ||
                name == IOperatorRegistry.HasDebt.selector;
        require(expected, UnexpectedRefusal(reason));
    }

    function _operator(uint256 seed) internal pure returns (uint256) {
        return 1 + (seed % OPERATORS);
    }

    function _owner(uint256 id) internal returns (address) {
        return account(string.concat("operator ", vm.toString(id)));
    }
}
