// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IEtherVault} from "../shared/IEtherVault.sol";
import {IOperatorRegistry} from "../validators/IOperatorRegistry.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IStakingPool} from "./IStakingPool.sol";
import {IWithdrawalQueue} from "../withdrawals/IWithdrawalQueue.sol";
import {GWEI, PREDEPOSIT, TOP_UP, VALIDATOR_DEPOSIT} from "../shared/Units.sol";
import {RebaseMath} from "./RebaseMath.sol";
import {ShareMath} from "../shared/ShareMath.sol";

/// @title StakingPool
/// @notice Books: etherAtValidators = clLast + funded - fundedAtLastRef; buffer = T + heldBack - etherAtValidators. No
/// formula reads a balance, so forced ether changes nothing.
/// Deposits: write in the token only; a ceiling on T and a deadline, set by each report, pause them.
/// Reports: one direction (oracle -> pool -> vaults, registry, queue, token); gains clamp, falls are taken whole.
/// Payments: ether of finalised requests leaves for the queue in the same transaction.
contract StakingPool is IStakingPool, AccessManaged {
    using Checkpoints for Checkpoints.Trace208;
    using SafeCast for uint256;
    using SafeCast for int256;
    using ShareMath for uint256;

    /// @dev Read by every deposit.
    struct Gate {
        uint96 ceiling; // wei: T may not exceed it until the next report
        uint40 openUntil; // unix seconds; zero before the pool is open
        bool paused;
        uint40 slashingTime; // latest slot time at which a slashing was proven
        uint40 cutoff; // of the last report, unix seconds
    }

    struct Policy {
        address treasury;
        uint16 feeBp;
        uint16 maxAprBp;
        uint64 depositCapGwei; // how much T may grow by deposits between two reports
    }

    struct Beacon {
        uint96 clLast; // wei
        uint32 fundedAtLastRef; // validators, cumulative: 32 ETH each
        uint32 funded; // validators, cumulative
        uint40 fundedAt; // unix seconds of the last funding
    }

    struct Reserves {
        uint128 cover; // shares on the queue's account
        uint128 heldBack; // wei
    }

    struct LastReport {
        uint104 highWaterRate; // ray, rounded up
        uint104 finalisationRate; // ray: F
        uint40 refTime;
        bool finalisable;
    }

    /// @dev The only sweep that a later reference slot may precede.
    struct LastSweep {
        uint88 withdrawals; // wei
        uint88 rewards; // wei
        uint40 time;
        uint40 previousTime;
    }

    /// @dev One report's way through the books.
    struct Change {
        int256 gross; // wei, what was held back included
        int256 gain; // wei, recognised
        uint256 heldBack; // wei
        uint256 fee; // wei
        uint256 feeShares;
        uint256 paid; // wei, to the queue
        uint256 burn; // shares, from cover
    }

    uint256 public constant MAX_FEE_BP = 2000;
    uint256 public constant MAX_MAX_APR_BP = 3000;
    /// @dev A fall deeper than this pauses deposits until the next report.
    uint256 public constant PAUSING_FALL_BP = 5;

    IStakedEther public immutable token;
    IWithdrawalQueue public immutable queue;
    address public immutable withdrawalVault;
    address public immutable rewardsVault;
    address public immutable override operators;
    address public immutable override validators;
    address public immutable override oracle;
    address public immutable predecessor;

    Gate private _gate;
    Policy private _policy;
    Beacon private _beacon;
    Reserves private _reserves;
    LastReport private _last;
    LastSweep private _sweep;
    Checkpoints.Trace208 private _funded; // unix seconds => validators, cumulative, inclusive

    struct Peers {
        IStakedEther token;
        address withdrawalVault;
        address rewardsVault;
        address operators;
        address validators;
        address oracle;
        address predecessor; // the pool whose books this one takes over; zero for the first
    }

    constructor(address authority_, Peers memory peers, Policy memory policy_) AccessManaged(authority_) {
        token = peers.token;
        queue = IWithdrawalQueue(peers.token.queue());
        withdrawalVault = peers.withdrawalVault;
        rewardsVault = peers.rewardsVault;
        operators = peers.operators;
        validators = peers.validators;
        oracle = peers.oracle;
        predecessor = peers.predecessor;
        _setPolicy(policy_);
    }

    /// @notice A plain transfer stakes for its sender.
    receive() external payable {
        _deposit(msg.sender, address(0));
    }

    /// @inheritdoc IStakingPool
    function deposit(address receiver, address referral) external payable override returns (uint256) {
        return _deposit(receiver, referral);
    }

    /// @inheritdoc IStakingPool
    function bootstrap(uint256 openUntil, uint256 firstCutoff) external payable override restricted {
        token.bootstrap(msg.value);
        queue.closeRound(firstCutoff);
        _last.highWaterRate = ShareMath.rateUp(msg.value, token.getTotalShares()).toUint104();
        _last.refTime = uint40(block.timestamp);
        _openGate(msg.value, openUntil, 0, false);
    }

    /// @inheritdoc IStakingPool
    function receiveFromVault() external payable override {
        require(msg.sender == withdrawalVault || msg.sender == rewardsVault, OnlyVault(msg.sender));
    }

    // --- report ---

    /// @inheritdoc IStakingPool
    function applyReport(ReportData calldata report) external override returns (Outcome memory o) {
        require(msg.sender == oracle, OnlyOracle(msg.sender));
        (o.etherBefore, o.sharesBefore) = token.totals();
        Policy memory policy_ = _policy;
        LastReport memory last = _last;
        Change memory c;
        c.gross = _takeIn(report);
        (c.gain, c.heldBack) = RebaseMath.recognise(c.gross, o.etherBefore, policy_.maxAprBp, report.elapsed);
        require(int256(o.etherBefore) + c.gain > 0, TotalWouldBeZero(c.gain));
        o.etherAfter = uint256(int256(o.etherBefore) + c.gain);
        (c.fee, c.feeShares) = RebaseMath.feeOn(
            c.gain,
            o.etherAfter,
            o.sharesBefore,
            last.highWaterRate,
            policy_.feeBp
        );
        o.sharesAfter = o.sharesBefore + c.feeShares;

        _settle(report, policy_.maxAprBp, last, o, c);
        _rebaseToken(c, report.elapsed, policy_);
        emit ReportApplied(report.refTime, c.gross, c.gain, c.heldBack, c.fee, c.paid, c.burn);
    }

    /// @inheritdoc IStakingPool
    function continueFinalisation() external override returns (uint256 paid) {
        LastReport memory last = _last;
        Gate memory gate = _gate;
        require(
            last.finalisable && gate.slashingTime <= last.refTime && block.timestamp <= gate.openUntil,
            FinalisationNotAllowed()
        );
        uint256 shares;
        (paid, shares) = _finalise(last.finalisationRate, gate.cutoff, buffer());
        require(paid != 0, NothingToFinalise());
        uint256 burned = token.payWithdrawals(paid, shares);
        _reserves.cover += (shares - burned).toUint128();
        emit FinalisationContinued(paid, burned);
    }

    // --- registries ---

    /// @inheritdoc IStakingPool
    function fundValidators(uint256 count) external override returns (uint256 bondShares) {
        require(msg.sender == validators, OnlyValidators(msg.sender));
        uint256 available = depositable();
        require(count * TOP_UP <= available, NotDepositable(count * TOP_UP, available));
        Beacon memory beacon = _beacon;
        beacon.funded += count.toUint32();
        beacon.fundedAt = uint40(block.timestamp);
        _beacon = beacon;
        _funded.push(uint48(block.timestamp), beacon.funded);
        (bondShares, ) = token.mint(operators, count * PREDEPOSIT);
        emit ValidatorsFunded(count, bondShares);
        _send(validators, count * TOP_UP);
    }

    /// @inheritdoc IStakingPool
    function noteSlashing(uint256 slotTime) external override {
        require(msg.sender == validators, OnlyValidators(msg.sender));
        if (slotTime > _gate.slashingTime) _gate.slashingTime = uint40(slotTime);
        emit SlashingNoted(slotTime);
    }

    /// @inheritdoc IStakingPool
    function addCover(uint256 shares) external override {
        require(msg.sender == operators, OnlyOperators(msg.sender));
        _reserves.cover += shares.toUint128();
        emit CoverAdded(shares);
    }

    // --- succession ---

    /// @inheritdoc IStakingPool
    function handOver(address newPool) external override {
        require(msg.sender == address(token), OnlyToken(msg.sender));
        Books memory all = books();
        delete _gate;
        emit HandedOver(newPool);
        IStakingPool(newPool).takeOver{value: address(this).balance}(all);
    }

    /// @inheritdoc IStakingPool
    function takeOver(Books calldata b) external payable override {
        require(msg.sender == predecessor && token.pool() == address(this), OnlyPredecessor(msg.sender));
        _gate = Gate(
            uint96(b.depositCeiling),
            uint40(b.openUntil),
            _gate.paused,
            uint40(b.slashingTime),
            uint40(b.lastCutoff)
        );
        _beacon = Beacon(
            uint96(b.clLast),
            uint32(b.fundedAtLastRef / VALIDATOR_DEPOSIT),
            uint32(b.funded / VALIDATOR_DEPOSIT),
            uint40(b.fundedTime)
        );
        _reserves = Reserves(uint128(b.cover), uint128(b.heldBack));
        _last = LastReport(uint104(b.highWaterRate), uint104(b.finalisationRate), uint40(b.lastRefTime), b.finalisable);
        _sweep = LastSweep(
            uint88(b.lastSweptWithdrawals),
            uint88(b.lastSweptRewards),
            uint40(b.lastReportTime),
            uint40(b.previousReportTime)
        );
        for (uint256 i; i < b.fundedTimes.length; ++i) {
            _funded.push(uint48(b.fundedTimes[i]), uint208(b.fundedAmounts[i] / VALIDATOR_DEPOSIT));
        }
    }

    // --- governance ---

    /// @notice Pauses or resumes deposits.
    function pauseDeposits(bool paused) external restricted {
        _gate.paused = paused;
        emit DepositsPaused(paused);
    }

    /// @notice Replaces fee, limits and treasury, within this contract's own limits.
    function setPolicy(Policy calldata policy_) external restricted {
        _setPolicy(policy_);
    }

    // --- views ---

    /// @inheritdoc IStakingPool
    function etherAtValidators() public view override returns (uint256) {
        Beacon memory beacon = _beacon;
        return beacon.clLast + uint256(beacon.funded - beacon.fundedAtLastRef) * VALIDATOR_DEPOSIT;
    }

    /// @inheritdoc IStakingPool
    function buffer() public view override returns (uint256) {
        return _buffer(token.getTotalPooledEther(), _reserves.heldBack);
    }

    /// @inheritdoc IStakingPool
    function promised() public view override returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = token.totals();
        return queue.unfinalisedShares().toEtherUp(totalEther, totalShares);
    }

    /// @inheritdoc IStakingPool
    function depositable() public view override returns (uint256) {
        return Math.saturatingSub(buffer(), promised());
    }

    /// @inheritdoc IStakingPool
    function exitDemand(uint256 staying) external view override returns (uint256) {
        uint256 coming = Math.saturatingSub(etherAtValidators(), staying * VALIDATOR_DEPOSIT);
        return Math.saturatingSub(promised(), buffer() + coming);
    }

    /// @notice Fee, limits and treasury in force.
    function policy() external view returns (Policy memory) {
        return _policy;
    }

    /// @notice Whether deposits are paused by a role (a fall or an overdue report also stops them; see books()).
    function depositsPaused() external view returns (bool) {
        return _gate.paused;
    }

    /// @inheritdoc IStakingPool
    function books() public view override returns (Books memory b) {
        Beacon memory beacon = _beacon;
        (b.clLast, b.fundedTime) = (beacon.clLast, beacon.fundedAt);
        b.fundedAtLastRef = uint256(beacon.fundedAtLastRef) * VALIDATOR_DEPOSIT;
        b.funded = uint256(beacon.funded) * VALIDATOR_DEPOSIT;
        (b.cover, b.heldBack) = (_reserves.cover, _reserves.heldBack);
        (b.highWaterRate, b.finalisationRate) = (_last.highWaterRate, _last.finalisationRate);
        (b.lastRefTime, b.finalisable, b.lastCutoff) = (_last.refTime, _last.finalisable, _gate.cutoff);
        (b.lastSweptWithdrawals, b.lastSweptRewards) = (_sweep.withdrawals, _sweep.rewards);
        (b.lastReportTime, b.previousReportTime) = (_sweep.time, _sweep.previousTime);
        (b.depositCeiling, b.openUntil, b.slashingTime) = (_gate.ceiling, _gate.openUntil, _gate.slashingTime);
        (b.fundedTimes, b.fundedAmounts) = _fundedSinceLastRef();
    }

    // --- internal ---

    function _deposit(address receiver, address referral) private returns (uint256 shares) {
        Gate storage gate = _gate;
        require(msg.value != 0, ZeroDeposit());
        require(!gate.paused, DepositsArePaused());
        require(block.timestamp <= gate.openUntil, ReportOverdue(gate.openUntil));
        uint256 totalEther;
        (shares, totalEther) = token.mint(receiver, msg.value);
        require(totalEther <= gate.ceiling, DepositCapReached(totalEther, gate.ceiling));
        emit Deposited(msg.sender, receiver, msg.value, shares, referral);
    }

    /// @dev Takes the reported ether in and returns the gross change since the last report, held-back gains included.
    function _takeIn(ReportData calldata report) private returns (int256) {
        LastSweep memory sweep_ = _sweep;
        require(report.refTime >= sweep_.previousTime, ReferenceTooOld(report.refTime, sweep_.previousTime));
        bool late = report.refTime < sweep_.time;
        uint256 withdrawals = _sweepVault(
            withdrawalVault,
            report.withdrawalVaultBalance,
            late ? sweep_.withdrawals : 0
        );
        uint256 rewards = _sweepVault(rewardsVault, report.rewardsVaultBalance, late ? sweep_.rewards : 0);
        _sweep = LastSweep(withdrawals.toUint88(), rewards.toUint88(), uint40(block.timestamp), sweep_.time);
        Beacon memory beacon = _beacon;
        uint256 fundedAtRef = _fundedAt(beacon, report.refTime);
        uint256 expected = beacon.clLast + (fundedAtRef - beacon.fundedAtLastRef) * VALIDATOR_DEPOSIT;
        (beacon.clLast, beacon.fundedAtLastRef) = (report.clBalance.toUint96(), uint32(fundedAtRef));
        _beacon = beacon;
        uint256 inflow = report.clBalance + withdrawals + rewards + _reserves.heldBack;
        return int256(inflow) - int256(expected);
    }

    function _sweepVault(address vault, uint256 reported, uint256 alreadySwept) private returns (uint256 amount) {
        uint256 held = vault.balance;
        require(
            reported >= alreadySwept && reported - alreadySwept <= held,
            VaultBalanceImpossible(vault, reported, alreadySwept, alreadySwept + held)
        );
        amount = reported - alreadySwept;
        if (amount != 0) IEtherVault(vault).sweep(amount);
    }

    /// @dev Pays what may be paid, burns from cover within the limit, and writes the books.
    function _settle(
        ReportData calldata report,
        uint256 maxAprBp,
        LastReport memory last,
        Outcome memory o,
        Change memory c
    ) private {
        last.finalisationRate = ShareMath.rateDown(o.etherAfter, o.sharesAfter).toUint104();
        last.refTime = uint40(report.refTime);
        last.finalisable = !report.incident && _gate.slashingTime <= report.refTime && !_fell(o, 1);
        uint256 cover = _reserves.cover + queue.closeRound(report.nextCutoff);
        if (last.finalisable) {
            uint256 shares;
            (c.paid, shares) = _finalise(last.finalisationRate, report.cutoff, _buffer(o.etherAfter, c.heldBack));
            cover += shares;
        }
        uint256 etherLeft = o.etherAfter - c.paid;
        c.burn = RebaseMath.burnable(cover, etherLeft, o, maxAprBp, report.elapsed);
        _reserves = Reserves((cover - c.burn).toUint128(), c.heldBack.toUint128());
        uint256 rateAfter = ShareMath.rateUp(etherLeft, o.sharesAfter - c.burn);
        if (rateAfter > last.highWaterRate) last.highWaterRate = rateAfter.toUint104();
        _last = last;
        _openGate(etherLeft, report.openUntil, report.cutoff, _fell(o, PAUSING_FALL_BP));
    }

    function _fell(Outcome memory o, uint256 bp) private pure returns (bool) {
        return RebaseMath.fell(o.etherBefore, o.sharesBefore, o.etherAfter, o.sharesAfter, bp);
    }

    function _finalise(
        uint256 maxRate,
        uint256 cutoff,
        uint256 available
    ) private returns (uint256 paid, uint256 shares) {
        (paid, shares) = queue.finalise(maxRate, cutoff, available);
        if (paid != 0) _send(address(queue), paid);
    }

    function _rebaseToken(Change memory c, uint256 elapsed, Policy memory policy_) private {
        uint256 operatorShares =
            c.feeShares == 0 ? 0 : IOperatorRegistry(operators).accrueFee(c.feeShares, policy_.feeBp);
        token.rebase(
            IStakedEther.Rebase({
                etherDelta: c.gain,
                etherPaid: c.paid,
                operatorFeeShares: operatorShares,
                treasuryFeeShares: c.feeShares - operatorShares,
                burnShares: c.burn,
                elapsed: elapsed,
                operators: operators,
                treasury: policy_.treasury
            })
        );
    }

    function _openGate(uint256 totalEther, uint256 openUntil, uint256 cutoff, bool fell) private {
        Gate memory gate = _gate;
        gate.ceiling = fell ? 0 : (totalEther + uint256(_policy.depositCapGwei) * GWEI).toUint96();
        gate.openUntil = openUntil.toUint40();
        gate.cutoff = cutoff.toUint40();
        _gate = gate;
    }

    function _fundedAt(Beacon memory beacon, uint256 time) private view returns (uint256) {
        return beacon.fundedAt <= time ? beacon.funded : _funded.upperLookupRecent(uint48(time));
    }

    /// @dev The checkpoints that a report to come may look up, the one at or before the last reference first.
    function _fundedSinceLastRef() private view returns (uint256[] memory times, uint256[] memory amounts) {
        uint256 length = _funded.length();
        uint256 first = length;
        while (first > 0 && _funded.at(uint32(first - 1))._key > _last.refTime) --first;
        if (first > 0) --first;
        times = new uint256[](length - first);
        amounts = new uint256[](length - first);
        for (uint256 i = first; i < length; ++i) {
            Checkpoints.Checkpoint208 memory checkpoint = _funded.at(uint32(i));
            (times[i - first], amounts[i - first]) = (checkpoint._key, checkpoint._value * VALIDATOR_DEPOSIT);
        }
    }

    function _buffer(uint256 totalEther, uint256 heldBack) private view returns (uint256) {
        return totalEther + heldBack - etherAtValidators();
    }

    function _setPolicy(Policy memory policy_) private {
        require(policy_.treasury != address(0), ZeroAddress());
        require(policy_.feeBp <= MAX_FEE_BP, OutOfRange(policy_.feeBp, MAX_FEE_BP));
        require(policy_.maxAprBp <= MAX_MAX_APR_BP, OutOfRange(policy_.maxAprBp, MAX_MAX_APR_BP));
        _policy = policy_;
        emit PolicyChanged(policy_.treasury, policy_.feeBp, policy_.maxAprBp, policy_.depositCapGwei);
    }

    function _send(address to, uint256 amount) private {
        (bool sent, ) = to.call{value: amount}("");
        require(sent, TransferFailed(to, amount));
    }
}
