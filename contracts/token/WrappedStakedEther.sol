// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Allowances} from "../shared/Allowances.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IStakedEther} from "./IStakedEther.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {IWithdrawalQueue} from "../withdrawals/IWithdrawalQueue.sol";
import {IWrappedStakedEther} from "./IWrappedStakedEther.sol";
import {SHARES_PER_UNIT} from "../shared/Units.sol";
import {ShareMath} from "../shared/ShareMath.sol";

/// @title WrappedStakedEther (westETH)
/// @notice One westETH wei is always 1e9 estETH shares. Wrapping and unwrapping move shares, never rounded ether;
/// shares below one unit stay with whoever wraps. All views follow from this contract's own supply, so a donation
/// moves nothing: sharesOf(this) >= 1e9 * totalSupply().
contract WrappedStakedEther is IWrappedStakedEther, Allowances {
    using ShareMath for uint256;

    /// @dev A struct, so that reading and writing a balance finds its slot once.
    struct Account {
        uint256 balance;
    }

    /// @notice estETH, whose shares this contract holds.
    IStakedEther public immutable token;

    string public constant override name = "Estuary Wrapped Staked Ether";
    string public constant override symbol = "westETH";
    /// @notice As estETH's: 1e18 westETH wei were worth 1 ETH at genesis.
    uint8 public constant override decimals = 18;

    /// @notice westETH wei. The sum of all balances.
    uint256 public override totalSupply;
    /// @dev westETH wei.
    mapping(address account => Account) private _accounts;

    /// @param token_ estETH, for ever: there is no proxy and no owner
    constructor(IStakedEther token_) EIP712("Estuary Wrapped Staked Ether", "1") {
        token = token_;
    }

    /// @notice A plain transfer stakes and wraps for its sender.
    receive() external payable {
        _stakePlain();
    }

    // --- ERC-20 ---

    /// @inheritdoc IERC20
    function balanceOf(address account) public view override returns (uint256) {
        return _accounts[account].balance;
    }

    /// @inheritdoc IERC20
    function transfer(address to, uint256 amount) external override returns (bool) {
        return _transfer(msg.sender, to, amount);
    }

    /// @inheritdoc IERC20
    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        _spendAllowance(from, msg.sender, amount);
        return _transfer(from, to, amount);
    }

    // --- stakers ---

    /// @inheritdoc IWrappedStakedEther
    function stake(address receiver, address referral) external payable override returns (uint256) {
        return _stake(receiver, referral);
    }

    /// @inheritdoc IWrappedStakedEther
    function wrap(uint256 amount) external override returns (uint256) {
        return _wrap(amount, msg.sender);
    }

    /// @inheritdoc IWrappedStakedEther
    function wrapWithPermit(
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external override returns (uint256) {
        // whoever saw the permit may have used it first: what counts is the allowance
        try IERC20Permit(address(token)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        return _wrap(amount, msg.sender);
    }

    /// @inheritdoc IWrappedStakedEther
    /// @dev Always possible: moves shares that are held, whatever the rate is, and asks nobody but the token.
    function unwrap(uint256 wrapped) external override returns (uint256 amount) {
        require(wrapped != 0, ZeroAmount());
        _burn(msg.sender, wrapped);
        return token.transferShares(msg.sender, wrapped * SHARES_PER_UNIT);
    }

    /// @inheritdoc IWrappedStakedEther
    function requestWithdrawals(
        uint256[] calldata wrapped,
        address owner
    ) external override returns (uint256[] memory ids) {
        uint256[] memory shares = new uint256[](wrapped.length);
        for (uint256 i; i < wrapped.length; ++i) {
            _burn(msg.sender, wrapped[i]);
            shares[i] = wrapped[i] * SHARES_PER_UNIT;
        }
        IWithdrawalQueue queue = IWithdrawalQueue(token.queue());
        // the queue pulls from its caller: this contract holds the shares behind what was burned
        return queue.requestWithdrawalsShares(shares, owner == address(0) ? msg.sender : owner);
    }

    // --- ERC-4626 ---

    /// @inheritdoc IERC4626
    function deposit(uint256 assets, address receiver) external override returns (uint256) {
        uint256 wrapped = _wrap(assets, receiver);
        emit Deposit(msg.sender, receiver, assets, wrapped);
        return wrapped;
    }

    /// @inheritdoc IERC4626
    function mint(uint256 wrapped, address receiver) external override returns (uint256 assets) {
        assets = previewMint(wrapped);
        _take(wrapped, receiver);
        emit Deposit(msg.sender, receiver, assets, wrapped);
    }

    /// @inheritdoc IERC4626
    function withdraw(uint256 assets, address receiver, address owner) external override returns (uint256 wrapped) {
        uint256 maximum = maxWithdraw(owner);
        require(assets <= maximum, ExceedsMaxWithdraw(owner, assets, maximum));
        wrapped = previewWithdraw(assets);
        _give(wrapped, assets, receiver, owner);
    }

    /// @inheritdoc IERC4626
    function redeem(uint256 wrapped, address receiver, address owner) external override returns (uint256 assets) {
        uint256 maximum = balanceOf(owner);
        require(wrapped <= maximum, ExceedsMaxRedeem(owner, wrapped, maximum));
        assets = previewRedeem(wrapped);
        _give(wrapped, assets, receiver, owner);
    }

    /// @inheritdoc IERC4626
    function asset() external view override returns (address) {
        return address(token);
    }

    /// @inheritdoc IERC4626
    function totalAssets() external view override returns (uint256) {
        return convertToAssets(totalSupply);
    }

    /// @inheritdoc IERC4626
    function convertToShares(uint256 assets) public view override returns (uint256) {
        return token.getSharesByPooledEth(assets) / SHARES_PER_UNIT;
    }

    /// @inheritdoc IERC4626
    function convertToAssets(uint256 wrapped) public view override returns (uint256) {
        return token.getPooledEthByShares(wrapped * SHARES_PER_UNIT);
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address) external pure override returns (uint256) {
        return type(uint128).max;
    }

    /// @inheritdoc IERC4626
    function maxMint(address) external pure override returns (uint256) {
        return type(uint128).max / SHARES_PER_UNIT;
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address owner) public view override returns (uint256) {
        return convertToAssets(balanceOf(owner));
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address owner) external view override returns (uint256) {
        return balanceOf(owner);
    }

    /// @inheritdoc IERC4626
    /// @dev A balance may show up to 1/1024 wei more than its shares are worth, and the whole of it may be deposited: what
    /// that may lack is taken off, so that nobody gets less than this.
    function previewDeposit(uint256 assets) external view override returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = token.totals();
        uint256 lacking = (totalShares >> 10) / totalEther;
        return Math.saturatingSub(token.getSharesByPooledEth(assets), lacking) / SHARES_PER_UNIT;
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256 wrapped) public view override returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = token.totals();
        return Math.mulDiv(wrapped * SHARES_PER_UNIT, totalEther, totalShares, Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets) public view override returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = token.totals();
        return Math.ceilDiv(Math.mulDiv(assets, totalShares, totalEther, Math.Rounding.Ceil), SHARES_PER_UNIT);
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 wrapped) public view override returns (uint256) {
        return convertToAssets(wrapped);
    }

    // --- names integrators of wstETH call ---

    /// @inheritdoc IWrappedStakedEther
    function getRate() external view override returns (uint256) {
        return convertToAssets(1 ether);
    }

    /// @inheritdoc IWrappedStakedEther
    function stEthPerToken() external view override returns (uint256) {
        return convertToAssets(1 ether);
    }

    /// @inheritdoc IWrappedStakedEther
    function tokensPerStEth() external view override returns (uint256) {
        return convertToShares(1 ether);
    }

    /// @inheritdoc IWrappedStakedEther
    function getStETHByWstETH(uint256 wrapped) external view override returns (uint256) {
        return convertToAssets(wrapped);
    }

    /// @inheritdoc IWrappedStakedEther
    function getWstETHByStETH(uint256 amount) external view override returns (uint256) {
        return convertToShares(amount);
    }

    // --- internal ---

    /// @dev A claim that is paid to this address would be minted to the queue, and lost.
    function _stakePlain() private {
        require(msg.sender != token.queue(), StakesForQueue());
        _stake(msg.sender, address(0));
    }

    /// @dev Whatever a pool says it minted, no unit is minted without shares behind it.
    function _stake(address receiver, address referral) private returns (uint256 wrapped) {
        uint256 shares = IStakingPool(token.pool()).deposit{value: msg.value}(address(this), referral);
        wrapped = shares / SHARES_PER_UNIT;
        _mint(receiver, wrapped);
        uint256 held = token.sharesOf(address(this));
        require(held >= totalSupply * SHARES_PER_UNIT, NotBacked(held, totalSupply));
    }

    /// @dev Takes no more shares than `amount` is worth, nor than the caller has, in whole units.
    function _wrap(uint256 amount, address receiver) private returns (uint256 wrapped) {
        (uint256 totalEther, uint256 totalShares) = token.totals();
        uint256 held = token.sharesOf(msg.sender);
        uint256 balance = held.toEtherDisplayed(totalEther, totalShares);
        require(amount <= balance, ERC20InsufficientBalance(msg.sender, balance, amount));
        wrapped = Math.min(amount.toSharesDown(totalEther, totalShares), held) / SHARES_PER_UNIT;
        _take(wrapped, receiver);
    }

    /// @dev Pulls whole units of the caller's shares, by its allowance over their ether, and mints to `receiver`.
    function _take(uint256 wrapped, address receiver) private {
        require(wrapped != 0, ZeroAmount());
        token.transferSharesFrom(msg.sender, address(this), wrapped * SHARES_PER_UNIT);
        _mint(receiver, wrapped);
    }

    /// @dev Burns `wrapped` of `owner`, by its allowance where somebody else calls, and sends `receiver` its shares.
    /// `assets` is what the event says.
    function _give(uint256 wrapped, uint256 assets, address receiver, address owner) private {
        require(wrapped != 0, ZeroAmount());
        if (msg.sender != owner) _spendAllowance(owner, msg.sender, wrapped);
        _burn(owner, wrapped);
        token.transferShares(receiver, wrapped * SHARES_PER_UNIT);
        emit Withdraw(msg.sender, receiver, owner, assets, wrapped);
    }

    /// @dev Nobody can move what this contract itself would hold.
    function _transfer(address from, address to, uint256 amount) private returns (bool) {
        if (to == address(0) || to == address(this)) revert ERC20InvalidReceiver(to);
        _debit(from, amount);
        unchecked {
            _accounts[to].balance += amount; // the sum of all balances is the supply
        }
        emit Transfer(from, to, amount);
        return true;
    }

    /// @dev Shares behind `amount` have come, or are checked after it (`_stake`).
    function _mint(address to, uint256 amount) private {
        require(to != address(0) && to != address(this), ERC20InvalidReceiver(to));
        totalSupply += amount;
        unchecked {
            _accounts[to].balance += amount;
        }
        emit Transfer(address(0), to, amount);
    }

    /// @dev The shares behind `amount` stay here until the caller sends them on.
    function _burn(address from, uint256 amount) private {
        _debit(from, amount);
        unchecked {
            totalSupply -= amount;
        }
        emit Transfer(from, address(0), amount);
    }

    /// @dev The one place where a balance falls.
    function _debit(address from, uint256 amount) private {
        Account storage account = _accounts[from];
        uint256 balance = account.balance;
        if (amount > balance) revert ERC20InsufficientBalance(from, balance, amount);
        unchecked {
            account.balance = balance - amount;
        }
    }
}
