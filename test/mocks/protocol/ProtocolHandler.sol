// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bonds} from "./Bonds.sol";
import {CommitteeRole} from "./CommitteeRole.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {ReentrantStaker} from "../ReentrantStaker.sol";
import {Stakers} from "./Stakers.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice Everybody at once: stakers, operators, keepers, beacon chain, committee and, here, attackers. It is the pool's
/// oracle and the authority's admin.
contract ProtocolHandler is Stakers, CommitteeRole, Bonds {
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
        amount = bound(amount, 0, target % 5 == 0 ? 30_000_000 ether : 100 ether);
        target = (target / 5) % 4;
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
        (address target, bytes memory data) = _trespass(what % 9, amount);
        vm.prank(actor);
        (bool done, ) = target.call(data);
        assertFalse(done, "somebody may do what only a peer may");
        _took("trespass");
    }

    /// @notice The buffer goes to validators, everybody leaves, a report pays what there is, and more comes in later.
    function bankRun(uint256 seed, uint256 amount, uint256 incident) external {
        this.addBond(seed, 60 ether);
        this.prove(seed, 23);
        this.fund(seed, 0);
        for (uint256 i; i < ACTORS; ++i)
            _requestEther(actors[i], (seed >> i) % 4 == 0 ? amount : type(uint256).max, seed);
        passReference(1, 1 + (seed % 3 hours));
        reportLatest(incident);
        this.inPieces(amount, seed, seed);
        for (uint256 i; i < 3; ++i) {
            _deposit(_actor(seed / 2 + i), 1 + (uint256(keccak256(abi.encode(amount, i))) % 60 ether), 2);
            _continue(seed / 3);
        }
        this.slashThenContinue(seed);
        _took("bankRun");
    }

    /// @notice Validators of one operator leave with nothing until its bond is used up; it pays the debt back later.
    function ruin(uint256 seed, uint256 amount, bool claims) external {
        uint256 id = _operator(seed);
        for (uint256 i; i < 12 && _books[id].active != 0 && _books[id].debt == 0; ++i) {
            this.withdrawn(seed, type(uint256).max, false);
        }
        if (claims) this.claimRewards(seed);
        this.addBond(seed, amount);
        _took("ruin");
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

    function _trespass(uint256 what, uint256 amount) private view returns (address target, bytes memory data) {
        target = address(_c.pool);
        if (what == 0) data = abi.encodeCall(IStakingPool.fundValidators, (new bytes(48)));
        if (what == 1) data = abi.encodeCall(IStakingPool.noteSlashing, (amount));
        if (what == 2) data = abi.encodeCall(IStakingPool.addCover, (amount));
        if (what == 3) data = abi.encodeCall(IStakingPool.handOver, (actors[0]));
        if (what == 4) (target, data) = (address(_c.token), abi.encodeCall(_c.token.mint, (actors[0], amount)));
        if (what == 5) (target, data) = (address(_c.token), abi.encodeCall(_c.token.payWithdrawals, (amount, amount)));
        if (what == 6) (target, data) = (address(_c.token), abi.encodeCall(_c.token.pullToQueue, (actors[0], amount)));
        if (what == 7) (target, data) = (address(_c.queue), abi.encodeCall(_c.queue.finalise, (1e27, amount, amount)));
        if (what == 8) (target, data) = (address(_c.rewardsVault), abi.encodeCall(_c.rewardsVault.sweep, (0)));
    }
}
