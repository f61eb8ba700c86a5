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
import {SSZ} from "../shared/SSZ.sol";
import {ShareMath} from "../shared/ShareMath.sol";

/// @title StakingPool
/// @notice Deposits: write in the token only; a ceiling on T and a deadline, set by each report, pause them.
/// Reports: one direction (oracle -> pool -> vaults, queue, token); gains clamp, falls are taken whole. The fee goes to the
/// operator registry, which divides it between operators and treasury.
/// Payments: ether of finalised requests leaves for the queue in the same transaction.
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

    uint256 public constant MAX_FEE_BP = 2000;
    uint256 public constant MAX_MAX_APR_BP = 3000;
    /// @dev A fall deeper than this pauses deposits until the next report.
    uint256 public constant PAUSING_FALL_BP = 5;

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
    function continueFinalisation() external override returns (uint256 paid) {
        LastReport memory last = _last;
        Gate memory gate = _gate;
        require(
            last.finalisable && gate.slashingTime <= last.refTime && block.timestamp <= gate.openUntil,
            FinalisationNotAllowed()
        );
        uint256 shares;
        (paid, shares) = queue.finalise(last.finalisationRate, gate.cutoff, buffer());
        require(paid != 0, NothingToFinalise());
        _send(address(queue), paid);
        uint256 burned = token.payWithdrawals(paid, shares);
        _reserves.cover += (shares - burned).toUint128();
        emit FinalisationContinued(paid, burned);
    }

    // --- registries ---

    /// @inheritdoc IStakingPool
    function fundValidators(bytes calldata pubkeys) external override returns (uint256 bondShares) {
        require(msg.sender == validators, OnlyValidators(msg.sender));
        uint256 count = pubkeys.length / SSZ.PUBKEY_LENGTH;
        require(pubkeys.length == count * SSZ.PUBKEY_LENGTH, SSZ.BadPubkeyLength(pubkeys.length));
        bondShares = _fund(count);
        bytes memory data = DepositData.template(_credentials);
        for (uint256 i = 0; i < pubkeys.length; i += SSZ.PUBKEY_LENGTH) {
            data.setTopUp(pubkeys[i:i + SSZ.PUBKEY_LENGTH], _credentials);
            data.callWith(depositContract, TOP_UP);
        }
    }

    /// @inheritdoc IStakingPool
    function noteOwnFunding(address staker) external override returns (uint256 bondShares) {
        require(msg.sender == validators, OnlyValidators(msg.sender));
        _deposit(staker, staker, TOP_UP, address(0));
        bondShares = _noteFunding(1);
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

    function _deposit(
        address sender,
        address receiver,
        uint256 amount,
        address referral
    ) private returns (uint256 shares) {
        Gate storage gate = _gate;
        require(amount != 0, ZeroDeposit());
        require(!gate.paused, DepositsArePaused());
        require(block.timestamp <= gate.openUntil, ReportOverdue(gate.openUntil));
        uint256 totalEther;
        (shares, totalEther) = token.mint(receiver, amount);
        require(totalEther <= gate.ceiling, DepositCapReached(totalEther, gate.ceiling));
        emit Deposited(sender, receiver, amount, shares, referral);
    }

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

    /// @dev Books `count` validators as funded now, and mints their predeposits as bond.
    function _noteFunding(uint256 count) private returns (uint256 bondShares) {
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
        (beacon.clLast, beacon.fundedAtLastRef) = (report.clBalance.toUint96(), uint24(fundedAtRef));
        _beacon = beacon;
        uint256 inflow = report.clBalance + withdrawals + rewards + _reserves.heldBack;
        gross = int256(inflow) - int256(expected);
        atValidators = report.clBalance + (beacon.funded - fundedAtRef) * VALIDATOR_DEPOSIT;
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
        Policy memory policy_,
        LastReport memory last,
        Outcome memory o,
        Change memory c
    ) private {
        Gate memory gate = _gate;
        last.finalisationRate = ShareMath.rateDown(o.etherAfter, o.sharesAfter).toUint104();
        last.refTime = uint40(report.refTime);
        bool fell = _fell(o, 1);
        last.finalisable = !report.incident && gate.slashingTime <= report.refTime && !fell;
        uint256 cover;
        (c.paid, cover) = queue.settleReport(
            report.nextCutoff,
            last.finalisationRate,
            last.finalisable ? report.cutoff : 0,
            o.etherAfter + c.heldBack - c.atValidators
        );
        if (c.paid != 0) _send(address(queue), c.paid);
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

    function _fell(Outcome memory o, uint256 bp) private pure returns (bool) {
        return RebaseMath.fell(o.etherBefore, o.sharesBefore, o.etherAfter, o.sharesAfter, bp);
    }

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
