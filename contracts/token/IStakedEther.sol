// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title IStakedEther (estETH)
/// @notice The ledger: a rebasing ERC-20 (EIP-20) whose balances are shares of all pooled ether, with permits
/// (ERC-2612, contract signatures by ERC-1271). T is total pooled ether in wei, S total shares (27 decimals).
/// A share amount is exact; an ether amount is what it shows as at the current rate T / S.
interface IStakedEther is IERC20 {
    /// @notice One change of the totals by a report, as passed by the pool.
    struct Rebase {
        int256 etherDelta; // recognised gain (+) or loss (-), wei
        uint256 etherPaid; // leaves T for finalised withdrawals, wei
        uint256 feeShares; // minted to `feeReceiver`
        uint256 burnShares; // burned from the queue's account
        uint256 elapsed; // seconds this report covers
        address feeReceiver;
    }

    /// @notice Every change of the rate emits exactly one of these.
    /// @param timestamp of the block that reported
    /// @param timeElapsed seconds between the reference slots (at most two frames)
    event TokenRebased(
        uint256 indexed timestamp,
        uint256 timeElapsed,
        uint256 preTotalShares,
        uint256 preTotalEther,
        uint256 postTotalShares,
        uint256 postTotalEther,
        uint256 feeShares
    );
    /// @notice Shares burned at the current rate to pay withdrawals between reports.
    event WithdrawalsPaid(uint256 etherPaid, uint256 sharesBurned);
    /// @notice From now on `newPool` mints and rebases. The first one has the old pool zero.
    event PoolChanged(address indexed oldPool, address indexed newPool);

    /// @notice The live pool alone writes the ledger.
    error OnlyPool(address caller, address pool);
    /// @notice The queue alone pulls shares without an allowance.
    error OnlyQueue(address caller, address queue);
    /// @notice `account` holds `balance` shares, fewer than are to be moved.
    error SharesExceedBalance(address account, uint256 shares, uint256 balance);
    /// @notice The ledger opens once.
    error AlreadyBootstrapped(uint256 totalShares);
    /// @notice The opening locks at least `minimum` wei.
    error BootstrapTooSmall(uint256 amount, uint256 minimum);
    /// @notice T would not fit 128 bits with `amount` wei more.
    error TotalOverflow(uint256 amount);
    /// @notice More than a fifth of the gain, whatever the pool's own limit is.
    error FeeTooHigh(uint256 feeShares, uint256 maxFeeShares);
    /// @notice The rate would rise by more than the hard cap allows. Both in 1e-18 of the old rate.
    error RateRisesTooFast(uint256 rise, uint256 allowance);
    /// @notice T or S would be zero, or the rate next to zero or beyond the 104 bits in which pool and queue keep it.
    error RateOutOfRange();
    /// @notice The history begins after `timestamp`.
    error NoRateAt(uint256 timestamp);
    /// @notice The address has no code, or is the pool already.
    error InvalidPool(address pool);

    // --- shares: names integrators of stETH already call ---

    /// @notice Exact shares of an account, 27 decimals. Transfers, mints and burns change them, a gain does not.
    function sharesOf(address account) external view returns (uint256);
    /// @notice S, 27 decimals.
    function getTotalShares() external view returns (uint256);
    /// @notice T in wei, which is also the total supply.
    function getTotalPooledEther() external view returns (uint256);
    /// @notice T and S in one call.
    function totals() external view returns (uint256 totalEther, uint256 totalShares);
    /// @notice floor(amount * S / T).
    function getSharesByPooledEth(uint256 amount) external view returns (uint256);
    /// @notice floor(shares * T / S).
    function getPooledEthByShares(uint256 shares) external view returns (uint256);
    /// @notice Moves exactly `shares`. Returns the ether they stand for, rounded down.
    function transferShares(address to, uint256 shares) external returns (uint256 amount);
    /// @notice As transferShares, spending allowance of the ether amount rounded up: non-zero shares always need some.
    function transferSharesFrom(address from, address to, uint256 shares) external returns (uint256 amount);

    // --- rate history ---

    /// @notice The rate in rays (wei per 1e9 shares times 1e27, rounded down) now.
    function rate() external view returns (uint256);
    /// @notice The rate in rays after the last report at or before `timestamp`. Reverts with NoRateAt before the first
    /// of the last 400 reports.
    function rateAt(uint256 timestamp) external view returns (uint256);
    /// @notice All shares that reports ever minted as fee.
    function totalFeeShares() external view returns (uint256);

    // --- peers ---

    /// @notice The live pool; zero until governance names the first.
    function pool() external view returns (address);
    /// @notice The withdrawal queue, for ever. Its account holds the shares of waiting requests and cover.
    function queue() external view returns (address);

    /// @notice Pool only. Mints shares for `amount` wei at the current rate, rounded down.
    /// @return shares minted
    /// @return totalEther T after the mint
    function mint(address to, uint256 amount) external returns (uint256 shares, uint256 totalEther);
    /// @notice Pool only, once: opens the ledger with shares that are locked for ever.
    function bootstrap(uint256 amount) external;
    /// @notice Pool only: applies a report.
    function rebase(Rebase calldata change) external;
    /// @notice Pool only: pays withdrawals between reports. Burns min(ceil(amount * S / T), maxShares) from the queue.
    function payWithdrawals(uint256 amount, uint256 maxShares) external returns (uint256 sharesBurned);
    /// @notice Queue only: pulls the shares of `amount` from the account that asked the queue to.
    function pullToQueue(address from, uint256 amount) external returns (uint256 shares);
    /// @notice Queue only: pulls exactly `shares`.
    function pullSharesToQueue(address from, uint256 shares) external;
    /// @notice Governance only: replaces the pool; the old pool hands its ether and books over in this transaction.
    function replacePool(address newPool) external;
}
