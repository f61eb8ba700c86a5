// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStakingPool} from "../../contracts/pool/IStakingPool.sol";
import {StakedEther} from "../../contracts/token/StakedEther.sol";
import {StakingPool} from "../../contracts/pool/StakingPool.sol";
import {Test} from "../helpers/Test.sol";
import {WithdrawalQueue} from "../../contracts/withdrawals/WithdrawalQueue.sol";
import {WrappedStakedEther} from "../../contracts/token/WrappedStakedEther.sol";
import {vm} from "../helpers/Vm.sol";

/// @notice Stakers, keepers, committee, beacon chain and attackers in one: it is the pool's oracle and validator registry
/// (proofs can't be made in Solidity), plays the beacon chain in ghost variables, and keeps its own books.
contract LedgerHandler is Test {
    error RateMoved(uint256 ether0, uint256 shares0, uint256 ether1, uint256 shares1);
    error PaidWrongly(uint256 id, uint256 paid, uint256 shown, uint256 atOpening);
    error RefusedReportActed();

    /// @dev What the beacon chain and the vaults held at a reference time.
    struct Snapshot {
        uint256 refTime;
        uint256 cl;
        uint256 withdrawals; // vault balance
        uint256 rewards; // vault balance
        uint256 validators;
        uint256 received; // by both vaults, ever
    }

    uint256 internal constant FRAME = 1 days;
    uint256 internal constant MARGIN = 1 hours;
    uint256 internal constant GRACE = 6 hours;
    uint256 internal constant ACTORS = 4;

    StakedEther public token;
    WrappedStakedEther public wrapped;
    StakingPool public pool;
    WithdrawalQueue public queue;
    address[] public actors;
    uint256[] public open; // unclaimed requests

    uint256 public deposited; // wei staked, ever
    uint256 public bonds; // wei of operators, credited
    uint256 public claimed; // wei
    uint256 public forcedToPool;
    uint256 public forcedToQueue;
    uint256 public validators; // funded, ever
    uint256 public cl; // wei at validators
    uint256 public received; // wei by both vaults, ever
    uint256 public reports;
    Snapshot public lastReported;
    Snapshot[] internal _pending;
    uint256 internal _lastRefTime;

    receive() external payable {}

    /// @dev A user operation moves the rate up by rounding only: at most a wei or two of the total.
    modifier keepsRate() {
        (uint256 ether0, uint256 shares0) = token.totals();
        _;
        (uint256 ether1, uint256 shares1) = token.totals();
        bool fell = ether1 * shares0 < ether0 * shares1;
        bool rose = (ether1 * shares0) / shares1 > ether0 + 2;
        require(!fell && !rose, RateMoved(ether0, shares0, ether1, shares1));
    }

    function start(StakedEther token_, WrappedStakedEther wrapped_, StakingPool pool_, uint256 locked) external {
        if (address(token) != address(0)) return; // the fuzzer calls this as well
        (token, wrapped, pool) = (token_, wrapped_, pool_);
        queue = WithdrawalQueue(payable(token_.queue()));
        deposited = locked;
        _lastRefTime = block.timestamp;
        for (uint256 i; i < ACTORS; ++i) {
            actors.push(account(string.concat("actor ", vm.toString(i))));
            vm.prank(actors[i]);
            token.approve(address(wrapped), type(uint256).max);
        }
    }

    function openCount() external view returns (uint256) {
        return open.length;
    }

    // --- stakers ---

    function deposit(uint256 who, uint256 amount) external keepsRate {
        amount = bound(amount, 1, 5_000 ether);
        if (!_canDeposit(amount)) return;
        address actor = _actor(who);
        vm.deal(actor, amount);
        vm.prank(actor);
        if (who % 3 == 0) {
            (bool sent, ) = address(pool).call{value: amount}("");
            assertTrue(sent, "plain transfer");
        } else if (who % 3 == 1 || amount < 10) {
            pool.deposit{value: amount}(actor, address(0));
        } else {
            wrapped.stake{value: amount}(actor, address(0));
        }
        deposited += amount;
    }

    function transfer(uint256 from, uint256 to, uint256 amount) external keepsRate {
        address sender = _actor(from);
        amount = bound(amount, 0, token.balanceOf(sender));
        vm.prank(sender);
        token.transfer(_actor(to), amount);
    }

    function wrapOrUnwrap(uint256 who, uint256 amount) external keepsRate {
        address actor = _actor(who);
        if (who % 2 == 0) {
            uint256 balance = token.balanceOf(actor);
            if (balance < 10) return;
            amount = bound(amount, 10, balance);
            vm.prank(actor);
            wrapped.wrap(amount);
        } else if (wrapped.balanceOf(actor) != 0) {
            amount = bound(amount, 1, wrapped.balanceOf(actor));
            vm.prank(actor);
            wrapped.unwrap(amount);
        }
    }

    function request(uint256 who, uint256 amount) external keepsRate {
        address actor = _actor(who);
        uint256 balance = token.balanceOf(actor);
        if (balance < 100) return;
        uint256[] memory amounts = new uint256[](1);
        amounts[0] = bound(amount, 100, balance);
        vm.prank(actor);
        open.push(queue.requestWithdrawals(amounts, actor)[0]);
    }

    function requestWrapped(uint256 who, uint256 amount) external keepsRate {
        address actor = _actor(who);
        uint256 balance = wrapped.balanceOf(actor);
        if (balance < 200) return;
        uint256[] memory amounts = new uint256[](1);
        amounts[0] = bound(amount, 200, balance);
        vm.prank(actor);
        open.push(wrapped.requestWithdrawals(amounts, actor)[0]);
    }

    /// @notice Claims with any hint at all: the payment is what was shown, and at most the value at opening.
    function claim(uint256 which, uint256 hint) external keepsRate {
        if (open.length == 0) return;
        uint256 index = which % open.length;
        uint256[] memory ids = new uint256[](1);
        ids[0] = open[index];
        uint256 shown = queue.getClaimableEther(ids)[0];
        WithdrawalQueue.RequestStatus memory status = queue.getWithdrawalStatus(ids)[0];
        if (!status.isFinalized) return;
        uint256[] memory hints = new uint256[](1);
        hints[0] = hint;
        address payable receiver = payable(address(uint160(uint256(keccak256(abi.encode("receiver", ids[0]))))));
        vm.prank(status.owner);
        queue.claimWithdrawals(ids, hints, receiver);
        uint256 paid = receiver.balance;
        require(paid == shown && paid <= status.amount, PaidWrongly(ids[0], paid, shown, status.amount));
        claimed += paid;
        open[index] = open[open.length - 1];
        open.pop();
    }

    // --- anyone ---

    function fund(uint256 count) external keepsRate {
        uint256 affordable = pool.depositable() / 31 ether;
        if (affordable == 0) return;
        count = bound(count, 1, affordable > 8 ? 8 : affordable);
        pool.fundValidators(count);
        bonds += count * 1 ether;
        validators += count;
        cl += count * 32 ether;
    }

    function continueFinalisation() external keepsRate {
        try pool.continueFinalisation() {} catch (bytes memory reason) {
            bytes4 name = bytes4(reason);
            assertTrue(
                name == IStakingPool.FinalisationNotAllowed.selector || name == IStakingPool.NothingToFinalise.selector,
                "refused for another reason"
            );
        }
    }

    // --- attackers ---

    function donateShares(uint256 who, uint256 amount, uint256 target) external keepsRate {
        address actor = _actor(who);
        amount = bound(amount, 0, token.balanceOf(actor) / 10);
        address[3] memory targets = [address(pool), address(queue), address(wrapped)];
        vm.prank(actor);
        token.transfer(targets[target % 3], amount);
    }

    function forceEther(uint256 amount, uint256 target) external keepsRate {
        amount = bound(amount, 0, 100 ether);
        if (target % 2 == 0) {
            vm.deal(address(pool), address(pool).balance + amount);
            forcedToPool += amount;
        } else {
            vm.deal(address(queue), address(queue).balance + amount);
            forcedToQueue += amount;
        }
    }

    // --- the beacon chain ---

    function earn(uint256 amount, uint256 tips) external keepsRate {
        cl += bound(amount, 0, cl / 1_000);
        _give(pool.rewardsVault(), bound(tips, 0, 1 ether + cl / 2_000));
    }

    function lose(uint256 amount, uint256 depth) external keepsRate {
        cl -= bound(amount, 0, depth % 4 == 0 ? cl / 20 : cl / 5_000);
    }

    function sweep(uint256 amount) external keepsRate {
        amount = bound(amount, 0, cl / 3);
        cl -= amount;
        _give(pool.withdrawalVault(), amount);
    }

    function slash(uint256 ago) external keepsRate {
        pool.noteSlashing(block.timestamp - bound(ago, 0, 1 hours));
    }

    // --- the committee ---

    /// @notice Lets time pass to a later reference; what the committee will report is fixed then.
    function passReference(uint256 frames, uint256 delay) external keepsRate {
        _lastRefTime += bound(frames, 1, 3) * FRAME;
        if (block.timestamp < _lastRefTime) vm.warp(_lastRefTime);
        else _lastRefTime = block.timestamp;
        if (_pending.length == 2) _drop(0);
        _pending.push(
            Snapshot(
                _lastRefTime,
                cl,
                pool.withdrawalVault().balance,
                pool.rewardsVault().balance,
                validators,
                received
            )
        );
        vm.warp(block.timestamp + bound(delay, 1, 2 hours));
    }

    /// @notice Executes the oldest snapshot, perhaps after a later reference has passed.
    function report(bool incident) external {
        if (_pending.length == 0) return;
        Snapshot memory snapshot = _pending[0];
        IStakingPool.Books memory b = pool.books();
        _drop(0);
        if (snapshot.refTime < b.previousReportTime || snapshot.refTime <= b.lastRefTime) return;
        pool.applyReport(_data(snapshot, b.lastRefTime, incident));
        lastReported = snapshot;
        ++reports;
    }

    /// @notice A report that must be refused changes nothing.
    function badReport(uint256 kind) external keepsRate {
        IStakingPool.Books memory b = pool.books();
        Snapshot memory snapshot = Snapshot(block.timestamp, cl, 0, 0, validators, received);
        if (kind % 2 == 0)
            snapshot.withdrawals = type(uint128).max; // more than the vault holds
        else vm.prank(actors[0]); // not the oracle
        try pool.applyReport(_data(snapshot, b.lastRefTime, false)) {
            revert RefusedReportActed();
        } catch {
            assertEq(keccak256(abi.encode(pool.books())), keccak256(abi.encode(b)), "a refused report acted");
        }
    }

    // --- internal ---

    function _data(
        Snapshot memory snapshot,
        uint256 lastRefTime,
        bool incident
    ) private pure returns (IStakingPool.ReportData memory) {
        uint256 elapsed = snapshot.refTime - lastRefTime;
        return
            IStakingPool.ReportData({
                refTime: snapshot.refTime,
                elapsed: elapsed > 2 * FRAME ? 2 * FRAME : elapsed,
                clBalance: snapshot.cl,
                withdrawalVaultBalance: snapshot.withdrawals,
                rewardsVaultBalance: snapshot.rewards,
                cutoff: snapshot.refTime - MARGIN,
                nextCutoff: snapshot.refTime + FRAME - MARGIN,
                openUntil: snapshot.refTime + FRAME + GRACE,
                incident: incident
            });
    }

    function _canDeposit(uint256 amount) private view returns (bool) {
        IStakingPool.Books memory b = pool.books();
        return block.timestamp <= b.openUntil && token.totalSupply() + amount <= b.depositCeiling;
    }

    function _give(address vault, uint256 amount) private {
        vm.deal(vault, vault.balance + amount);
        received += amount;
    }

    function _drop(uint256 index) private {
        for (uint256 i = index; i + 1 < _pending.length; ++i) _pending[i] = _pending[i + 1];
        _pending.pop();
    }

    function _actor(uint256 seed) private view returns (address) {
        return actors[seed % ACTORS];
    }
}
