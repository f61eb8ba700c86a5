// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {BP, SHARES_PER_UNIT} from "../shared/Units.sol";
import {FeeCurve} from "./FeeCurve.sol";
import {IEtherPool} from "./IEtherPool.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {ShareMath} from "../shared/ShareMath.sol";

/// @title EtherPool
/// @notice Prices: the token's rate, and FeeCurve of the ether left. Halt: trades ask the staking pool whether it is calm, and
/// nothing else does. Liquidity: comes and leaves pro rata in both assets. Books: one slot; ether that is forced in and shares
/// that are sent in belong to nobody. Authority: nobody's; nothing changes but by these calls.
/// Order of a call: check, read, compute, pull shares, write, emit, send shares, send ether with all gas.
contract EtherPool is IEtherPool, ERC20Permit, ReentrancyGuardTransient {
    using FeeCurve for FeeCurve.Curve;
    using SafeCast for uint256;
    using ShareMath for uint256;

    /// @dev What the pool owns, in one slot.
    struct Books {
        uint96 ether_; // R, wei
        uint96 units; // L, 1e9 shares each
    }

    /// @notice The least that opens a pool, in wei. That much lp stays locked: reserve, supply and target are never all zero.
    uint256 public constant MIN_SEED = 0.1 ether;
    /// @notice Where the first lp are locked for ever.
    address public constant LOCKED = address(0xdead);
    uint256 private constant MAX_LP = type(uint96).max;

    /// @inheritdoc IEtherPool
    IStakedEther public immutable override token;
    /// @inheritdoc IEtherPool
    uint256 public immutable override minFeeBp;
    /// @inheritdoc IEtherPool
    uint256 public immutable override maxFeeBp;
    /// @inheritdoc IEtherPool
    uint256 public immutable override targetBp;
    /// @inheritdoc IEtherPool
    uint256 public immutable override rebateBp;
    /// @inheritdoc IEtherPool
    uint256 public immutable override entryFeeBp;

    Books private _books;

    /// @notice Opens the pool with msg.value of ether alone; as many lp are locked.
    constructor(
        IStakedEther token_,
        Parameters memory p
    ) payable ERC20("Estuary Ether Pool", "estLP") ERC20Permit("Estuary Ether Pool") {
        require(msg.value >= MIN_SEED, SeedTooSmall(msg.value, MIN_SEED));
        _requireWithin(p.minFeeBp, 1, 30);
        _requireWithin(p.maxFeeBp, p.minFeeBp + 1, 500);
        _requireWithin(p.targetBp, 1000, 8000);
        _requireWithin(p.rebateBp, 0, BP);
        _requireWithin(p.entryFeeBp, 0, 10);
        token = token_;
        (minFeeBp, maxFeeBp, targetBp) = (p.minFeeBp, p.maxFeeBp, p.targetBp);
        (rebateBp, entryFeeBp) = (p.rebateBp, p.entryFeeBp);
        _books.ether_ = msg.value.toUint96();
        _mint(LOCKED, msg.value);
        emit Entered(msg.sender, LOCKED, msg.value, msg.value, 0);
    }

    // --- trades ---

    /// @inheritdoc IEtherPool
    function sell(
        uint256 units,
        uint256 minEther,
        address receiver
    ) external override nonReentrant returns (uint256 ether_) {
        Books memory books = _books;
        uint256 worth;
        (worth, ether_) = _sold(units, books.ether_);
        require(ether_ >= minEther, BelowMinimum(ether_, minEther));
        _takeSale(books, units, worth, ether_, receiver);
    }

    /// @inheritdoc IEtherPool
    function sellFor(
        uint256 ether_,
        uint256 maxUnits,
        address receiver
    ) external override nonReentrant returns (uint256 units) {
        Books memory books = _books;
        uint256 worth;
        (worth, units) = _costOf(ether_, books.ether_);
        require(units <= maxUnits, AboveMaximum(units, maxUnits));
        _takeSale(books, units, worth, ether_, receiver);
    }

    /// @inheritdoc IEtherPool
    function buy(uint256 minUnits, address receiver) external payable override nonReentrant returns (uint256 units) {
        Books memory books = _books;
        uint256 worth;
        (worth, units) = _bought(msg.value, books);
        require(units >= minUnits, BelowMinimum(units, minUnits));
        unchecked {
            // the sum is at most the target
            _books = Books(uint96(books.ether_ + msg.value), uint96(books.units - units));
        }
        emit Bought(msg.sender, receiver, msg.value, worth, units);
        token.transferShares(receiver, _sharesOf(units));
    }

    // --- liquidity ---

    /// @inheritdoc IEtherPool
    function enter(
        uint256 lp,
        uint256 maxUnits,
        address receiver
    ) external payable override nonReentrant returns (uint256 ether_, uint256 units) {
        Books memory books = _books;
        (ether_, units) = _priceOf(lp, books);
        require(ether_ <= msg.value, AboveMaximum(ether_, msg.value));
        require(units <= maxUnits, AboveMaximum(units, maxUnits));
        token.transferSharesFrom(msg.sender, address(this), _sharesOf(units));
        _books = Books((books.ether_ + ether_).toUint96(), (books.units + units).toUint96());
        _mint(receiver, lp);
        emit Entered(msg.sender, receiver, lp, ether_, units);
        if (msg.value != ether_) _send(msg.sender, msg.value - ether_);
    }

    /// @inheritdoc IEtherPool
    function exit(
        uint256 lp,
        uint256 minEther,
        uint256 minUnits,
        address receiver
    ) external override nonReentrant returns (uint256 ether_, uint256 units) {
        Books memory books = _books;
        (ether_, units) = _partOf(lp, books);
        require(ether_ >= minEther, BelowMinimum(ether_, minEther));
        require(units >= minUnits, BelowMinimum(units, minUnits));
        _burn(msg.sender, lp);
        _books = Books(uint96(books.ether_ - ether_), uint96(books.units - units));
        emit Exited(msg.sender, receiver, lp, ether_, units);
        token.transferShares(receiver, _sharesOf(units));
        // a leaver of a drained pool need not take ether
        if (ether_ != 0) _send(receiver, ether_);
    }

    // --- quotes ---

    /// @inheritdoc IEtherPool
    function quoteSell(uint256 units) external view override returns (uint256 ether_) {
        (, ether_) = _sold(units, _books.ether_);
    }

    /// @inheritdoc IEtherPool
    function quoteSellFor(uint256 ether_) external view override returns (uint256 units) {
        (, units) = _costOf(ether_, _books.ether_);
    }

    /// @inheritdoc IEtherPool
    function quoteBuy(uint256 ether_) external view override returns (uint256 units) {
        (, units) = _bought(ether_, _books);
    }

    /// @inheritdoc IEtherPool
    function quoteEnter(uint256 lp) external view override returns (uint256 ether_, uint256 units) {
        return _priceOf(lp, _books);
    }

    /// @inheritdoc IEtherPool
    function quoteExit(uint256 lp) external view override returns (uint256 ether_, uint256 units) {
        return _partOf(lp, _books);
    }

    /// @inheritdoc IEtherPool
    function sellableWithin(uint256 feeBp) external view override returns (uint256 units) {
        if (!_isCalm()) return 0;
        (uint256 totalEther, uint256 totalShares) = token.totals();
        return _curve().within(_books.ether_, feeBp).toSharesDown(totalEther, totalShares) / SHARES_PER_UNIT;
    }

    /// @inheritdoc IEtherPool
    function buyable() external view override returns (uint256 ether_) {
        Books memory books = _books;
        ether_ = _curve().room(books.ether_, _worthOf(books.units), rebateBp);
        // a pool at its target is asked by everybody who stakes through the Router: it need not ask in turn
        if (ether_ != 0 && !_isCalm()) return 0;
    }

    /// @inheritdoc IEtherPool
    function marginalFee() external view override returns (uint256) {
        return _curve().marginal(_books.ether_);
    }

    /// @inheritdoc IEtherPool
    function value() external view override returns (uint256) {
        Books memory books = _books;
        return books.ether_ + _worthOf(books.units);
    }

    /// @inheritdoc IEtherPool
    function reserves() external view override returns (uint256 ether_, uint256 units) {
        Books memory books = _books;
        return (books.ether_, books.units);
    }

    /// @inheritdoc IEtherPool
    function targetEther() public view override returns (uint256) {
        unchecked {
            return (totalSupply() * targetBp) / BP; // the supply is below 2^96
        }
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }

    // --- internal: what a call gives and costs ---

    /// @dev Where `units` are worth more than all of the reserve, the least that empties it is still taken, by its rounding.
    /// @return worth of the units, wei, rounded down
    /// @return ether_ for them, wei, rounded down
    function _sold(uint256 units, uint256 reserve) private view returns (uint256 worth, uint256 ether_) {
        _requireCalm();
        require(units <= type(uint96).max, AboveMaximum(units, type(uint96).max));
        (uint256 totalEther, uint256 totalShares) = token.totals();
        worth = _sharesOf(units).toEtherDown(totalEther, totalShares);
        FeeCurve.Curve memory curve = _curve();
        bool exceeds;
        (ether_, exceeds) = curve.sold(reserve, worth);
        if (exceeds) {
            uint256 most = _toUnitsUp(curve.cost(reserve, reserve), totalEther, totalShares);
            require(units <= most, NotEnoughEther(worth, reserve));
        }
        require(ether_ != 0, ZeroAmount());
    }

    /// @return worth of the units, wei, rounded down
    /// @return units that `ether_` cost, rounded up
    function _costOf(uint256 ether_, uint256 reserve) private view returns (uint256 worth, uint256 units) {
        _requireCalm();
        require(ether_ != 0, ZeroAmount());
        require(ether_ <= reserve, NotEnoughEther(ether_, reserve));
        (uint256 totalEther, uint256 totalShares) = token.totals();
        units = _toUnitsUp(_curve().cost(reserve, ether_), totalEther, totalShares);
        worth = _sharesOf(units).toEtherDown(totalEther, totalShares);
    }

    /// @return worth of the units, wei, before these are rounded down
    /// @return units for `ether_`, rounded down
    function _bought(uint256 ether_, Books memory books) private view returns (uint256 worth, uint256 units) {
        _requireCalm();
        FeeCurve.Curve memory curve = _curve();
        uint256 missing = Math.saturatingSub(curve.target, books.ether_);
        require(ether_ <= missing, AboveTarget(missing));
        worth = curve.bought(books.ether_, ether_, rebateBp);
        (uint256 totalEther, uint256 totalShares) = token.totals();
        units = worth.toSharesDown(totalEther, totalShares) / SHARES_PER_UNIT;
        require(units != 0, ZeroAmount());
        require(units <= books.units, NotEnoughUnits(units, books.units));
    }

    /// @dev What `enter` takes: the part of both books and the entry fee on it, rounded up. All factors are below 2^97.
    function _priceOf(uint256 lp, Books memory books) private view returns (uint256 ether_, uint256 units) {
        uint256 supply = totalSupply();
        require(lp != 0, ZeroAmount());
        require(lp <= MAX_LP - supply, AboveMaximum(lp, MAX_LP - supply));
        uint256 factor = lp * (BP + entryFeeBp);
        ether_ = Math.ceilDiv(books.ether_ * factor, supply * BP);
        units = Math.ceilDiv(books.units * factor, supply * BP);
    }

    /// @dev What `exit` gives: the part of both books, rounded down.
    function _partOf(uint256 lp, Books memory books) private view returns (uint256 ether_, uint256 units) {
        uint256 supply = totalSupply();
        require(lp != 0, ZeroAmount());
        // before the products, which fit for what there is
        require(lp <= supply, AboveMaximum(lp, supply));
        ether_ = (books.ether_ * lp) / supply;
        units = (books.units * lp) / supply;
    }

    // --- internal ---

    /// @dev Pulls the units of a sale, books it and pays.
    function _takeSale(Books memory books, uint256 units, uint256 worth, uint256 ether_, address receiver) private {
        token.transferSharesFrom(msg.sender, address(this), _sharesOf(units));
        _books = Books(uint96(books.ether_ - ether_), (books.units + units).toUint96());
        emit Sold(msg.sender, receiver, units, worth, ether_);
        _send(receiver, ether_);
    }

    /// @dev Forwards all gas: everything is written by now.
    function _send(address to, uint256 amount) private {
        require(to != address(0), InvalidReceiver(to));
        (bool sent, ) = to.call{value: amount}("");
        require(sent, TransferFailed(to, amount));
    }

    function _requireCalm() private view {
        require(_isCalm(), NotCalm());
    }

    /// @dev The token's pool of now says so. One that does not know the question is not calm.
    function _isCalm() private view returns (bool) {
        (bool done, bytes memory answer) = token.pool().staticcall(abi.encodeCall(IStakingPool.calm, ()));
        return done && answer.length >= 64 && abi.decode(answer, (uint256)) == 1;
    }

    function _curve() private view returns (FeeCurve.Curve memory) {
        return FeeCurve.Curve(targetEther(), minFeeBp, maxFeeBp);
    }

    /// @dev Wei, rounded down.
    function _worthOf(uint256 units) private view returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = token.totals();
        return _sharesOf(units).toEtherDown(totalEther, totalShares);
    }

    /// @dev Units are below 2^96, each 1e9 shares.
    function _sharesOf(uint256 units) private pure returns (uint256) {
        unchecked {
            return units * SHARES_PER_UNIT;
        }
    }

    /// @dev Units that are worth `worth` wei at least.
    function _toUnitsUp(uint256 worth, uint256 totalEther, uint256 totalShares) private pure returns (uint256) {
        return Math.ceilDiv(worth.toSharesUp(totalEther, totalShares), SHARES_PER_UNIT);
    }

    function _requireWithin(uint256 parameter, uint256 least, uint256 most) private pure {
        require(parameter >= least && parameter <= most, OutOfRange(parameter, least, most));
    }
}
