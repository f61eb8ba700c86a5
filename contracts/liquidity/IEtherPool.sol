// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IStakedEther} from "../token/IStakedEther.sol";

/// @title IEtherPool
/// @notice Ether for estETH at once, for a fee that grows as the ether grows scarce; estETH a little above its rate for who
/// brings ether back; and an ERC-20 (EIP-20, ERC-2612) for whoever lends both to that. Nobody owns it, nothing is
/// replaceable, and its parameters never change.
/// @dev estETH is counted in units of 1e9 shares, which are westETH wei; `ether_` and values are wei. R is the ether in the
/// books, L the units, lp the supply, t = floor(lp * targetBp / 10,000) the target of R. A unit is worth 1e9 * T / S wei of
/// the token's totals: no other price is read.
/// Trades (`sell`, `sellFor`, `buy`) are refused while IStakingPool.calm() of the token's pool is not true. `enter` and
/// `exit` read no rate and no flag.
interface IEtherPool is IERC20, IERC20Permit {
    /// @notice What a pool is made of, in basis points. Immutable.
    struct Parameters {
        uint256 minFeeBp; // on top of each wei that a seller gets, at and above the target; 1 to 30
        uint256 maxFeeBp; // on top of the last wei; above minFeeBp, at most 500
        uint256 targetBp; // of lp: above this much ether nothing is sold back; 1000 to 8000
        uint256 rebateBp; // of the scarcity that was charged, to whoever brings ether; at most 10,000
        uint256 entryFeeBp; // of both assets, from who enters to who is there; at most 10
    }

    /// @notice `sender` sold `units`, worth `value` wei, and `receiver` got `ether_`: the fee is value - ether_.
    event Sold(address indexed sender, address indexed receiver, uint256 units, uint256 value, uint256 ether_);
    /// @notice `receiver` got `units`, worth `value` wei rounded down, for `ether_` of `sender`: the rebate is value - ether_.
    event Bought(address indexed sender, address indexed receiver, uint256 ether_, uint256 value, uint256 units);
    /// @notice `sender` brought `ether_` and `units`; `receiver` got `lp`.
    event Entered(address indexed sender, address indexed receiver, uint256 lp, uint256 ether_, uint256 units);
    /// @notice `lp` of `sender` were burned; `receiver` got `ether_` and `units`.
    event Exited(address indexed sender, address indexed receiver, uint256 lp, uint256 ether_, uint256 units);

    /// @notice The protocol pays nobody now, or takes no requests: nothing trades at its rate. Entries and exits go on.
    error NotCalm();
    /// @notice The trade gives `got`, less than the caller wanted at least. Wei or units, as what was asked for.
    error BelowMinimum(uint256 got, uint256 wanted);
    /// @notice The trade costs `cost`, more than the caller's limit. Wei or units, as what is to be given.
    error AboveMaximum(uint256 cost, uint256 limit);
    /// @notice The pool's ether does not reach for `value` wei. Both wei; `available` is all there is.
    error NotEnoughEther(uint256 value, uint256 available);
    /// @notice The pool has `available` units, fewer than `wanted`.
    error NotEnoughUnits(uint256 wanted, uint256 available);
    /// @notice Ether is bought with estETH up to the target only: `room` wei are left to it.
    error AboveTarget(uint256 room);
    /// @notice Nothing is asked for, or it would come to nothing by rounding.
    error ZeroAmount();
    /// @notice `to` did not take its ether.
    error TransferFailed(address to, uint256 amount);
    /// @notice Ether would be lost at this address.
    error InvalidReceiver(address receiver);
    /// @notice The pool opens with `minimum` wei at least, which stay locked.
    error SeedTooSmall(uint256 sent, uint256 minimum);
    /// @notice A parameter lies outside of what this contract allows. Basis points.
    error OutOfRange(uint256 value, uint256 least, uint256 most);

    // --- trades: only while the protocol is calm ---

