// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {InvariantTest} from "../helpers/InvariantTest.sol";
import {IPointsToPool} from "../../contracts/shared/IEtherVault.sol";
import {IStakingPool} from "../../contracts/pool/IStakingPool.sol";
import {LedgerHandler} from "../mocks/LedgerHandler.sol";
import {NoOperators} from "../mocks/NoOperators.sol";
import {RewardsVault} from "../../contracts/pool/RewardsVault.sol";
import {StakedEther} from "../../contracts/token/StakedEther.sol";
import {StakingPool} from "../../contracts/pool/StakingPool.sol";
import {WithdrawalQueue} from "../../contracts/withdrawals/WithdrawalQueue.sol";
import {WithdrawalVault} from "../../contracts/withdrawals/WithdrawalVault.sol";
import {WrappedStakedEther} from "../../contracts/token/WrappedStakedEther.sol";
import {vm} from "../helpers/Vm.sol";

/// @notice Invariants of docs/invariants.md over the real token, wrapper, pool, queue and vaults. The handler asserts I3,
/// I6, I11 and I13 as it acts.
contract LedgerInvariants is InvariantTest {
    uint256 internal constant LOCKED = 1 ether;
    uint256 internal constant START = 1_800_000_000;

    LedgerHandler internal handler;
    StakedEther internal token;
    WrappedStakedEther internal wrapped;
    StakingPool internal pool;
    WithdrawalQueue internal queue;
    address internal operators;
    address internal treasury;

    function setUp() public {
        vm.warp(START);
        AccessManager authority = new AccessManager(address(this));
        queue = new WithdrawalQueue(address(authority), 1 days);
        token = new StakedEther(address(authority), address(queue));
        queue.bind(address(token));
        wrapped = new WrappedStakedEther(token);
        handler = new LedgerHandler();
        operators = address(new NoOperators());
        treasury = account("treasury");
        pool = new StakingPool(
            address(authority),
            StakingPool.Peers({
                token: token,
                withdrawalVault: address(new WithdrawalVault(IPointsToPool(address(token)))),
                rewardsVault: address(new RewardsVault(IPointsToPool(address(token)))),
                operators: operators,
                validators: address(handler),
                oracle: address(handler),
                predecessor: address(0)
            }),
            StakingPool.Policy({treasury: treasury, feeBp: 1000, maxAprBp: 1000, depositCapGwei: 1e6 * 1e9})
        );
        token.replacePool(address(pool));
        vm.deal(address(this), LOCKED);
        pool.bootstrap{value: LOCKED}(START + 30 hours, START + 23 hours);
        handler.start(token, wrapped, pool, LOCKED);
        targetContract(address(handler));
    }

    function invariant_I1_thePoolHoldsItsBuffer() public view {
        assertEq(address(pool).balance, pool.buffer() + handler.forcedToPool(), "pool ether = buffer + forced");
    }

    function invariant_I2_sharesAddUp() public view {
        uint256 sum = token.sharesOf(token.LOCKED()) + token.sharesOf(address(queue)) + token.sharesOf(address(pool));
        sum += token.sharesOf(address(wrapped)) + token.sharesOf(operators) + token.sharesOf(treasury);
        for (uint256 i; i < 4; ++i) sum += token.sharesOf(handler.actors(i));
        assertEq(sum, token.getTotalShares(), "sum of shares");
    }

    function invariant_I4_westEthIsBacked() public view {
        assertGe(token.sharesOf(address(wrapped)), wrapped.totalSupply() * 1e9, "shares behind westETH");
    }

    function invariant_I5_theQueueHoldsWhatItOwes() public view {
        uint256 count = handler.openCount();
        uint256[] memory ids = new uint256[](count);
        for (uint256 i; i < count; ++i) ids[i] = handler.open(i);
        uint256[] memory amounts = queue.getClaimableEther(ids);
        uint256 owed;
        for (uint256 i; i < count; ++i) owed += amounts[i];
        uint256 held = address(queue).balance - handler.forcedToQueue();
        assertGe(held, owed, "the queue owes more than it holds");
        assertLe(held, owed + queue.lastRequestId(), "more than a wei a request is left over");
    }

    function invariant_I6_waitingSharesAreThere() public view {
        uint256 booked = queue.unfinalisedShares() + pool.books().cover;
        assertGe(token.sharesOf(address(queue)), booked, "shares on the queue's account");
    }

    function invariant_I10_etherIsConserved() public view {
        IStakingPool.Books memory b = pool.books();
        (, uint256 cl, , , uint256 validators, uint256 received) = handler.lastReported();
        uint256 paid = address(queue).balance - handler.forcedToQueue() + handler.claimed();
        assertEq(
            token.totalSupply() + b.heldBack + paid + validators * 32 ether,
            handler.deposited() + handler.bonds() + cl + received,
            "T + held back + paid = deposits + bonds + recognised"
        );
        assertEq(b.clLast, cl, "last reported balance");
        assertEq(b.fundedAtLastRef, validators * 32 ether, "funded at the last reference");
    }
}
