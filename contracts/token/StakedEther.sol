// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Allowances} from "../shared/Allowances.sol";
import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStakedEther} from "./IStakedEther.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {RateRails} from "./RateRails.sol";
import {SHARES_PER_WEI} from "../shared/Units.sol";
import {ShareMath} from "../shared/ShareMath.sol";

/// @title StakedEther (estETH)
/// @notice Balances: an account holds shares; `balanceOf` shows them as ether, floored with a tolerance of 1/1024 wei.
/// Transfers: move min(floor(amount * S / T), shares held), so a full transfer always succeeds; less than a wei of shares may stay behind.
/// Rate: T / S changes only in `rebase`, within the rails of RateRails; mints and payments round in favour of holders.
/// Authority: the pool mints and rebases, the queue pulls shares of whoever asked it to, governance replaces the pool.
contract StakedEther is IStakedEther, IERC20Metadata, Allowances, AccessManaged {
    using RateRails for RateRails.Rails;
    using SafeCast for int256;
    using SafeCast for uint256;
    using ShareMath for uint256;

    /// @dev One slot of the history: the rate from this report to the next.
    struct RateCheckpoint {
        uint48 timestamp;
        uint208 rate; // ray
    }

    /// @notice The least that opens the ledger, in wei. It stays locked: the totals are never zero again.
    uint256 public constant MIN_BOOTSTRAP = 0.01 ether;
    /// @dev Where the first deposit is locked for ever.
    address public constant LOCKED = address(0xdead);
    /// @dev How many reports the rate history keeps: over a year of daily ones. The ring is filled at deployment, so that
    /// a report never pays for a new slot.
    uint256 private constant HISTORY = 400;
    uint208 private constant NO_RATE = 1; // a place of the ring not yet written; no real rate is that low
    uint256 private constant MAX_RATE = type(uint104).max; // the queue and the pool keep rates in 104 bits

    /// @inheritdoc IERC20Metadata
    string public constant override name = "Estuary Staked Ether";
    /// @inheritdoc IERC20Metadata
    string public constant override symbol = "estETH";
    /// @inheritdoc IERC20Metadata
    uint8 public constant override decimals = 18;

    /// @inheritdoc IStakedEther
    address public immutable override queue;

    /// @dev Both totals in one word: a stake reads and writes one slot for them.
    uint256 private _totals; // S (27 decimals) << 128 | T (wei)
    /// @dev 27 decimals. Their sum is S, which fits 128 bits: additions need no check of their own.
    mapping(address account => uint256) private _shares;
    /// @inheritdoc IStakedEther
    address public override pool;
    /// @dev Allowance of the rate, and the counters that reports write with it.
    RateRails.Rails private _rails;
    /// @dev A ring, in order of time from `nextCheckpoint` on.
    RateCheckpoint[HISTORY] private _history;

    /// @dev The pool of now: a replaced one is refused from its replacement on.
    modifier onlyPool() {
        require(msg.sender == pool, OnlyPool(msg.sender, pool));
        _;
    }

    /// @dev Whose one power is to pull shares of an account that called it.
    modifier onlyQueue() {
        require(msg.sender == queue, OnlyQueue(msg.sender, queue));
        _;
    }

    /// @param authority_ the AccessManager that says who may replace the pool
    /// @param queue_ to which the token is bound for ever
    constructor(address authority_, address queue_) AccessManaged(authority_) EIP712("Estuary Staked Ether", "1") {
        queue = queue_;
        for (uint256 i; i < HISTORY; ++i) _history[i].rate = NO_RATE;
    }

    // --- ERC-20 ---

    /// @inheritdoc IERC20
    function totalSupply() external view override returns (uint256) {
        return uint128(_totals);
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) external view override returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = totals();
        return totalShares == 0 ? 0 : _shares[account].toEtherDisplayed(totalEther, totalShares);
    }

    /// @inheritdoc IERC20
    function transfer(address to, uint256 amount) external override returns (bool) {
        _transferEther(msg.sender, to, amount);
        return true;
    }

    /// @inheritdoc IERC20
    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        _spendAllowance(from, msg.sender, amount);
        _transferEther(from, to, amount);
        return true;
    }

    // --- shares ---

    /// @inheritdoc IStakedEther
    function transferShares(address to, uint256 shares) external override returns (uint256 amount) {
        return _transferShares(msg.sender, to, shares);
    }

    /// @inheritdoc IStakedEther
    function transferSharesFrom(address from, address to, uint256 shares) external override returns (uint256 amount) {
        (uint256 totalEther, uint256 totalShares) = totals();
        require(shares <= type(uint128).max, SharesExceedBalance(from, shares, _shares[from]));
        _spendAllowance(from, msg.sender, shares.toEtherUp(totalEther, totalShares));
        return _transferShares(from, to, shares);
    }

    /// @inheritdoc IStakedEther
    function sharesOf(address account) external view override returns (uint256) {
        return _shares[account];
    }

    /// @inheritdoc IStakedEther
    function getTotalShares() external view override returns (uint256) {
        return _totals >> 128;
    }

    /// @inheritdoc IStakedEther
    function getTotalPooledEther() external view override returns (uint256) {
        return uint128(_totals);
    }

    /// @inheritdoc IStakedEther
    function totals() public view override returns (uint256 totalEther, uint256 totalShares) {
        uint256 packed = _totals;
        return (uint128(packed), packed >> 128);
    }

    /// @inheritdoc IStakedEther
    function getSharesByPooledEth(uint256 amount) external view override returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = totals();
        return totalShares == 0 ? amount * SHARES_PER_WEI : Math.mulDiv(amount, totalShares, totalEther);
    }

    /// @inheritdoc IStakedEther
    function getPooledEthByShares(uint256 shares) external view override returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = totals();
        return totalShares == 0 ? shares / SHARES_PER_WEI : Math.mulDiv(shares, totalEther, totalShares);
    }

    // --- rate history ---

    /// @inheritdoc IStakedEther
    function rate() external view override returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = totals();
        return totalShares == 0 ? 0 : ShareMath.rateDown(totalEther, totalShares);
    }

    /// @inheritdoc IStakedEther
    function rateAt(uint256 timestamp) external view override returns (uint256) {
        uint256 oldest = _rails.nextCheckpoint;
        uint256 low = 0; // the age, from the oldest on, of the first checkpoint after `timestamp` lies in [low, high]
        uint256 high = HISTORY;
        while (low < high) {
            uint256 mid = (low + high) / 2;
            if (_history[(oldest + mid) % HISTORY].timestamp > timestamp) high = mid;
            else low = mid + 1;
        }
        uint256 rate_ = low == 0 ? NO_RATE : _history[(oldest + low - 1) % HISTORY].rate;
        require(rate_ != NO_RATE, NoRateAt(timestamp));
        return rate_;
    }

    /// @inheritdoc IStakedEther
    function totalFeeShares() external view override returns (uint256) {
        return _rails.feeShares;
    }

    // --- pool ---

    /// @inheritdoc IStakedEther
    function mint(address to, uint256 amount) external override onlyPool returns (uint256 shares, uint256 totalEther) {
        uint256 totalShares;
        (totalEther, totalShares) = totals();
        _requireReceiver(to);
        require(amount <= type(uint128).max - totalEther, TotalOverflow(amount));
        shares = amount.toSharesDown(totalEther, totalShares);
        unchecked {
            totalEther += amount;
            _totals = (uint256((totalShares + shares).toUint128()) << 128) | totalEther;
            _shares[to] += shares; // at most the total, just checked
        }
        emit Transfer(address(0), to, amount);
    }

    /// @inheritdoc IStakedEther
    function bootstrap(uint256 amount) external override onlyPool {
        (, uint256 totalShares) = totals();
        require(totalShares == 0, AlreadyBootstrapped(totalShares));
        require(amount >= MIN_BOOTSTRAP, BootstrapTooSmall(amount, MIN_BOOTSTRAP));
        uint256 shares = amount * SHARES_PER_WEI;
        _setTotals(amount, shares);
        _shares[LOCKED] = shares;
        _pushRate(RateRails.Rails(uint64(RateRails.FIRST_ALLOWANCE), uint40(block.timestamp), 0, 0), amount, shares);
        emit Transfer(address(0), LOCKED, amount);
    }

    /// @inheritdoc IStakedEther
    /// @dev Fee and rise are bounded here again, whatever the pool computed: it can be replaced, this contract can't.
    function rebase(Rebase calldata change) external override onlyPool {
        (uint256 totalEther, uint256 totalShares) = totals();
        uint256 feeShares = change.feeShares;
        uint256 maxFeeShares = RateRails.maxFeeShares(totalEther, totalShares, change.etherDelta);
        require(feeShares <= maxFeeShares, FeeTooHigh(feeShares, maxFeeShares));

        uint256 newEther = (totalEther.toInt256() + change.etherDelta).toUint256() - change.etherPaid;
        uint256 newShares = totalShares + feeShares - change.burnShares;
        require(newEther != 0 && newShares != 0, RateOutOfRange());
        _setTotals(newEther, newShares);
        // never more than the queue's account has: others' shares are out of reach
        if (change.burnShares != 0) _shares[queue] -= change.burnShares;

        _spendRails(totalEther, totalShares, newEther, newShares, feeShares);
        emit TokenRebased(block.timestamp, change.elapsed, totalShares, totalEther, newShares, newEther, feeShares);
        if (feeShares == 0) return;
        _shares[change.feeReceiver] += feeShares;
        emit Transfer(address(0), change.feeReceiver, feeShares.toEtherDown(newEther, newShares));
    }

    /// @inheritdoc IStakedEther
    /// @dev What is burned is worth what is paid, rounded up: the rate does not fall.
    function payWithdrawals(
        uint256 amount,
        uint256 maxShares
    ) external override onlyPool returns (uint256 sharesBurned) {
        (uint256 totalEther, uint256 totalShares) = totals();
        uint256 left = totalEther - amount;
        sharesBurned = Math.min(amount.toSharesUp(totalEther, totalShares), maxShares);
        _setTotals(left, totalShares - sharesBurned);
        _shares[queue] -= sharesBurned;
        emit WithdrawalsPaid(amount, sharesBurned);
    }

    // --- queue ---

    /// @inheritdoc IStakedEther
    function pullToQueue(address from, uint256 amount) external override onlyQueue returns (uint256 shares) {
        return _transferEther(from, msg.sender, amount);
    }

    /// @inheritdoc IStakedEther
    function pullSharesToQueue(address from, uint256 shares) external override onlyQueue {
        _transferShares(from, msg.sender, shares);
    }

    // --- governance ---

    /// @inheritdoc IStakedEther
    function replacePool(address newPool) external override restricted {
        address oldPool = pool;
        require(newPool.code.length != 0 && newPool != oldPool, InvalidPool(newPool));
        pool = newPool;
        emit PoolChanged(oldPool, newPool);
        if (oldPool != address(0)) IStakingPool(oldPool).handOver(newPool);
    }

    // --- internal ---

    /// @dev Moves floor(amount * S / T) shares, or all where that is more than there is.
    /// @return shares moved, possibly zero
    function _transferEther(address from, address to, uint256 amount) private returns (uint256 shares) {
        (uint256 totalEther, uint256 totalShares) = totals();
        uint256 held = _shares[from];
        uint256 balance = held.toEtherDisplayed(totalEther, totalShares);
        require(amount <= balance, ERC20InsufficientBalance(from, balance, amount));
        shares = amount.toSharesDown(totalEther, totalShares);
        if (shares > held) shares = held; // a full transfer: the balance shows up to 1/1024 wei more than there is
        _moveShares(from, to, shares, held);
        emit Transfer(from, to, amount);
    }

    /// @dev Moves exactly `shares`.
    /// @return amount wei that they stand for, rounded down; the event has it too
    function _transferShares(address from, address to, uint256 shares) private returns (uint256 amount) {
        (uint256 totalEther, uint256 totalShares) = totals();
        uint256 held = _shares[from];
        require(shares <= held, SharesExceedBalance(from, shares, held));
        _moveShares(from, to, shares, held);
        amount = shares.toEtherDown(totalEther, totalShares);
        emit Transfer(from, to, amount);
    }

    /// @dev `shares` are at most `held`, what `from` has; the sum of all shares fits 128 bits.
    function _moveShares(address from, address to, uint256 shares, uint256 held) private {
        _requireReceiver(to);
        unchecked {
            _shares[from] = held - shares;
            _shares[to] += shares;
        }
    }

    /// @dev Takes the rise from (ether0, shares0) to (ether1, shares1) out of the allowance, and records the new rate.
    function _spendRails(uint256 ether0, uint256 shares0, uint256 ether1, uint256 shares1, uint256 feeShares) private {
        RateRails.Rails memory rails = _rails;
        uint256 allowed = rails.allowanceAt(block.timestamp);
        uint256 risen = RateRails.rise(ether0, shares0, ether1, shares1);
        require(risen <= allowed, RateRisesTooFast(risen, allowed));
        rails.allowance = uint64(allowed - risen);
        rails.updatedAt = uint40(block.timestamp);
        rails.feeShares += feeShares.toUint120();
        _pushRate(rails, ether1, shares1);
    }

    /// @dev Writes the rate into the ring, over the oldest one, and saves `rails` with the next place.
    function _pushRate(RateRails.Rails memory rails, uint256 totalEther, uint256 totalShares) private {
        uint256 rate_ = ShareMath.rateDown(totalEther, totalShares);
        require(rate_ > NO_RATE && rate_ <= MAX_RATE, RateOutOfRange());
        _history[rails.nextCheckpoint] = RateCheckpoint(uint48(block.timestamp), uint208(rate_));
        rails.nextCheckpoint = uint32((rails.nextCheckpoint + 1) % HISTORY);
        _rails = rails;
    }

    /// @dev Reverts where either does not fit 128 bits: ShareMath relies on that.
    function _setTotals(uint256 totalEther, uint256 totalShares) private {
        _totals = (uint256(totalShares.toUint128()) << 128) | totalEther.toUint128();
    }

    /// @dev What is sent to this contract could never be moved again.
    function _requireReceiver(address to) private view {
        require(to != address(0) && to != address(this), ERC20InvalidReceiver(to));
    }
}
