// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IEtherVault} from "../shared/IEtherVault.sol";
import {IOperatorRegistry} from "../validators/IOperatorRegistry.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IStakingPool} from "./IStakingPool.sol";
import {GWEI, PREDEPOSIT, TOP_UP, VALIDATOR_DEPOSIT} from "../shared/Units.sol";
import {DepositData} from "../shared/DepositData.sol";
import {PoolBooks} from "./PoolBooks.sol";
import {RebaseMath} from "./RebaseMath.sol";
import {ShareMath} from "../shared/ShareMath.sol";

/// @title StakingPool
/// @notice Deposits: write in the token only; a ceiling on T and a deadline, set by each report, pause them.
/// Reports: one direction (oracle -> pool -> vaults, queue, token); gains clamp, falls are taken whole. The fee goes to the
/// operator registry, which divides it between operators and treasury.
/// Payments: the queue takes the ether of what it finalises in the same transaction (payQueue, the only call back).
contract StakingPool is PoolBooks, AccessManaged {
    using DepositData for bytes;
    using SafeCast for uint256;
    using ShareMath for uint256;

    /// @dev One report's way through the books.
    struct Change {
        int256 gross; // wei, what was held back included
        int256 gain; // wei, recognised
        uint256 heldBack; // wei
        uint256 atValidators; // wei
        uint256 fee; // wei
        uint256 feeShares;
        uint256 paid; // wei, to the queue
        uint256 burn; // shares, from cover
    }

    /// @notice The most that governance may set as fee: a fifth of gains, as the token allows (RateRails).
    uint256 public constant MAX_FEE_BP = 2000;
    /// @notice The highest yearly limit of gains, below the 10 bp a day that the token allows (RateRails).
    uint256 public constant MAX_MAX_APR_BP = 3000;
    /// @dev A fall deeper than this pauses deposits until the next report.
    uint256 public constant PAUSING_FALL_BP = 5;

    /// @dev The operator registry hears of the fee when the pool goes live, in `bootstrap` or `takeOver`.
    constructor(
        address authority_,
        Peers memory peers,
        Policy memory policy_
    ) AccessManaged(authority_) PoolBooks(peers) {
        _setPolicy(policy_);
    }

    /// @notice A plain transfer stakes for its sender.
    receive() external payable {
        _depositPlain();
    }

    /// @inheritdoc IStakingPool
    function deposit(address receiver, address referral) external payable override returns (uint256) {
        return _deposit(msg.sender, receiver, msg.value, referral);
    }

    /// @inheritdoc IStakingPool
    /// @dev The opening rate is the first high-water mark: no fee is due below it.
    function bootstrap(uint256 refTime, uint256 openUntil, uint256 firstCutoff) external payable override restricted {
        token.bootstrap(msg.value);
        queue.open(firstCutoff);
        IOperatorRegistry(operators).setTotalFee(_policy.feeBp);
        _last.highWaterRate = ShareMath.rateUp(msg.value, token.getTotalShares()).toUint104();
        _last.refTime = refTime.toUint40();
        _beacon.boundary = refTime.toUint40();
        _openGate(_gate, _policy, msg.value, openUntil, false);
    }

    /// @inheritdoc IStakingPool
    function receiveFromVault() external payable override {
        require(msg.sender == withdrawalVault || msg.sender == rewardsVault, OnlyVault(msg.sender));
    }

    // --- report ---

    /// @inheritdoc IStakingPool
    /// @dev In this order: vaults, gain, fee, payments, burn. Each step starts from the totals that the one before
    /// left; the token is told once, at the end.
    function applyReport(ReportData calldata report) external override returns (Outcome memory o) {
        require(msg.sender == oracle, OnlyOracle(msg.sender));
        (o.etherBefore, o.sharesBefore) = token.totals();
        LastReport memory last = _last;
        Policy memory policy_ = _policy;
        uint256 maxAprBp = policy_.maxAprBp;
        Change memory c;
        (c.gross, c.atValidators) = _takeIn(report);
        (c.gain, c.heldBack) = RebaseMath.recognise(c.gross, o.etherBefore, maxAprBp, report.elapsed);
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

        _settle(report, policy_, last, o, c);
        token.rebase(IStakedEther.Rebase(c.gain, c.paid, c.feeShares, c.burn, report.elapsed, operators));
        emit ReportApplied(report.refTime, c.gross, c.gain, c.heldBack, c.fee, c.paid, c.burn);
    }

    /// @inheritdoc IStakingPool
    /// @dev With F and cut-off of the last report: nothing that happened since changes what a request is paid.
    function continueFinalisation() external override returns (uint256 paid) {
        LastReport memory last = _last;
        Gate memory gate = _gate;
        require(_mayFinalise(last, gate), FinalisationNotAllowed());
        uint256 shares;
        (paid, shares) = queue.finalise(last.finalisationRate, gate.cutoff, buffer());
        require(paid != 0, NothingToFinalise());
        uint256 burned = token.payWithdrawals(paid, shares);
        _reserves.cover += (shares - burned).toUint128();
        emit FinalisationContinued(paid, burned);
    }

    // --- registries ---

    /// @inheritdoc IStakingPool
    function fundValidators(bytes[] calldata pubkeys) external override returns (uint256 bondShares) {
        require(msg.sender == validators, OnlyValidators(msg.sender));
        bondShares = _fund(pubkeys.length);
        bytes memory data = DepositData.template(_credentials);
        for (uint256 i = 0; i < pubkeys.length; ++i) _topUp(data, pubkeys[i]);
    }

    /// @inheritdoc IStakingPool
    function fundOwn(bytes calldata pubkey, address staker) external payable override returns (uint256 bondShares) {
        require(msg.sender == validators, OnlyValidators(msg.sender));
        require(msg.value == TOP_UP, WrongValue(msg.value, TOP_UP));
        _deposit(staker, staker, TOP_UP, address(0));
        bondShares = _noteFunding(1);
        _topUp(DepositData.template(_credentials), pubkey);
    }

    /// @inheritdoc IStakingPool
    /// @dev One that is in the last report moves the time alone; later ones are counted until a report has them
    /// (decision 014).
    function noteSlashing(uint256 slotTime) external override {
        require(msg.sender == validators, OnlyValidators(msg.sender));
        Gate memory gate = _gate;
        if (slotTime > gate.slashingTime) gate.slashingTime = uint40(slotTime);
        // a count that is full stops payments as well as a larger one would
        if (slotTime > _last.refTime && gate.slashed < type(uint16).max) ++gate.slashed;
        _gate = gate;
        emit SlashingNoted(slotTime);
    }

    /// @inheritdoc IStakingPool
    function hold() external override {
        require(msg.sender == oracle, OnlyOracle(msg.sender));
        // the second of a deadline still counts
        _gate.openUntil = uint40(block.timestamp - 1);
        emit Held();
    }

    /// @inheritdoc IStakingPool
    /// @dev Within finalise or settleReport, which this pool called: the queue asks nobody but its caller.
    function payQueue(uint256 amount) external override {
        require(msg.sender == address(queue), OnlyQueue(msg.sender));
        (bool sent, ) = msg.sender.call{value: amount}("");
        require(sent, TransferFailed(msg.sender, amount));
    }

    /// @inheritdoc IStakingPool
    function addCover(uint256 shares) external override {
        require(msg.sender == operators, OnlyOperators(msg.sender));
        _reserves.cover += shares.toUint128();
        emit CoverAdded(shares);
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
        IOperatorRegistry(operators).setTotalFee(policy_.feeBp);
    }

    // --- views ---

    /// @notice Fee, limits and treasury in force.
    function policy() external view returns (Policy memory) {
        return _policy;
    }

    /// @notice Whether deposits are paused by a role (a fall or an overdue report also stops them; see books()).
    function depositsPaused() external view returns (bool) {
        return _gate.paused;
    }

    // --- internal ---

    /// @dev Stakes `amount` wei, which this contract has already. The ceiling is compared with the T that the token
    /// returns, after the mint, so that T is read once.
    /// @return shares minted, rounded down
    function _deposit(
        address sender,
        address receiver,
        uint256 amount,
        address referral
    ) private returns (uint256 shares) {
        // one after another, before any call: the compiler reads the slot once
        (uint256 ceiling, uint256 openUntil, bool paused) = (_gate.ceiling, _gate.openUntil, _gate.paused);
        require(amount != 0, ZeroDeposit());
        require(!paused, DepositsArePaused());
        require(block.timestamp <= openUntil, ReportOverdue(openUntil));
        uint256 totalEther;
        (shares, totalEther) = token.mint(receiver, amount);
        require(totalEther <= ceiling, DepositCapReached(totalEther, ceiling));
        emit Deposited(sender, receiver, amount, shares, referral);
    }

    /// @dev A claim that is paid to this address would be minted to the queue, and lost.
    function _depositPlain() private {
        require(msg.sender != address(queue), StakesForQueue());
        _deposit(msg.sender, msg.sender, msg.value, address(0));
    }

    /// @dev Books the funding of `count` validators by the buffer.
    function _fund(uint256 count) internal returns (uint256 bondShares) {
        uint256 available = depositable();
        require(count * TOP_UP <= available, NotDepositable(count * TOP_UP, available));
        return _noteFunding(count);
    }

    /// @dev Deposits 31 ETH for a validator. `data` is the template of the calls to the deposit contract, changed in place.
    function _topUp(bytes memory data, bytes calldata pubkey) private {
        data.setTopUp(pubkey, _credentials);
        data.callWith(depositContract, TOP_UP);
    }

    /// @dev Books `count` validators as funded now, and mints their predeposits as bond. Not while a report is overdue: no
    /// funding lies between the reference of a report that may still come and a later one.
    function _noteFunding(uint256 count) private returns (uint256 bondShares) {
        uint256 openUntil = _gate.openUntil;
        require(block.timestamp <= openUntil, ReportOverdue(openUntil));
        Beacon memory beacon = _beacon;
        uint256 boundary = _boundaryBefore(beacon, block.timestamp);
        if (boundary != beacon.boundary) (beacon.boundary, beacon.fundedBefore) = (uint40(boundary), beacon.funded);
        beacon.funded += count.toUint24();
        beacon.fundedAt = uint40(block.timestamp);
        _beacon = beacon;
        (bondShares, ) = token.mint(operators, count * PREDEPOSIT);
        emit ValidatorsFunded(count, bondShares);
    }

    /// @dev Takes the reported ether in.
    /// @return gross change since the last report, held-back gains included
    /// @return atValidators ether at validators from now on
    function _takeIn(ReportData calldata report) private returns (int256 gross, uint256 atValidators) {
        uint256 reportedAt = _leaving.reportedAt;
        require(report.refTime >= reportedAt, ReferenceTooOld(report.refTime, reportedAt));
        _leaving = Leaving(report.leaving.toUint96(), uint40(block.timestamp));
        Beacon memory beacon = _beacon;
        uint256 swept =
            _sweepVault(withdrawalVault, report.withdrawalVaultBalance) +
                _sweepVault(rewardsVault, report.rewardsVaultBalance);
        // the report's balance has what was funded by its reference, and nothing of what came later
        uint256 fundedAtRef = _fundedAt(beacon, report.refTime);
        uint256 expected = beacon.clLast + (fundedAtRef - beacon.fundedAtLastRef) * VALIDATOR_DEPOSIT;
        (beacon.clLast, beacon.fundedAtLastRef) = (report.clBalance.toUint96(), uint24(fundedAtRef));
        _beacon = beacon;
        uint256 inflow = report.clBalance + swept + _reserves.heldBack;
        gross = int256(inflow) - int256(expected);
        atValidators = report.clBalance + (beacon.funded - fundedAtRef) * VALIDATOR_DEPOSIT;
    }

    /// @dev Takes what the report saw in a vault. What came since is in the next reference's balance.
    /// @return wei swept
    function _sweepVault(address vault, uint256 reported) private returns (uint256) {
        uint256 held = vault.balance;
        require(reported <= held, VaultBalanceImpossible(vault, reported, held));
        if (reported != 0) IEtherVault(vault).sweep(reported);
        return reported;
    }

    /// @dev Pays what may be paid, burns from cover within the limit, and writes the books.
    function _settle(
        ReportData calldata report,
        Policy memory policy_,
        LastReport memory last,
        Outcome memory o,
        Change memory c
    ) private {
        Gate memory gate = _gate;
        last.finalisationRate = ShareMath.rateDown(o.etherAfter, o.sharesAfter).toUint104();
        last.refTime = uint40(report.refTime);
        bool fell = _fell(o, 1);
        // slashings proven in states up to the reference are in the report; of later ones some may not be
        if (gate.slashingTime <= report.refTime) gate.slashed = 0;
        (gate.slashedEarlier, gate.slashed) = (gate.slashed, 0);
        last.finalisable = !report.incident && !fell && _tolerates(gate.slashedEarlier, o.etherAfter);
        uint256 cover;
        (c.paid, cover) = queue.settleReport(
            report.nextCutoff,
            last.finalisationRate,
            last.finalisable ? report.cutoff : 0,
            // the buffer, gain and sweeps included
            o.etherAfter + c.heldBack - c.atValidators
        );
        cover += _reserves.cover;
        uint256 etherLeft = o.etherAfter - c.paid;
        c.burn = RebaseMath.burnable(cover, etherLeft, o, policy_.maxAprBp, report.elapsed);
        _reserves = Reserves((cover - c.burn).toUint128(), c.heldBack.toUint128());
        uint256 rateAfter = ShareMath.rateUp(etherLeft, o.sharesAfter - c.burn);
        if (rateAfter > last.highWaterRate) last.highWaterRate = rateAfter.toUint104();
        _last = last;
        gate.cutoff = report.cutoff.toUint40();
        _openGate(gate, policy_, etherLeft, report.openUntil, fell && _fell(o, PAUSING_FALL_BP));
    }

    /// @dev Whether gain and fee lowered the rate by more than `bp`. Payments and burns do not count: they come after.
    function _fell(Outcome memory o, uint256 bp) private pure returns (bool) {
        return RebaseMath.fell(o.etherBefore, o.sharesBefore, o.etherAfter, o.sharesAfter, bp);
    }

    /// @dev Saves the gate with what deposits may do until the next report: bring T up to the ceiling, until
    /// `openUntil`. The ceiling is the cap above `totalEther`; after a deep fall it is zero, below any T.
    function _openGate(
        Gate memory gate,
        Policy memory policy_,
        uint256 totalEther,
        uint256 openUntil,
        bool fell
    ) private {
        gate.ceiling = fell ? 0 : (totalEther + uint256(policy_.depositCapGwei) * GWEI).toUint96();
        gate.openUntil = openUntil.toUint40();
        _gate = gate;
    }

    /// @dev A cap of zero stops deposits from the next report on; that is within the limits.
    function _setPolicy(Policy memory policy_) private {
        require(policy_.treasury != address(0), ZeroAddress());
        require(policy_.feeBp <= MAX_FEE_BP, OutOfRange(policy_.feeBp, MAX_FEE_BP));
        require(policy_.maxAprBp <= MAX_MAX_APR_BP, OutOfRange(policy_.maxAprBp, MAX_MAX_APR_BP));
        _policy = policy_;
        emit PolicyChanged(policy_.treasury, policy_.feeBp, policy_.maxAprBp, policy_.depositCapGwei);
    }
}
