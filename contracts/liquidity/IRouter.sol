// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {IEtherPool} from "./IEtherPool.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IWithdrawalQueue} from "../withdrawals/IWithdrawalQueue.sol";
import {IWrappedStakedEther} from "../token/IWrappedStakedEther.sol";

/// @title IRouter
/// @notice The best of pool, queue and staking in one transaction. It has no state and no owner, holds nothing between
/// transactions, and calls the contracts that it was made with and the staking pool that the token names.
/// @dev A leg that is closed or too small is left out and the other one done: a purchase or a part of a sale below LEG is not
/// worth its gas. While the protocol is not calm both legs of the pool are closed. What was not used goes back to the caller.
/// Every call has a `deadline` in unix seconds, refused with DeadlinePassed. A receiver is neither the zero address nor the
/// Router (InvalidReceiver).
interface IRouter {
    /// @notice An ERC-2612 permit of the caller to the Router. It is tried: where it was used already, is expired or wrong, the
    /// allowance counts. A contract account packs its signature (ERC-1271) as r ++ s ++ v.
    struct Permit {
        uint256 value; // wei of estETH, westETH wei, or lp: as the token's allowance counts
        uint256 deadline; // unix seconds
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice The call was for blocks until `deadline`.
    error DeadlinePassed(uint256 deadline);
    /// @notice Neither pool, nor queue, nor staking would take any of it now.
    error NothingToDo();
    /// @notice All legs together give `got`, less than `wanted`: shares, wei or lp, as what was asked for.
    error BelowMinimum(uint256 got, uint256 wanted);
    /// @notice Sellers pay `marginalFee` (1e-9) now, more than `maxFeeBp` basis points: who enters would pay for rebates.
    error MarginalFeeAboveMaximum(uint256 marginalFee, uint256 maxFeeBp);
    /// @notice The receiver would lose what it gets.
    error InvalidReceiver(address receiver);
    /// @notice `to` did not take its ether.
    error TransferFailed(address to, uint256 amount);
    /// @notice Ether comes with a call, or from the EtherPool.
    error OnlyEtherPool(address caller);
    /// @notice The wrapped token is of another estETH.
    error WrongToken(address expected, address actual);

    /// @notice Buys from the EtherPool up to buyable(), at the rate or better, and stakes the rest of msg.value for `receiver`.
    /// A deposit that is refused, for whatever reason, goes back to the caller as ether.
    /// @param referral as in IStakingPool.deposit
    /// @param minShares of estETH, from both legs; BelowMinimum below
    /// @param wrapped whether `receiver` gets westETH; shares below a unit of 1e9 are not counted then
    /// @return shares that `receiver` got; with `wrapped` 1e9 for each westETH wei
    function stake(
        address receiver,
        address referral,
        uint256 minShares,
        bool wrapped,
        uint256 deadline
    ) external payable returns (uint256 shares);

    /// @notice Sells of the caller's `shares` what the EtherPool takes up to a marginal fee of `maxFeeBp`, on top of what is
    /// paid, and requests the withdrawal of the rest for `receiver`. Needs allowance of their ether, rounded up.
    /// @dev 10,000 sells all that the pool can pay. A rest below 100 wei, or a unit of 1e9 shares, stays with the caller, and
    /// so does what the queue would have got while requests are paused. (`leave` is to be a word of the language.)
    /// @param minEther wei to get at once; BelowMinimum below
    /// @return ether_ that `receiver` got
    /// @return requestId of the withdrawal NFT that `receiver` got, or zero
    function leaveShares(
        uint256 shares,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline
    ) external returns (uint256 ether_, uint256 requestId);
    /// @notice As leaveShares, with a permit of estETH.
    function leaveSharesWithPermit(
        uint256 shares,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline,
        Permit calldata permit
    ) external returns (uint256 ether_, uint256 requestId);
    /// @notice As leaveShares, with `wrapped` westETH wei of the caller.
    function leaveWrapped(
        uint256 wrapped,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline
    ) external returns (uint256 ether_, uint256 requestId);
    /// @notice As leaveWrapped, with a permit of westETH.
    function leaveWrappedWithPermit(
        uint256 wrapped,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline,
        Permit calldata permit
    ) external returns (uint256 ether_, uint256 requestId);

    /// @notice Lends msg.value to the EtherPool: stakes the part that is needed as estETH, and enters with both. Some wei go
    /// back to the caller. Reverts with the staking pool's error while it takes no deposits.
    /// @param minLp lp to get; BelowMinimum below
    /// @param maxFeeBp refused while the marginal fee is above: in a drained pool an entrant pays for rebates to come
    /// @return lp that `receiver` got
    function provide(
        uint256 minLp,
        uint256 maxFeeBp,
        address receiver,
        uint256 deadline
    ) external payable returns (uint256 lp);
    /// @notice Burns `lp` of the caller, by its allowance, and does with the units as leaveShares. `receiver` gets the ether of
    /// both, the withdrawal NFT, and as estETH what neither pool nor queue takes.
    /// @param minEther wei to get at once, the leaver's part of the pool's ether included; BelowMinimum below
    function exitToEther(
        uint256 lp,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline
    ) external returns (uint256 ether_, uint256 requestId);
    /// @notice As exitToEther, with a permit of the EtherPool's token.
    function exitToEtherWithPermit(
        uint256 lp,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline,
        Permit calldata permit
    ) external returns (uint256 ether_, uint256 requestId);

    /// @notice Wei: a purchase, or a part of a sale, that is worth less is left out.
    // solhint-disable-next-line func-name-mixedcase
    function LEG() external view returns (uint256);
    /// @notice The one pool that this Router trades with.
    function etherPool() external view returns (IEtherPool);
    /// @notice estETH.
    function token() external view returns (IStakedEther);
    /// @notice westETH.
    function wrappedToken() external view returns (IWrappedStakedEther);
    /// @notice The withdrawal queue of estETH.
    function queue() external view returns (IWithdrawalQueue);
}