    /// @notice Sells `units` of the caller's estETH, by its allowance of their value rounded up, for ether to `receiver`.
    /// @dev What a seller gives for each wei is 1 + phi, phi from minFeeBp at the target to maxFeeBp at no ether: one potential,
    /// so that pieces of a sale never get more than the whole. Rounds down. Reverts with NotCalm; ZeroAmount where nothing
    /// would be paid; NotEnoughEther; BelowMinimum below `minEther`; TransferFailed.
    /// @return ether_ paid
    function sell(uint256 units, uint256 minEther, address receiver) external returns (uint256 ether_);
    /// @notice Sells what is needed of the caller's estETH for exactly `ether_` wei to `receiver`.
    /// @dev As `sell`; rounds units up. Reverts with AboveMaximum above `maxUnits`.
    /// @return units taken
    function sellFor(uint256 ether_, uint256 maxUnits, address receiver) external returns (uint256 units);
    /// @notice Buys estETH for msg.value, at its value and a part of the scarcity that sellers paid for; up to the target.
    /// @dev Rounds down. Reverts with NotCalm; AboveTarget; ZeroAmount for nothing; NotEnoughUnits; BelowMinimum.
    /// @return units sent to `receiver` as estETH shares, 1e9 each
    function buy(uint256 minUnits, address receiver) external payable returns (uint256 units);

    // --- liquidity: always ---

    /// @notice Mints `lp` to `receiver` for their part of both assets and entryFeeBp of it: ether from msg.value, whose rest
    /// goes back to the caller, and units of the caller's estETH, by its allowance.
    /// @dev Rounds both up. Reverts with ZeroAmount; AboveMaximum above msg.value or `maxUnits`, or where lp would not fit
    /// 96 bits; TransferFailed where the caller refuses the rest.
    /// @return ether_ taken
    /// @return units taken
    function enter(
        uint256 lp,
        uint256 maxUnits,
        address receiver
    ) external payable returns (uint256 ether_, uint256 units);
    /// @notice Burns `lp` of the caller for their part of both assets, to `receiver`.
    /// @dev Rounds both down. Reverts with ZeroAmount; BelowMinimum; TransferFailed; the token's error without the balance.
    /// @return ether_ paid
    /// @return units sent as estETH shares, 1e9 each
    function exit(
        uint256 lp,
        uint256 minEther,
        uint256 minUnits,
        address receiver
    ) external returns (uint256 ether_, uint256 units);

    // --- quotes: what the call gives or costs now, with the errors that do not depend on the caller ---

    /// @notice What `sell` pays for `units` now, in wei.
    function quoteSell(uint256 units) external view returns (uint256 ether_);
    /// @notice The units that `sellFor` takes for `ether_` wei now.
    function quoteSellFor(uint256 ether_) external view returns (uint256 units);
    /// @notice The units that `buy` sends for `ether_` wei now.
    function quoteBuy(uint256 ether_) external view returns (uint256 units);
    /// @notice What `enter` takes for `lp` now: wei, and units.
    function quoteEnter(uint256 lp) external view returns (uint256 ether_, uint256 units);
    /// @notice What `exit` gives for `lp` now: wei, and units.
    function quoteExit(uint256 lp) external view returns (uint256 ether_, uint256 units);
    /// @notice The units that can be sold now until the marginal fee is `feeBp`; rounded down, zero while not calm. The fee is
    /// on top of what is paid, and the average of such a sale is lower.
    function sellableWithin(uint256 feeBp) external view returns (uint256 units);
    /// @notice The wei that `buy` takes now at most; rounded down, zero while not calm.
    function buyable() external view returns (uint256 ether_);
    /// @notice What the next wei costs a seller on top, in 1e-9, rounded up.
    function marginalFee() external view returns (uint256);
    /// @notice R and what L is worth at the token's rate, in wei, rounded down. Not a price to lend against: it does not know
    /// what was not reported yet.
    function value() external view returns (uint256);
    /// @notice R in wei and L in units, as booked. Ether and shares that were sent in without a call are in neither.
    function reserves() external view returns (uint256 ether_, uint256 units);
    /// @notice t in wei: the ether above which sales cost minFeeBp and nothing is sold back.
    function targetEther() external view returns (uint256);

    /// @notice estETH.
    function token() external view returns (IStakedEther);
    /// @notice As in Parameters, each in basis points and for ever.
    function minFeeBp() external view returns (uint256);
    /// @notice As in Parameters.
    function maxFeeBp() external view returns (uint256);
    /// @notice As in Parameters.
    function targetBp() external view returns (uint256);
    /// @notice As in Parameters.
    function rebateBp() external view returns (uint256);
    /// @notice As in Parameters.
    function entryFeeBp() external view returns (uint256);
}
