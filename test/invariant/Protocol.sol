// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InvariantTest} from "../helpers/InvariantTest.sol";
import {IOperatorRegistry} from "../../contracts/validators/IOperatorRegistry.sol";
import {IStakingPool} from "../../contracts/pool/IStakingPool.sol";
import {IValidatorExits} from "../../contracts/validators/IValidatorExits.sol";
import {IValidatorRegistry} from "../../contracts/validators/IValidatorRegistry.sol";
import {KeyBooks} from "../mocks/protocol/KeyBooks.sol";
import {OperatorBooks} from "../mocks/protocol/OperatorBooks.sol";
import {ProtocolHandler} from "../mocks/protocol/ProtocolHandler.sol";
import {ProtocolWorld} from "../mocks/protocol/ProtocolWorld.sol";
import {PREDEPOSIT, SHARES_PER_UNIT, TOP_UP} from "../../contracts/shared/Units.sol";

/// @notice Invariants of docs/invariants.md over the whole protocol, which is real but for the deposit contract, the predeploy of
/// exits and the verifier of proofs. What happens within one operation (I3, I4, I6, I9, I11-I13, I15, I22) the handler
/// asserts as it acts; here is what holds between.
contract ProtocolInvariants is InvariantTest {
    uint256 private constant OPERATORS = 4;
    uint256 private constant TIERS = 3;
    uint256 private constant FRAME = 1 days;

    ProtocolHandler public handler;
    ProtocolWorld.Contracts internal c;

    function setUp() public {
        handler = new ProtocolHandler();
        c = handler.contracts();
        targetContract(address(handler));
    }

    /// @notice The invariants, each a function of its own.
    function checks() public pure override returns (bytes4[] memory list) {
        bytes4[22] memory all = [
            this.check_I1_thePoolHoldsItsBuffer.selector,
            this.check_I2_sharesAddUp.selector,
            this.check_I3_theRateIsWhatTheLastReportLeft.selector,
            this.check_I4_balancesAddUp.selector,
            this.check_I5_theQueueHoldsWhatItOwes.selector,
            this.check_I6_requestsAreWorthWhatTheyShow.selector,
            this.check_I6_theQueuesSharesAreAccountedFor.selector,
            this.check_I7_31EtherLeaveForAProvenValidator.selector,
            this.check_I8_bondsRecordedAreHeld.selector,
            this.check_I9_heldBackIsBookedOnce.selector,
            this.check_I10_etherIsConserved.selector,
            this.check_I15_nobodyGainsBetweenReports.selector,
            this.check_I16_finesAreLockedUntilTheyEnd.selector,
            this.check_I17_feesAreDividedWholeAndOnce.selector,
            this.check_I20_tiersAreCountedFromTheirKeys.selector,
            this.check_I21_everyKeyIsWhatWasProvenOfIt.selector,
            this.check_I22_exitsAreAskedForWhatIsMissing.selector,
            this.check_I23_whoseTurnItIs.selector,
            this.check_I24_fundingsAreOnOneSideOfEveryReference.selector,
            this.check_I25_openOnlyWithAReportOfItsTime.selector,
            this.check_I26_slashingsAreCountedUntilAReportHasThem.selector,
            this.check_I27_operatorsAreWhatTheirKeysAre.selector
        ];
        list = new bytes4[](all.length);
        for (uint256 i; i < all.length; ++i) list[i] = all[i];
    }

    function check_I1_thePoolHoldsItsBuffer() public view {
        uint256 cash = handler.poolCash();
        assertEq(c.pool.buffer(), cash, "buffer = what flowed in less what flowed out");
        assertEq(address(c.pool).balance, cash + handler.cash().forcedToPool, "ether = buffer + forced");
    }

    /// @dev Over every account that ever had a share.
    function check_I2_sharesAddUp() public view {
        address[] memory holders = handler.holders();
        uint256 sum;
        uint256 wrapped;
        for (uint256 i; i < holders.length; ++i) {
            sum += c.token.sharesOf(holders[i]);
            wrapped += c.wrapped.balanceOf(holders[i]);
        }
        assertEq(sum, c.token.getTotalShares(), "sum of shares");
        assertEq(wrapped, c.wrapped.totalSupply(), "sum of westETH");
        assertGe(c.token.sharesOf(address(c.wrapped)), c.wrapped.totalSupply() * SHARES_PER_UNIT, "behind westETH");
    }

    function check_I3_theRateIsWhatTheLastReportLeft() public view {
        (uint256 totalEther, uint256 totalShares) = c.token.totals();
        uint256 last = c.token.rateAt(block.timestamp);
        uint256 rate = c.token.rate();
        assertGe(rate, last, "the rate fell since the last report");
        // each operation rounds by a wei or two of all there is
        assertLe(((rate - last) * totalShares) / 1e36, handler.slack() + 1, "the rate rose since the last report");
        assertGt(totalEther, 0, "totals");
    }

    /// @dev Of n accounts, all there are: by at most n / 1024 wei above the total, and each less than a wei below its part.
    function check_I4_balancesAddUp() public view {
        address[] memory holders = handler.holders();
        uint256 sum;
        for (uint256 i; i < holders.length; ++i) sum += c.token.balanceOf(holders[i]);
        assertLe(sum, c.token.totalSupply() + holders.length / 1024, "balances above the total");
        assertGt(sum + holders.length, c.token.totalSupply(), "balances below the total");
    }

    function check_I5_theQueueHoldsWhatItOwes() public view {
        uint256 last = handler.lastFinalised();
        uint256 owed;
        for (uint256 id = 1; id <= last; ++id) owed += handler.worthOf(id, 0);
        uint256 held = address(c.queue).balance - handler.cash().forcedToQueue;
        assertGe(held, owed, "the queue owes more than it holds");
        assertLe(held, owed + last, "more than a wei a request is left over");
    }

    function check_I6_requestsAreWorthWhatTheyShow() public view {
        uint256 last = handler.lastTicket();
        uint256[] memory ids = new uint256[](last);
        for (uint256 i; i < last; ++i) ids[i] = i + 1;
        uint256[] memory shown = c.queue.getClaimableEther(ids);
        for (uint256 i; i < last; ++i) {
            ProtocolWorld.Ticket memory t = handler.ticket(i + 1);
            bool waiting = t.state == ProtocolWorld.State.Waiting;
            assertEq(shown[i], waiting ? 0 : handler.worthOf(i + 1, 0), "what a request is paid");
            assertEq(waiting, i + 1 > c.queue.lastFinalizedId(), "in order");
        }
        assertEq(c.queue.lastRequestId(), last, "requests");
    }

    function check_I6_theQueuesSharesAreAccountedFor() public view {
        ProtocolWorld.Shares memory s = handler.shares();
        assertEq(c.queue.unfinalisedShares(), s.waiting, "waiting");
        assertEq(c.pool.books().cover, s.cover, "cover");
        uint256 all = s.waiting + s.remainders + s.cover + s.donatedToQueue;
        assertEq(c.token.sharesOf(address(c.queue)), all, "the queue's account");
    }

    /// @dev That a key was predeposited and proven before, and is topped up once, the deposit contract's stub asserts.
    function check_I7_31EtherLeaveForAProvenValidator() public view {
        uint256 predeposits = c.deposits.predeposits();
        assertEq(predeposits, handler.beacon().predeposited, "predeposits");
        assertEq(c.deposits.topUps(), handler.beacon().funded, "validators");
        uint256 deposited = predeposits * PREDEPOSIT + handler.beacon().funded * TOP_UP;
        assertEq(address(c.deposits).balance, deposited, "1 and 31 ETH");
        assertEq(address(c.validators).balance, 0, "the registry keeps nothing");
    }

    function check_I8_bondsRecordedAreHeld() public view {
        uint256 sum;
        for (uint256 id = 1; id <= OPERATORS; ++id) {
            OperatorBooks.OperatorBook memory book = handler.operatorBook(id);
            assertEq(c.operators.operator(id).bondShares, book.bond, "bond");
            assertEq(c.operators.operator(id).debt, book.debt, "debt");
            assertEq(c.operators.operator(id).frozen, book.frozenAt != 0, "frozen");
            (uint256 rewards, ) = handler.earned(id);
            sum += book.bond + book.fine + rewards;
        }
        (, uint256 treasury) = handler.earned(1);
        uint256 held = c.token.sharesOf(address(c.operators)) - handler.shares().donatedToOperators;
        sum += treasury + (handler.feeBook().undivided % SHARES_PER_UNIT);
        assertEq(held, sum, "bonds, fines, rewards, the treasury's part and what waits for a unit = held");
    }

    function check_I16_finesAreLockedUntilTheyEnd() public view {
        for (uint256 id = 1; id <= OPERATORS; ++id) {
            OperatorBooks.OperatorBook memory book = handler.operatorBook(id);
            assertEq(c.operators.fineOf(id).shares, book.fine, "fine");
            assertEq(c.operators.fineOf(id).expiresAt, book.fineExpiresAt, "its end");
        }
    }

    function check_I17_feesAreDividedWholeAndOnce() public view {
        uint256 sum;
        for (uint256 id = 1; id <= OPERATORS; ++id) {
            (uint256 rewards, ) = handler.earned(id);
            if (handler.operatorBook(id).debt == 0) assertEq(c.operators.claimableShares(id), rewards, "rewards");
            sum += rewards;
        }
        (, uint256 treasury) = handler.earned(1);
        assertEq(c.operators.treasuryShares(), treasury, "the treasury's part");
        OperatorBooks.FeeBook memory fees = handler.feeBook();
        assertEq(c.token.totalFeeShares(), fees.minted, "fees minted");
        sum += fees.undivided % SHARES_PER_UNIT;
        assertEq(
            fees.minted,
            fees.taken + sum + treasury,
            "fees minted = taken + operators' + treasury's + less than a unit"
        );
    }

    function check_I9_heldBackIsBookedOnce() public view {
        assertEq(c.pool.books().heldBack, handler.heldBack(), "held back");
    }

    function check_I10_etherIsConserved() public view {
        ProtocolWorld.Cash memory cash = handler.cash();
        uint256 inflow = cash.deposited + cash.bonds + cash.recognised;
        assertEq(c.token.totalSupply(), inflow - cash.fallen - cash.paid, "T = deposits + bonds + recognised - paid");
        ProtocolHandler.Snapshot memory s = handler.lastSnapshot();
        int256 recognised = int256(cash.recognised) - int256(cash.fallen) + int256(handler.heldBack());
        int256 there = int256(s.cl + s.received) - int256(s.funded * 32 ether);
        assertEq(recognised, there, "recognised + held back = what was there");
        uint256 vaults = address(c.withdrawalVault).balance + address(c.rewardsVault).balance;
        assertEq(vaults, handler.beacon().received - cash.swept, "what is in the vaults");
    }

    function check_I15_nobodyGainsBetweenReports() public view {
        for (uint256 i; i < 5; ++i) {
            address actor = handler.actors(i);
            int256 limit = handler.credit(actor) + int256(handler.slack() + 2 * handler.lastTicket() + 2);
            assertTrue(int256(handler.worth(actor)) <= limit, "worth more than was put in");
        }
    }

    function check_I20_tiersAreCountedFromTheirKeys() public view {
        KeyBooks.Standing[TIERS] memory standings = handler.standings();
        for (uint256 t; t < TIERS; ++t) {
            IValidatorRegistry.TierQueue memory queue = c.validators.tierQueue(t);
            assertEq(queue.queued, standings[t].queued, "queued");
            assertEq(queue.funded, standings[t].funded, "funded");
            assertEq(queue.leaving, standings[t].left, "leaving, each once");
            assertEq(queue.tail, handler.sequences(t), "sequences given");
            assertEq(queue.fundHead, standings[t].exitEnd, "the last funded in order");
        }
    }

    function check_I21_everyKeyIsWhatWasProvenOfIt() public view {
        uint256 count = handler.keyCount();
        for (uint256 id; id < count; ++id) {
            KeyBooks.Key memory k = handler.key(id);
            IValidatorExits.Record memory record = c.validators.validator(k.root);
            bool proven = k.status != IValidatorExits.Status.Predeposited;
            IValidatorExits.Record memory expected = IValidatorExits.Record({
                operatorId: k.operatorId,
                tier: k.tier,
                status: k.status,
                slashed: k.slashed,
                weightStopped: k.weightless,
                sequence: k.sequence,
                validatorIndex: proven ? uint40(1_000 + id) : 0,
                fundedGwei: k.principalGwei,
                exitRequestedAt: k.askedAt,
                settledEpoch: k.settledEpoch
            });
            assertEq(keccak256(abi.encode(record)), keccak256(abi.encode(expected)), "record");
        }
    }

    /// @dev That each was asked in turn and for demand, or for a cause, the handler asserts.
    function check_I22_exitsAreAskedForWhatIsMissing() public view {
        assertEq(c.exitRequests.count(), handler.asks(), "exits asked");
        uint256 demand = handler.exitDemand();
        assertEq(c.validators.exitDemand(), demand, "demand");
        assertEq(c.pool.exitDemand(handler.asksNotReported()), demand, "demand, of exits not reported");
        assertEq(address(c.withdrawalVault).balance, _vaultBalance(), "fees go to the predeploy alone");
    }

    function check_I23_whoseTurnItIs() public view {
        KeyBooks.Standing[TIERS] memory standings = handler.standings();
        _checkTurn(IValidatorRegistry.nextToFund.selector, handler.tierToFund(), standings);
        _checkTurn(IValidatorRegistry.nextToExit.selector, handler.tierToExit(), standings);
    }

    /// @dev Of every reference that may still be reported, the pool knows what was funded by then.
    function check_I24_fundingsAreOnOneSideOfEveryReference() public view {
        IStakingPool.Books memory b = c.pool.books();
        uint256 refTime = b.lastRefTime + FRAME;
        while (refTime < b.lastReportTime) refTime += FRAME;
        assertLe(b.fundingBoundary, refTime, "the boundary is past the next possible reference");
        for (uint256 i; i < 4 && refTime < block.timestamp; ++i) {
            uint256 counted = refTime >= b.fundedTime ? b.funded : b.fundedBefore;
            assertEq(counted, handler.fundedBy(refTime) * 32 ether, "funded by a reference");
            refTime += FRAME;
        }
        assertEq(b.funded, handler.beacon().funded * 32 ether, "funded");
        assertEq(b.leaving, handler.lastSnapshot().leaving, "leaving");
    }

    function check_I25_openOnlyWithAReportOfItsTime() public view {
        ProtocolWorld.Gate memory gate = handler.gate();
        IStakingPool.Books memory b = c.pool.books();
        assertEq(b.openUntil, gate.openUntil, "open until");
        assertEq(b.depositCeiling, gate.ceiling, "ceiling");
        assertEq(b.paused, gate.paused, "paused");
        assertEq(b.finalisable, gate.finalisable, "finalisable");
        assertEq(b.lastReportTime, gate.executedAt, "executed at");
        (bool isCalm, uint256 refTime) = c.pool.calm();
        assertEq(isCalm, handler.mayFinalise() && !gate.requestsPaused, "calm");
        assertEq(refTime, handler.lastSnapshot().refTime, "reference");
    }

    function check_I26_slashingsAreCountedUntilAReportHasThem() public view {
        assertEq(c.pool.books().slashed, handler.slashedSince(), "since the last report");
        assertEq(c.pool.books().slashedEarlier, handler.gate().slashedEarlier, "that it may lack");
    }

    function check_I27_operatorsAreWhatTheirKeysAre() public view {
        uint256 active;
        uint256 weight;
        for (uint256 id = 1; id <= OPERATORS; ++id) {
            IOperatorRegistry.Operator memory op = c.operators.operator(id);
            OperatorBooks.OperatorBook memory book = handler.operatorBook(id);
            assertEq(op.queued, book.queued, "queued");
            assertEq(op.active, book.active, "active");
            assertEq(op.weighted, book.weighted, "weighted");
            assertEq(op.inDoubt, book.inDoubt, "in doubt");
            assertEq(op.frozenAt, book.frozenAt, "frozen at");
            (uint256 bond, uint256 required) = c.operators.bondOf(id);
            (uint256 atStake, uint256 needed) = handler.bondOf(id);
            assertEq(bond, atStake, "at stake");
            assertEq(required, needed, "required");
            _checkCause(id, book);
            active += book.active;
            weight += book.weighted * op.feeBp;
        }
        (, uint64 weights, uint64 actives) = c.operators.rewardTotals();
        assertEq(weights, weight, "all weight");
        assertEq(actives, active, "all active");
    }

    // --- internal ---

    function _checkCause(uint256 id, OperatorBooks.OperatorBook memory book) private view {
        (bool outOfTurn, bool withoutDemand) = c.operators.exitCause(id);
        bool indebted = book.debt != 0;
        bool frozenLong = book.frozenAt != 0 && block.timestamp >= book.frozenAt + 7 days;
        assertEq(outOfTurn, indebted || book.frozenAt != 0, "may be asked out of turn");
        assertEq(withoutDemand, indebted || frozenLong, "may be asked without demand");
    }

    function _checkTurn(bytes4 view_, uint256 tier, KeyBooks.Standing[TIERS] memory standings) private view {
        (bool done, bytes memory answer) = address(c.validators).staticcall(abi.encodeWithSelector(view_));
        assertEq(done, tier < TIERS, "somebody's turn");
        bool funds = view_ == IValidatorRegistry.nextToFund.selector;
        bytes4 nobody = funds ? IValidatorRegistry.NothingToFund.selector : IValidatorExits.NothingToExit.selector;
        if (!done) return assertEq(bytes32(bytes4(answer)), bytes32(nobody), "nobody's turn");
        (uint256 next, uint256 sequence) = abi.decode(answer, (uint256, uint256));
        assertEq(next, tier, "the tier whose turn it is");
        uint256 head = funds ? standings[tier].fundKey : standings[tier].exitKey;
        bool any = head != type(uint256).max;
        assertEq(sequence, any ? handler.key(head).sequence : standings[tier].exitEnd, "the head of its order");
    }

    /// @dev Of the withdrawal vault, by what came and what was swept.
    function _vaultBalance() private view returns (uint256) {
        uint256 both = handler.beacon().received - handler.cash().swept;
        return both - address(c.rewardsVault).balance;
    }
}
