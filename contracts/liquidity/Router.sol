// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BP, SHARES_PER_UNIT} from "../shared/Units.sol";
import {IEtherPool} from "./IEtherPool.sol";
import {IRouter} from "./IRouter.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {IWithdrawalQueue} from "../withdrawals/IWithdrawalQueue.sol";
import {IWrappedStakedEther} from "../token/IWrappedStakedEther.sol";
import {ShareMath} from "../shared/ShareMath.sol";

/// @title Router
/// @notice Split: what the pool gives at the rate or better comes first, the rest is staked or queued. Custody: none; every
/// amount is computed or returned by a call, no balance is read, so what is forced in is nobody's. Authority: none.
/// Ether is sent last.
contract Router is IRouter {
    using ShareMath for uint256;

    /// @inheritdoc IRouter
    uint256 public constant override LEG = 0.01 ether;
    uint256 private constant MIN_REQUEST = 100; // wei, as the queue has it
    uint256 private constant FEE_PER_BP = 1e5; // a fee of 1e-9 to a basis point

    /// @inheritdoc IRouter
    IEtherPool public immutable override etherPool;
    /// @inheritdoc IRouter
    IStakedEther public immutable override token;
    /// @inheritdoc IRouter
    IWrappedStakedEther public immutable override wrappedToken;
    /// @inheritdoc IRouter
    IWithdrawalQueue public immutable override queue;

    /// @dev The pool's, which never changes.
    uint256 private immutable _entryFeeBp;

    /// @dev Checks what each call has in common.
    modifier checked(address receiver, uint256 deadline) {
        require(block.timestamp <= deadline, DeadlinePassed(deadline));
        // the queue takes no owner for its caller, and what comes here would be anybody's
        require(receiver != address(0) && receiver != address(this), InvalidReceiver(receiver));
        _;
    }

    constructor(IEtherPool etherPool_, IWrappedStakedEther wrapped_) {
        IStakedEther token_ = etherPool_.token();
        require(wrapped_.asset() == address(token_), WrongToken(address(token_), wrapped_.asset()));
        (etherPool, token, wrappedToken) = (etherPool_, token_, wrapped_);
        queue = IWithdrawalQueue(token_.queue());
        _entryFeeBp = etherPool_.entryFeeBp();
        // nothing is held between calls, and neither moves more than a call tells it to
        token_.approve(address(etherPool_), type(uint256).max);
        token_.approve(address(wrapped_), type(uint256).max);
    }

    /// @notice The EtherPool pays what is forwarded in the same call.
    receive() external payable {
        require(msg.sender == address(etherPool), OnlyEtherPool(msg.sender));
    }

    // --- in ---

    /// @inheritdoc IRouter
    function stake(
        address receiver,
        address referral,
        uint256 minShares,
        bool wrapped,
        uint256 deadline
    ) external payable override checked(receiver, deadline) returns (uint256 shares) {
        uint256 left = msg.value;
        uint256 bought = Math.min(left, etherPool.buyable());
        if (bought >= LEG) {
            unchecked {
                left -= bought; // no more than there is
            }
            shares = _buy(bought, receiver, wrapped);
        }
        if (left != 0) {
            uint256 staked = _stake(left, receiver, referral, wrapped);
            if (staked != 0) (shares, left) = (shares + staked, 0);
        }
        require(shares != 0, NothingToDo());
        require(shares >= minShares, BelowMinimum(shares, minShares));
        if (left != 0) _send(msg.sender, left);
    }

    /// @inheritdoc IRouter
    function provide(
        uint256 minLp,
        uint256 maxFeeBp,
        address receiver,
        uint256 deadline
    ) external payable override checked(receiver, deadline) returns (uint256 lp) {
        uint256 fee = etherPool.marginalFee();
        require(Math.ceilDiv(fee, FEE_PER_BP) <= maxFeeBp, MarginalFeeAboveMaximum(fee, maxFeeBp));
        (uint256 totalEther, uint256 totalShares) = token.totals();
        lp = _lpFor(msg.value, totalEther, totalShares);
        require(lp >= minLp, BelowMinimum(lp, minLp));
        require(lp != 0, NothingToDo());
        uint256 left = msg.value - _enter(lp, receiver, totalEther, totalShares);
        if (left != 0) _send(msg.sender, left);
    }

    // --- out ---

    /// @inheritdoc IRouter
    function leaveShares(
        uint256 shares,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline
    ) public override checked(receiver, deadline) returns (uint256 ether_, uint256 requestId) {
        (uint256 sold, uint256 queued) = _split(shares, maxFeeBp);
        uint256 taken = sold * SHARES_PER_UNIT + queued;
        require(taken != 0, NothingToDo());
        token.transferSharesFrom(msg.sender, address(this), taken);
        return _leave(sold, queued, minEther, receiver);
    }

    /// @inheritdoc IRouter
    function leaveSharesWithPermit(
        uint256 shares,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline,
        Permit calldata permit
    ) external override returns (uint256 ether_, uint256 requestId) {
        _permit(address(token), permit);
        return leaveShares(shares, maxFeeBp, minEther, receiver, deadline);
    }

    /// @inheritdoc IRouter
    function leaveWrapped(
        uint256 wrapped,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline
    ) public override checked(receiver, deadline) returns (uint256 ether_, uint256 requestId) {
        (uint256 sold, uint256 queued) = _split(Math.saturatingMul(wrapped, SHARES_PER_UNIT), maxFeeBp);
        uint256 taken = sold + queued / SHARES_PER_UNIT; // whole units, both
        require(taken != 0, NothingToDo());
        wrappedToken.transferFrom(msg.sender, address(this), taken);
        wrappedToken.unwrap(taken);
        return _leave(sold, queued, minEther, receiver);
    }

    /// @inheritdoc IRouter
    function leaveWrappedWithPermit(
        uint256 wrapped,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline,
        Permit calldata permit
    ) external override returns (uint256 ether_, uint256 requestId) {
        _permit(address(wrappedToken), permit);
        return leaveWrapped(wrapped, maxFeeBp, minEther, receiver, deadline);
    }

    /// @inheritdoc IRouter
    function exitToEther(
        uint256 lp,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline
    ) public override checked(receiver, deadline) returns (uint256 ether_, uint256 requestId) {
        etherPool.transferFrom(msg.sender, address(this), lp);
        uint256 units;
        (ether_, units) = etherPool.exit(lp, 0, 0, address(this));
        (uint256 sold, uint256 queued) = _split(units * SHARES_PER_UNIT, maxFeeBp);
        if (queued != 0) requestId = _request(queued, receiver);
        if (sold != 0) ether_ += etherPool.sell(sold, 0, address(this));
        require(ether_ >= minEther, BelowMinimum(ether_, minEther));
        uint256 left = (units - sold) * SHARES_PER_UNIT - queued;
        if (left != 0) token.transferShares(receiver, left);
        if (ether_ != 0) _send(receiver, ether_);
    }

    /// @inheritdoc IRouter
    function exitToEtherWithPermit(
        uint256 lp,
        uint256 maxFeeBp,
        uint256 minEther,
        address receiver,
        uint256 deadline,
        Permit calldata permit
    ) external override returns (uint256 ether_, uint256 requestId) {
        _permit(address(etherPool), permit);
        return exitToEther(lp, maxFeeBp, minEther, receiver, deadline);
    }

    // --- internal ---

    /// @return shares that `receiver` got for `amount` wei
    function _buy(uint256 amount, address receiver, bool wrapped) private returns (uint256 shares) {
        uint256 units = etherPool.buy{value: amount}(0, wrapped ? address(this) : receiver);
        if (wrapped) wrappedToken.mint(units, receiver);
        unchecked {
            return units * SHARES_PER_UNIT; // the pool's units are below 2^96
        }
    }

    /// @return shares that `receiver` got for `amount` wei, zero where the deposit is refused
    function _stake(uint256 amount, address receiver, address referral, bool wrapped) private returns (uint256 shares) {
        if (wrapped) {
            try wrappedToken.stake{value: amount}(receiver, referral) returns (uint256 units) {
                return units * SHARES_PER_UNIT;
            } catch {
                return 0;
            }
        }
        try IStakingPool(token.pool()).deposit{value: amount}(receiver, referral) returns (uint256 minted) {
            return minted;
        } catch {
            return 0;
        }
    }

    /// @dev Stakes what `lp` need as estETH, and enters.
    /// @return spent wei, for both
    function _enter(
        uint256 lp,
        address receiver,
        uint256 totalEther,
        uint256 totalShares
    ) private returns (uint256 spent) {
        (uint256 ether_, uint256 units) = etherPool.quoteEnter(lp);
        uint256 toStake = (units * SHARES_PER_UNIT).toEtherUp(totalEther, totalShares);
        uint256 spare;
        if (toStake != 0) {
            spare = IStakingPool(token.pool()).deposit{value: toStake}(address(this), address(0));
            spare -= units * SHARES_PER_UNIT;
        }
        etherPool.enter{value: ether_}(lp, units, receiver);
        // worth a wei or so: to return it would cost the caller a thousand times as much in gas
        if (spare != 0) token.transferShares(address(etherPool), spare);
        return ether_ + toStake;
    }

    /// @dev The most lp for `amount` wei, a part staked: each of the three roundings of what it costs takes less than a wei or
    /// the ether of a unit.
    function _lpFor(uint256 amount, uint256 totalEther, uint256 totalShares) private view returns (uint256) {
        (uint256 reserve, uint256 units) = etherPool.reserves();
        uint256 capital = reserve + (units * SHARES_PER_UNIT).toEtherUp(totalEther, totalShares);
        uint256 rounding = 2 + SHARES_PER_UNIT.toEtherUp(totalEther, totalShares);
        uint256 spent = Math.saturatingSub(amount, rounding);
        return (spent * etherPool.totalSupply() * BP) / (capital * (BP + _entryFeeBp));
    }

    /// @dev What of `shares` to sell and what to queue; the rest stays where it is.
    /// @return sold units
    /// @return queued shares
    function _split(uint256 shares, uint256 maxFeeBp) private view returns (uint256 sold, uint256 queued) {
        uint256 units = shares / SHARES_PER_UNIT;
        sold = Math.min(units, etherPool.sellableWithin(maxFeeBp));
        if (sold == units) return (sold, 0);
        (uint256 totalEther, uint256 totalShares) = token.totals();
        if ((sold * SHARES_PER_UNIT).toEtherDown(totalEther, totalShares) < LEG) sold = 0;
        queued = shares - sold * SHARES_PER_UNIT;
        // more than fits is nobody's: the token will say so
        uint256 worth = Math.min(queued, type(uint128).max).toEtherDown(totalEther, totalShares);
        if (worth < MIN_REQUEST || queue.requestsPaused()) queued = 0;
    }

    /// @dev Queues and sells what is here. The sale is last: it sends ether.
    function _leave(
        uint256 sold,
        uint256 queued,
        uint256 minEther,
        address receiver
    ) private returns (uint256 ether_, uint256 requestId) {
        if (queued != 0) requestId = _request(queued, receiver);
        if (sold != 0) ether_ = etherPool.sell(sold, 0, receiver);
        require(ether_ >= minEther, BelowMinimum(ether_, minEther));
    }

    function _request(uint256 shares, address owner) private returns (uint256 requestId) {
        uint256[] memory list = new uint256[](1);
        list[0] = shares;
        return queue.requestWithdrawalsShares(list, owner)[0];
    }

    /// @dev Whoever saw the permit may have used it first: what counts is the allowance.
    function _permit(address permitted, Permit calldata p) private {
        IERC20Permit target = IERC20Permit(permitted);
        try target.permit(msg.sender, address(this), p.value, p.deadline, p.v, p.r, p.s) {} catch {}
    }

    function _send(address to, uint256 amount) private {
        (bool sent, ) = to.call{value: amount}("");
        require(sent, TransferFailed(to, amount));
    }
}
