// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStakedEther} from "./IStakedEther.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {Permit} from "../shared/Permit.sol";
import {RateRails} from "./RateRails.sol";
import {SHARES_PER_WEI} from "../shared/Units.sol";
import {ShareMath} from "../shared/ShareMath.sol";

/// @title StakedEther (estETH)
/// @notice Balances: an account holds shares; `balanceOf` shows them as ether, floored with a tolerance of 1/1024 wei.
/// Transfers: move min(floor(amount * S / T), shares held), so a full transfer always empties the account.
/// Rate: T / S changes only in `rebase`, within the rails of RateRails; mints and payments round in favour of holders.
/// Authority: the pool mints and rebases, the queue pulls shares of whoever asked it to, governance replaces the pool.
contract StakedEther is IStakedEther, IERC20Metadata, IERC20Errors, Permit, AccessManaged {
    using RateRails for RateRails.Rails;
    using SafeCast for uint256;
    using ShareMath for uint256;

    struct Totals {
        uint128 ether_; // T, wei
        uint128 shares; // S, 27 decimals
    }

    struct RateCheckpoint {
        uint48 timestamp;
        uint208 rate; // ray
    }

    uint256 public constant MIN_BOOTSTRAP = 0.01 ether;
    /// @dev Where the first deposit is locked for ever.
    address public constant LOCKED = address(0xdead);
    uint256 private constant MAX_RATE = type(uint104).max; // the queue and the pool keep rates in 104 bits

    string public constant override name = "Estuary Staked Ether";
    string public constant override symbol = "estETH";
    uint8 public constant override decimals = 18;

    address public immutable override queue;

    Totals private _totals;
    mapping(address account => uint256) private _shares;
    mapping(address owner => mapping(address spender => uint256)) private _allowances;
    address public override pool;
    RateRails.Rails private _rails;
    mapping(uint256 index => RateCheckpoint) private _checkpoints;

    modifier onlyPool() {
        require(msg.sender == pool, OnlyPool(msg.sender, pool));
        _;
    }

    modifier onlyQueue() {
        require(msg.sender == queue, OnlyQueue(msg.sender, queue));
        _;
    }

    constructor(address authority_, address queue_) AccessManaged(authority_) EIP712("Estuary Staked Ether", "1") {
        queue = queue_;
    }

    // --- ERC-20 ---

    /// @inheritdoc IERC20
    function totalSupply() external view override returns (uint256) {
        return _totals.ether_;
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) external view override returns (uint256) {
        Totals memory t = _totals;
        return _displayed(_shares[account], t);
    }

    /// @inheritdoc IERC20
    function allowance(address owner, address spender) external view override returns (uint256) {
        return _allowances[owner][spender];
    }

    /// @inheritdoc IERC20
    function approve(address spender, uint256 value) external override returns (bool) {
        _approve(msg.sender, spender, value, true);
        return true;
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
        Totals memory t = _totals;
        amount = shares.toEtherDown(t.ether_, t.shares);
        _moveShares(msg.sender, to, shares);
        emit Transfer(msg.sender, to, amount);
    }

    /// @inheritdoc IStakedEther
    function transferSharesFrom(address from, address to, uint256 shares) external override returns (uint256 amount) {
        Totals memory t = _totals;
        require(shares <= type(uint128).max, SharesExceedBalance(from, shares, _shares[from]));
        _spendAllowance(from, msg.sender, shares.toEtherUp(t.ether_, t.shares));
        amount = shares.toEtherDown(t.ether_, t.shares);
        _moveShares(from, to, shares);
        emit Transfer(from, to, amount);
    }

    /// @inheritdoc IStakedEther
    function sharesOf(address account) external view override returns (uint256) {
        return _shares[account];
    }

    /// @inheritdoc IStakedEther
    function getTotalShares() external view override returns (uint256) {
        return _totals.shares;
    }

    /// @inheritdoc IStakedEther
    function getTotalPooledEther() external view override returns (uint256) {
        return _totals.ether_;
    }

    /// @inheritdoc IStakedEther
    function totals() external view override returns (uint256 totalEther, uint256 totalShares) {
        Totals memory t = _totals;
        return (t.ether_, t.shares);
    }

    /// @inheritdoc IStakedEther
    function getSharesByPooledEth(uint256 amount) external view override returns (uint256) {
        Totals memory t = _totals;
        return t.shares == 0 ? amount * SHARES_PER_WEI : Math.mulDiv(amount, t.shares, t.ether_);
    }

    /// @inheritdoc IStakedEther
    function getPooledEthByShares(uint256 shares) external view override returns (uint256) {
        Totals memory t = _totals;
        return t.shares == 0 ? shares / SHARES_PER_WEI : Math.mulDiv(shares, t.ether_, t.shares);
    }

    // --- rate history ---

    /// @inheritdoc IStakedEther
    function rate() external view override returns (uint256) {
        Totals memory t = _totals;
        return _rate(t);
    }

    /// @inheritdoc IStakedEther
    function rateAt(uint256 timestamp) external view override returns (uint256) {
        uint256 low = 0; // first index after `timestamp` lies in [low, high]
        uint256 high = _rails.checkpoints;
        while (low < high) {
            uint256 mid = (low + high) / 2;
            if (_checkpoints[mid].timestamp > timestamp) high = mid;
            else low = mid + 1;
        }
        require(high > 0, NoRateAt(timestamp));
        return _checkpoints[high - 1].rate;
    }

    // --- pool ---

    /// @inheritdoc IStakedEther
    function mint(address to, uint256 amount) external override onlyPool returns (uint256 shares, uint256 totalEther) {
        Totals memory t = _totals;
        _requireReceiver(to);
        require(amount <= type(uint128).max - t.ether_, TotalOverflow(amount));
        shares = amount.toSharesDown(t.ether_, t.shares);
        totalEther = t.ether_ + amount;
        _totals = Totals(uint128(totalEther), (t.shares + shares).toUint128());
        unchecked {
            _shares[to] += shares; // at most the total, just checked
        }
        emit Transfer(address(0), to, amount);
    }

    /// @inheritdoc IStakedEther
    function bootstrap(uint256 amount) external override onlyPool {
        require(_totals.shares == 0, AlreadyBootstrapped(_totals.shares));
        require(amount >= MIN_BOOTSTRAP, BootstrapTooSmall(amount, MIN_BOOTSTRAP));
        uint256 shares = amount * SHARES_PER_WEI;
        Totals memory t = Totals(amount.toUint128(), shares.toUint128());
        _totals = t;
        _shares[LOCKED] = shares;
        _rails.updatedAt = uint64(block.timestamp);
        _pushRate(_rails, t);
        emit Transfer(address(0), LOCKED, amount);
    }

    /// @inheritdoc IStakedEther
    function rebase(Rebase calldata change) external override onlyPool {
        Totals memory t = _totals;
        uint256 feeShares = change.operatorFeeShares + change.treasuryFeeShares;
        uint256 maxFeeShares = RateRails.maxFeeShares(t.ether_, t.shares, change.etherDelta);
        require(feeShares <= maxFeeShares, FeeTooHigh(feeShares, maxFeeShares));

        uint256 newEther = uint256(int256(uint256(t.ether_)) + change.etherDelta) - change.etherPaid;
        uint256 newShares = t.shares + feeShares - change.burnShares;
        Totals memory next = Totals(newEther.toUint128(), newShares.toUint128());
        require(next.ether_ != 0 && next.shares != 0, RateOutOfRange());
        _totals = next;
        if (change.burnShares != 0) _shares[queue] -= change.burnShares;

        _spendRails(t, next);
        emit TokenRebased(block.timestamp, change.elapsed, t.shares, t.ether_, newShares, newEther, feeShares);
        _mintFee(change.operators, change.operatorFeeShares, next);
        _mintFee(change.treasury, change.treasuryFeeShares, next);
    }

    /// @inheritdoc IStakedEther
    function payWithdrawals(
        uint256 amount,
        uint256 maxShares
    ) external override onlyPool returns (uint256 sharesBurned) {
        Totals memory t = _totals;
        sharesBurned = Math.min(amount.toSharesUp(t.ether_, t.shares), maxShares);
        _totals = Totals((t.ether_ - amount).toUint128(), (t.shares - sharesBurned).toUint128());
        _shares[queue] -= sharesBurned;
        emit WithdrawalsPaid(amount, sharesBurned);
    }

    // --- queue ---

    /// @inheritdoc IStakedEther
    function pullToQueue(address from, uint256 amount) external override onlyQueue returns (uint256 shares) {
        return _transferEther(from, queue, amount);
    }

    /// @inheritdoc IStakedEther
    function pullSharesToQueue(address from, uint256 shares) external override onlyQueue {
        Totals memory t = _totals;
        _moveShares(from, queue, shares);
        emit Transfer(from, queue, shares.toEtherDown(t.ether_, t.shares));
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

    function _transferEther(address from, address to, uint256 amount) private returns (uint256 shares) {
        Totals memory t = _totals;
        uint256 held = _shares[from];
        uint256 balance = _displayed(held, t);
        require(amount <= balance, ERC20InsufficientBalance(from, balance, amount));
        shares = amount == 0 ? 0 : Math.min(amount.toSharesDown(t.ether_, t.shares), held);
        _moveShares(from, to, shares);
        emit Transfer(from, to, amount);
    }

    function _moveShares(address from, address to, uint256 shares) private {
        _requireReceiver(to);
        uint256 held = _shares[from];
        require(shares <= held, SharesExceedBalance(from, shares, held));
        unchecked {
            _shares[from] = held - shares;
            _shares[to] += shares; // the sum of all shares fits 128 bits
        }
    }

    function _mintFee(address to, uint256 shares, Totals memory t) private {
        if (shares == 0) return;
        _shares[to] += shares;
        emit Transfer(address(0), to, shares.toEtherDown(t.ether_, t.shares));
    }

    function _spendRails(Totals memory t, Totals memory next) private {
        RateRails.Rails memory rails = _rails;
        uint256 allowed = rails.allowanceAt(block.timestamp);
        uint256 risen = RateRails.rise(t.ether_, t.shares, next.ether_, next.shares);
        require(risen <= allowed, RateRisesTooFast(risen, allowed));
        rails.allowance = uint128(allowed - risen);
        rails.updatedAt = uint64(block.timestamp);
        _pushRate(rails, next);
    }

    function _pushRate(RateRails.Rails memory rails, Totals memory t) private {
        uint256 rate_ = _rate(t);
        require(rate_ <= MAX_RATE, RateOutOfRange());
        _checkpoints[rails.checkpoints] = RateCheckpoint(uint48(block.timestamp), uint208(rate_));
        rails.checkpoints++;
        _rails = rails;
    }

    function _permit(address owner, address spender, uint256 value) internal override {
        _approve(owner, spender, value, true);
    }

    function _approve(address owner, address spender, uint256 value, bool emitEvent) private {
        require(owner != address(0), ERC20InvalidApprover(owner));
        require(spender != address(0), ERC20InvalidSpender(spender));
        _allowances[owner][spender] = value;
        if (emitEvent) emit Approval(owner, spender, value);
    }

    function _spendAllowance(address owner, address spender, uint256 value) private {
        uint256 allowed = _allowances[owner][spender];
        if (allowed == type(uint256).max) return;
        require(value <= allowed, ERC20InsufficientAllowance(spender, allowed, value));
        unchecked {
            _approve(owner, spender, allowed - value, false);
        }
    }

    function _requireReceiver(address to) private view {
        require(to != address(0) && to != address(this), ERC20InvalidReceiver(to));
    }

    function _displayed(uint256 shares, Totals memory t) private pure returns (uint256) {
        return t.shares == 0 ? 0 : shares.toEtherDisplayed(t.ether_, t.shares);
    }

    function _rate(Totals memory t) private pure returns (uint256) {
        return t.shares == 0 ? 0 : ShareMath.rateDown(t.ether_, t.shares);
    }
}
