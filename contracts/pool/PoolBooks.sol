// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IOperatorRegistry} from "../validators/IOperatorRegistry.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IStakingPool} from "./IStakingPool.sol";
import {IWithdrawalQueue} from "../withdrawals/IWithdrawalQueue.sol";
import {ShareMath} from "../shared/ShareMath.sol";
import {VALIDATOR_DEPOSIT} from "../shared/Units.sol";

/// @title PoolBooks
/// @notice What the pool knows, what derives from it, and how a successor takes it over. etherAtValidators = clLast +
/// funded - fundedAtLastRef; buffer = T + heldBack - etherAtValidators. No formula reads a balance, so forced ether changes
/// nothing.
abstract contract PoolBooks is IStakingPool {
    using ShareMath for uint256;

    /// @dev Read by every deposit.
    struct Gate {
        uint96 ceiling; // wei: T may not exceed it until the next report
        uint40 openUntil; // unix seconds; zero before the pool is open
        bool paused;
        uint40 slashingTime; // latest slot time at which a slashing was proven
        uint40 cutoff; // of the last report, unix seconds
        uint16 slashed; // proven since the last report, in states after its reference
        uint16 slashedEarlier; // those that the last report may not have contained
    }

    /// @dev One slot. Governance sets it within the contract's limits; each report applies it.
    struct Policy {
        address treasury;
        uint16 feeBp;
        uint16 maxAprBp;
        uint64 depositCapGwei; // how much T may grow by deposits between two reports
    }

    /// @dev One slot: read and written by fundings and reports. A validator counts 32 ETH, the predeposit included.
    struct Beacon {
        uint96 clLast; // wei
        uint24 fundedAtLastRef; // validators, cumulative: 32 ETH each
        uint24 fundedBefore; // validators, cumulative, by `boundary`
        uint24 funded; // validators, cumulative
        uint40 boundary; // the last reference time before the last funding, unix seconds
        uint40 fundedAt; // unix seconds of the last funding
    }

    /// @dev One slot, written by every report.
    struct Leaving {
        uint96 ether_; // wei at the last reference: on its way from validators
        uint40 reportedAt; // unix seconds of the last report's execution: no later reference precedes it
    }

    /// @dev One slot. Shares to be burned and gains to be recognised, so that neither moves the rate at once.
    struct Reserves {
        uint128 cover; // shares on the queue's account
        uint128 heldBack; // wei
    }

    /// @dev One slot, written by every report. The high-water rate never falls.
    struct LastReport {
        uint104 highWaterRate; // ray, rounded up
        uint104 finalisationRate; // ray: F
        uint40 refTime;
        bool finalisable;
    }

    /// @dev Fixed at deployment: other peers need another pool, which takes the books over.
    struct Peers {
        IStakedEther token;
        address withdrawalVault;
        address rewardsVault;
        address operators;
        address validators;
        address oracle;
        address depositContract;
        address predecessor; // the pool whose books this one takes over; zero for the first
    }

    /// @dev Ether for each slashing that is tolerated: one loses 0.1 ETH in the end, a basis point of that.
    uint256 private constant TOLERANCE = 1_000 ether;
    /// @dev Of more, the correlation between them counts.
    uint256 private constant MAX_TOLERATED = 400;

    /// @notice The ledger of T and S, which only the live pool may write.
    IStakedEther public immutable token;
    /// @notice The token's queue: where requests wait, and the ether of those that are paid.
    IWithdrawalQueue public immutable queue;
    /// @notice Where the consensus layer's withdrawals arrive. It is in every validator's credentials.
    address public immutable withdrawalVault;
    /// @notice Where tips arrive, as fee recipient.
    address public immutable rewardsVault;
    /// @inheritdoc IStakingPool
    address public immutable override operators;
    /// @inheritdoc IStakingPool
    address public immutable override validators;
    /// @inheritdoc IStakingPool
    address public immutable override oracle;
    /// @notice The only address that may hand books over to this pool; zero for the first.
    address public immutable predecessor;
    /// @notice The beacon chain's deposit contract. Ether goes from here to it, to the queue and to a successor, nowhere else.
    address public immutable depositContract;
    /// @dev Of the withdrawal vault: what is deposited comes back there and nowhere else.
    bytes32 internal immutable _credentials;
    uint256 private immutable _frame; // seconds between reference times

    // A slot each, in the order of the structs above.
    Gate internal _gate;
    Policy internal _policy;
    Beacon internal _beacon;
    Leaving internal _leaving;
    Reserves internal _reserves;
    LastReport internal _last;

    /// @dev Queue, frame and credentials (0x01, eleven zeros, the vault's address) follow from the peers.
    constructor(Peers memory peers) {
        token = peers.token;
        queue = IWithdrawalQueue(peers.token.queue());
        withdrawalVault = peers.withdrawalVault;
        rewardsVault = peers.rewardsVault;
        operators = peers.operators;
        validators = peers.validators;
        oracle = peers.oracle;
        require(peers.depositContract.code.length != 0, NoDepositContract(peers.depositContract));
        depositContract = peers.depositContract;
        _credentials = bytes32((uint256(1) << 248) | uint160(peers.withdrawalVault));
        predecessor = peers.predecessor;
        _frame = queue.frame();
    }

    // --- succession ---

    /// @inheritdoc IStakingPool
    function handOver(address newPool) external override {
        require(msg.sender == address(token), OnlyToken(msg.sender));
        Books memory all = books();
        // with the deadline zero no deposit, funding or payment is left to this pool
        delete _gate;
        emit HandedOver(newPool);
        // ether that was forced in goes along, in no book as before
        IStakingPool(newPool).takeOver{value: address(this).balance}(all);
    }

    /// @inheritdoc IStakingPool
    function takeOver(Books calldata b) external payable override {
        require(msg.sender == predecessor && token.pool() == address(this), OnlyPredecessor(msg.sender));
        _gate = Gate(
            uint96(b.depositCeiling),
            uint40(b.openUntil),
            // paused here or there: only a role lifts a pause
            b.paused || _gate.paused,
            uint40(b.slashingTime),
            uint40(b.lastCutoff),
            uint16(b.slashed),
            uint16(b.slashedEarlier)
        );
        _beacon = Beacon(
            uint96(b.clLast),
            uint24(b.fundedAtLastRef / VALIDATOR_DEPOSIT),
            uint24(b.fundedBefore / VALIDATOR_DEPOSIT),
            uint24(b.funded / VALIDATOR_DEPOSIT),
            uint40(b.fundingBoundary),
            uint40(b.fundedTime)
        );
        _leaving = Leaving(uint96(b.leaving), uint40(b.lastReportTime));
        _reserves = Reserves(uint128(b.cover), uint128(b.heldBack));
        _last = LastReport(uint104(b.highWaterRate), uint104(b.finalisationRate), uint40(b.lastRefTime), b.finalisable);
        // this pool's fee from now on: what was minted before is divided by the old one first
        IOperatorRegistry(operators).setTotalFee(_policy.feeBp);
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
        (uint256 totalEther, uint256 totalShares) = token.totals();
        uint256 promised_ = queue.unfinalisedShares().toEtherUp(totalEther, totalShares);
        return Math.saturatingSub(_buffer(totalEther, _reserves.heldBack), promised_);
    }

    /// @inheritdoc IStakingPool
    function exitDemand(uint256 asked) external view override returns (uint256) {
        // above etherAtValidators there is no demand: with all of that coming T is reached, and no more is promised
        return Math.saturatingSub(promised(), buffer() + _leaving.ether_ + asked * VALIDATOR_DEPOSIT);
    }

    /// @inheritdoc IStakingPool
    function calm() external view override returns (bool, uint256) {
        return (_mayFinalise(_last, _gate) && !queue.requestsPaused(), _last.refTime);
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
        (b.leaving, b.lastReportTime, b.paused) = (_leaving.ether_, _leaving.reportedAt, _gate.paused);
        (b.slashed, b.slashedEarlier) = (_gate.slashed, _gate.slashedEarlier);
        (b.depositCeiling, b.openUntil, b.slashingTime) = (_gate.ceiling, _gate.openUntil, _gate.slashingTime);
        b.fundedBefore = uint256(beacon.fundedBefore) * VALIDATOR_DEPOSIT;
        b.fundingBoundary = beacon.boundary;
    }

    /// @inheritdoc IStakingPool
    function treasury() external view override returns (address) {
        return _policy.treasury;
    }

    // --- internal ---

    /// @dev Whether requests may be paid by the last report's numbers, now.
    function _mayFinalise(LastReport memory last, Gate memory gate) internal view returns (bool) {
        return
            last.finalisable &&
            block.timestamp <= gate.openUntil &&
            _tolerates(uint256(gate.slashedEarlier) + gate.slashed, token.getTotalPooledEther());
    }

    /// @dev Whether so many slashings of 32 ETH that no report contains cost about a basis point of `totalEther` at most
    /// (decision 014).
    function _tolerates(uint256 slashings, uint256 totalEther) internal pure returns (bool) {
        return slashings <= MAX_TOLERATED && slashings * TOLERANCE <= totalEther;
    }

    /// @dev Validators funded by the reference time `time`, which is not before the boundary: nothing is funded once the
    /// boundary's report is overdue, less than a frame after it, and a later boundary has not come by then.
    function _fundedAt(Beacon memory beacon, uint256 time) internal pure returns (uint256) {
        return time >= beacon.fundedAt ? beacon.funded : beacon.fundedBefore;
    }

    /// @dev The last reference time before `time`.
    function _boundaryBefore(Beacon memory beacon, uint256 time) internal view returns (uint256) {
        if (time <= beacon.boundary) return beacon.boundary;
        return time - 1 - ((time - 1 - beacon.boundary) % _frame);
    }

    /// @dev T + heldBack - etherAtValidators, for a caller that has read the first two. Wei, exact. Never negative:
    /// each entry of the books moves both sides (docs/math.md).
    function _buffer(uint256 totalEther, uint256 heldBack) private view returns (uint256) {
        return totalEther + heldBack - etherAtValidators();
    }
}
