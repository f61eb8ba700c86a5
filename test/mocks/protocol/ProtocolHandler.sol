// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bonds} from "./Bonds.sol";
import {Exits} from "./Exits.sol";
import {FAR_FUTURE_EPOCH} from "../../../contracts/shared/Units.sol";
import {Finalisers} from "./Finalisers.sol";
import {Governance} from "./Governance.sol";
import {IEtherVault} from "../../../contracts/shared/IEtherVault.sol";
import {IOperatorRegistry} from "../../../contracts/validators/IOperatorRegistry.sol";
import {IStakedEther} from "../../../contracts/token/IStakedEther.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {IValidatorExits} from "../../../contracts/validators/IValidatorExits.sol";
import {IValidatorRegistry} from "../../../contracts/validators/IValidatorRegistry.sol";
import {IWithdrawalQueue} from "../../../contracts/withdrawals/IWithdrawalQueue.sol";
import {IWithdrawalVault} from "../../../contracts/withdrawals/IWithdrawalVault.sol";
import {Operators} from "./Operators.sol";
import {ReentrantStaker} from "../ReentrantStaker.sol";
import {Refusals} from "./Refusals.sol";
import {Stakers} from "./Stakers.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice Everybody at once: stakers, operators, keepers, beacon chain, committee and, here, attackers. It is the pool's
/// oracle and the authority's admin.
contract ProtocolHandler is Stakers, Operators, Exits, Finalisers, Bonds, Governance {
    using Refusals for Refusals.Causes;

    constructor() {
        _addActor(address(new ReentrantStaker(this, _c.queue)));
    }

    receive() external payable {}

    // --- attackers ---

    /// @notice I11: shares given away move no rate.
    function donateShares(uint256 who, uint256 amount, uint256 target) external keepsRate keepsShares {
        address actor = _actor(who);
        amount = bound(amount, 0, _c.token.sharesOf(actor) / 4);
        address[5] memory targets = [
            address(_c.pool),
            address(_c.queue),
            address(_c.wrapped),
            address(_c.operators),
            address(_c.rewardsVault)
        ];
        vm.prank(actor);
        uint256 value = _c.token.transferShares(targets[target % 5], amount);
        if (target % 5 == 1) _shares.donatedToQueue += amount;
        if (target % 5 == 3) _shares.donatedToOperators += amount;
        credit[actor] -= int256(value);
        _took("donateShares");
    }

    /// @notice I11: forced ether moves no rate; in a vault it is a gain of the next report, within its limit.
    function forceEther(uint256 amount, uint256 target) external keepsRate keepsShares {
        amount = bound(amount, 0, target % 40 == 0 ? 30_000_000 ether : 100 ether);
        target = (target / 40) % 4;
        if (target == 0) {
            vm.deal(address(_c.pool), address(_c.pool).balance + amount);
            _cash.forcedToPool += amount;
        } else if (target == 1) {
            vm.deal(address(_c.queue), address(_c.queue).balance + amount);
            _cash.forcedToQueue += amount;
        } else {
            address vault = target == 2 ? address(_c.rewardsVault) : address(_c.withdrawalVault);
            if (vault.balance + amount <= 120_000_000 ether) _give(vault, amount); // all the ether there is
        }
        _took("forceEther");
    }

    /// @notice What belongs to peers is refused to anybody else.
    function trespass(uint256 who, uint256 what, uint256 amount) external keepsRate keepsShares {
        address actor = _actor(who);
        amount = bound(amount, 1, 1e24);
        Refusals.Causes memory causes;
        (address target, bytes memory data, bytes4 cause) = _trespass(what % 20, amount);
        causes.add(true, cause);
        vm.prank(actor);
        (bool done, bytes memory reason) = target.call(data);
        causes.judge(done, reason);
        _took("trespass");
    }

    // --- many steps at once ---

    /// @notice The buffer goes to validators, everybody leaves, a report pays what there is, and more comes in later.
    function bankRun(uint256 seed, uint256 amount, uint256 incident) external {
        _grow(_operator(seed), 20);
        _fund(seed << 4, 0);
        for (uint256 i; i < ACTORS; ++i)
            _requestEther(actors[i], (seed >> i) % 4 == 0 ? amount : type(uint256).max, seed);
        passReference(1, 1 + (seed % 3 hours));
        reportLatest(incident);
        this.inPieces(amount, seed, seed);
        for (uint256 i; i < 3; ++i) {
            _deposit(_actor(seed / 2 + i), 1 + (uint256(keccak256(abi.encode(amount, i))) % 60 ether), 2);
            _continue(seed / 3);
        }
        if (seed % 2 == 0) this.slashThenContinue(seed, amount);
        _took("bankRun");
    }

    /// @notice Two operators bring validators, some days apart; everybody leaves, and those old enough are asked to exit, one after
    /// the other, and do.
    function exodus(uint256 seed, uint256 amount) external {
        for (uint256 i; i < 2; ++i) {
            _deposit(_actor(seed / 5), 1 + (amount % 400 ether), 2);
            _grow(_operator((seed >> i) / 3), 1 + (seed % 4));
            _fund(seed << 4, 0);
            _days(((seed / 7) >> (4 * i)) % 5, seed);
        }
        for (uint256 i; i < ACTORS; ++i) _requestEther(actors[i], type(uint256).max, seed);
        for (uint256 i; i < 6; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, amount, i)));
            Try memory t = _newTry(dice, dice >> 8);
            _chooseTurn(t, 0, dice);
            _requestExit(t, 0);
            if (dice % 3 != 0 && t.id < _keys.length && _keys[t.id].askedAt != 0) _exitOnChain(t.id);
        }
        vm.warp(block.timestamp + 2 hours);
        for (uint256 i; i < 3; ++i) {
            this.proveExiting(amount >> i, 0);
            this.proveWithdrawn(amount >> i, seed >> i, seed >> i);
        }
        _took("exodus");
    }

    /// @notice Validators of one operator leave with nothing, and use up its bond; it pays the debt back later.
    function ruin(uint256 seed, uint256 amount, bool claims) external {
        uint256 operatorId = _operator(seed);
        uint256 most = 1 + (seed % 4);
        for (uint256 id; id < _keys.length && most != 0; ++id) {
            if (_keys[id].operatorId != operatorId || _keys[id].status != IValidatorExits.Status.Active) continue;
            if (_keys[id].exitEpoch == FAR_FUTURE_EPOCH) _exitOnChain(id);
            --most;
        }
        vm.warp(block.timestamp + 2 hours);
        for (uint256 id; id < _keys.length && _books[operatorId].debt == 0; ++id) {
            if (_keys[id].operatorId != operatorId || _keys[id].status != IValidatorExits.Status.Active) continue;
            if (_keys[id].withdrawableEpoch <= _epochNow() + 1) _proveWithdrawn(id, 0, 0);
        }
        if (claims) this.claimRewards(seed);
        _addBond(operatorId, bound(amount, 1, 60 ether));
        _took("ruin");
    }

    /// @notice An operator brings new keys, proven at once, and a bond for them.
    function grow(uint256 who, uint256 count) external {
        _grow(_operator(who), 1 + (count % 8));
    }

    /// @notice Called by the reentrant staker while a claim pays it.
    function reenter(uint256 seed) external {
        if (msg.sender != actors[ACTORS - 1]) return;
        if (seed % 2 == 0) _deposit(msg.sender, 1 + (seed % 10 ether), seed / 2);
        if (seed % 3 == 0) _continue(seed);
        if (seed % 5 == 0) _requestEther(msg.sender, seed, 0);
        if (seed % 7 == 0) _requestWrapped(msg.sender, seed);
        _took("reenter");
    }

    // --- internal ---

    function _days(uint256 count, uint256 seed) private {
        for (uint256 i; i < count; ++i) {
            passReference(1, 1 + (seed % 2 hours));
            reportLatest(1);
        }
    }

    function _grow(uint256 operatorId, uint256 count) private {
        _addBond(operatorId, 2 ether * count);
        uint256 from = _keys.length;
        _predeposit(operatorId, count, 0, 0);
        uint256[] memory ids = new uint256[](_keys.length - from);
        if (ids.length == 0) return;
        for (uint256 i; i < ids.length; ++i) ids[i] = from + i;
        _prove(ids, 0);
    }

    function _trespass(
        uint256 what,
        uint256 amount
    ) private view returns (address target, bytes memory data, bytes4 cause) {
        if (what >= 9) return _trespassRegistries(what, amount);
        (target, cause) = (address(_c.pool), IStakingPool.OnlyValidators.selector);
        if (what == 0) data = abi.encodeCall(IStakingPool.fundValidators, (new bytes[](1)));
        if (what == 1) data = abi.encodeCall(IStakingPool.noteSlashing, (amount));
        if (what == 2)
            (data, cause) = (abi.encodeCall(IStakingPool.addCover, (amount)), IStakingPool.OnlyOperators.selector);
        if (what == 3)
            (data, cause) = (abi.encodeCall(IStakingPool.handOver, (actors[0])), IStakingPool.OnlyToken.selector);
        if (what >= 4) (target, cause) = (address(_c.token), IStakedEther.OnlyPool.selector);
        if (what == 4) data = abi.encodeCall(_c.token.mint, (actors[0], amount));
        if (what == 5) data = abi.encodeCall(_c.token.payWithdrawals, (amount, amount));
        if (what == 6)
            (data, cause) = (
                abi.encodeCall(_c.token.pullToQueue, (actors[0], amount)),
                IStakedEther.OnlyQueue.selector
            );
        if (what == 7) (target, cause) = (address(_c.queue), IWithdrawalQueue.OnlyPool.selector);
        if (what == 7) data = abi.encodeCall(_c.queue.finalise, (1e27, amount, amount));
        if (what == 8) (target, cause) = (address(_c.rewardsVault), IEtherVault.OnlyPool.selector);
        if (what == 8) data = abi.encodeCall(_c.rewardsVault.sweep, (0));
    }

    function _trespassRegistries(
        uint256 what,
        uint256 amount
    ) private view returns (address target, bytes memory data, bytes4 cause) {
        (target, cause) = (address(_c.operators), IOperatorRegistry.OnlyValidators.selector);
        uint256 id = _operator(amount);
        if (what == 9) data = abi.encodeCall(IOperatorRegistry.onProven, (id));
        if (what == 10) data = abi.encodeCall(IOperatorRegistry.onFunded, (id, 0, amount));
        if (what == 11) data = abi.encodeCall(IOperatorRegistry.onWeightStopped, (id));
        if (what == 12) data = abi.encodeCall(IOperatorRegistry.onWithdrawn, (id, amount));
        if (what == 13) data = abi.encodeCall(IOperatorRegistry.onLateShortfall, (id, amount));
        if (what == 14) data = abi.encodeCall(IOperatorRegistry.onSlashed, (id));
        if (what == 15) data = abi.encodeCall(IOperatorRegistry.onDropped, (id));
        if (what == 16) (target, cause) = (address(_c.validators), IValidatorRegistry.OnlyOperators.selector);
        if (what == 16) data = abi.encodeCall(IValidatorRegistry.onTierSet, (amount % TIERS, 0, 0));
        if (what == 17) (target, cause) = (address(_c.withdrawalVault), IWithdrawalVault.OnlyValidators.selector);
        if (what == 17) data = abi.encodeCall(IWithdrawalVault.requestExits, (new bytes[](1), actors[0]));
        if (what == 18) (target, cause) = (address(_c.pool), IStakingPool.OnlyOracle.selector);
        if (what == 18) data = abi.encodeCall(IStakingPool.hold, ());
        if (what == 19) (target, cause) = (address(_c.pool), IStakingPool.OnlyQueue.selector);
        if (what == 19) data = abi.encodeCall(IStakingPool.payQueue, (amount));
    }
}
