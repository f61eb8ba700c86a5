// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {IWithdrawalQueue} from "./IWithdrawalQueue.sol";
import {RAY, SHARES_PER_UNIT} from "../shared/Units.sol";
import {RequestToken} from "./RequestToken.sol";
import {Rounds} from "./Rounds.sol";

/// @title WithdrawalQueue
/// @notice Rounds: a new one starts at the first request after a report or after a frame's cut-off, at the rate of that
/// moment. Finalisation: by the pool only, in order, whole rounds by sums (Rounds). Claims: by the owner, to anyone,
/// never paused; effects first, all gas forwarded. Custody: this account's token shares are the waiting requests'
/// shares, the remainders below a unit, and the pool's cover.
contract WithdrawalQueue is IWithdrawalQueue, RequestToken, AccessManaged {
    using Rounds for Rounds.Book;
    using Rounds for Rounds.Tail;

    /// @dev One slot, read by every request; `token` is written once.
    struct Config {
        IStakedEther token;
        bool paused;
    }

    /// @notice A wei of rounding is a percent of this at most.
    uint256 public constant MIN_REQUEST = 100; // wei

    /// @inheritdoc IWithdrawalQueue
    uint256 public immutable override frame;

    /// @dev No token until `bind`: there is no pool then, and no request.
    Config private _config;
    /// @dev Rounds, and how far they are settled. Owners and places are in RequestToken.
    Rounds.Book private _book;

    /// @dev The pool that the token names now.
    modifier onlyPool() {
        address pool = _config.token.pool();
        require(msg.sender == pool, OnlyPool(msg.sender));
        _;
    }

    /// @param authority_ the AccessManager that says who may pause requests
    /// @param frame_ seconds between two cut-offs, the oracle's frame
    constructor(address authority_, uint256 frame_) AccessManaged(authority_) {
        frame = frame_;
    }

    /// @notice The pool pays for what it finalised.
    receive() external payable onlyPool {}

    /// @inheritdoc IWithdrawalQueue
    function bind(address token_) external override {
        require(address(_config.token) == address(0), AlreadyBound(address(_config.token)));
        require(IStakedEther(token_).queue() == address(this), NotMyToken(token_));
        _config.token = IStakedEther(token_);
    }

    // --- stakers ---

    /// @inheritdoc IWithdrawalQueue
    function requestWithdrawals(
        uint256[] calldata amounts,
        address owner
    ) external override returns (uint256[] memory ids) {
        (IStakedEther token_, address to) = _open(amounts.length, owner);
        ids = new uint256[](amounts.length);
        for (uint256 i; i < amounts.length; ++i) {
            uint256 amount = amounts[i];
            if (amount < MIN_REQUEST) revert RequestTooSmall(amount, MIN_REQUEST);
            ids[i] = _enqueue(token_, to, amount, token_.pullToQueue(msg.sender, amount));
        }
    }

    /// @inheritdoc IWithdrawalQueue
    function requestWithdrawalsShares(
        uint256[] calldata shares,
        address owner
    ) external override returns (uint256[] memory ids) {
        (IStakedEther token_, address to) = _open(shares.length, owner);
        ids = new uint256[](shares.length);
        for (uint256 i; i < shares.length; ++i) {
            token_.pullSharesToQueue(msg.sender, shares[i]);
            uint256 amount = token_.getPooledEthByShares(shares[i]);
            require(amount >= MIN_REQUEST, RequestTooSmall(amount, MIN_REQUEST));
            ids[i] = _enqueue(token_, to, amount, shares[i]);
        }
    }

    /// @inheritdoc IWithdrawalQueue
    function claimWithdrawal(uint256 requestId) external override {
        _send(msg.sender, _claim(requestId, 0, msg.sender));
    }

    /// @inheritdoc IWithdrawalQueue
    function claimWithdrawals(
        uint256[] calldata requestIds,
        uint256[] calldata hints,
        address receiver
    ) external override {
        require(receiver != address(0), ZeroReceiver());
        require(requestIds.length != 0, NoRequests());
        require(
            hints.length == 0 || hints.length == requestIds.length,
            LengthMismatch(requestIds.length, hints.length)
        );
        uint256 total;
        for (uint256 i; i < requestIds.length; ++i) {
            total += _claim(requestIds[i], hints.length == 0 ? 0 : hints[i], receiver);
        }
        _send(receiver, total);
    }

    // --- pool ---

    /// @inheritdoc IWithdrawalQueue
    function open(uint256 firstCutoff) external override onlyPool {
        _book.tail.nextCutoff = uint40(firstCutoff);
    }

    /// @inheritdoc IWithdrawalQueue
    function settleReport(
        uint256 nextCutoff,
        uint256 maxRate,
        uint256 cutoff,
        uint256 available
    ) external override onlyPool returns (uint256 paid, uint256 shares) {
        Rounds.Tail memory tail = _book.tail;
        uint256 end;
        (paid, shares, end) = _finalise(tail, maxRate, cutoff, available);
        shares += tail.remainder;
        tail.remainder = 0;
        // the rate may have changed: the next request opens a round of its own
        tail.roundOpen = false;
        tail.nextCutoff = uint40(nextCutoff);
        _book.tail = tail;
        _collect(paid, end);
    }

    /// @inheritdoc IWithdrawalQueue
    function finalise(
        uint256 maxRate,
        uint256 cutoff,
        uint256 available
    ) external override onlyPool returns (uint256 paid, uint256 shares) {
        uint256 end;
        (paid, shares, end) = _finalise(_book.tail, maxRate, cutoff, available);
        _collect(paid, end);
    }

    /// @notice Pauses or resumes new requests. Claims can't be paused.
    function pauseRequests(bool paused) external restricted {
        _config.paused = paused;
        emit RequestsPaused(paused);
    }

    // --- views ---

    /// @notice The token whose shares wait here.
    function token() external view returns (IStakedEther) {
        return _config.token;
    }

    /// @inheritdoc IWithdrawalQueue
    function requestsPaused() external view override returns (bool) {
        return _config.paused;
    }

    /// @inheritdoc IWithdrawalQueue
    function getWithdrawalStatus(
        uint256[] calldata requestIds
    ) external view override returns (RequestStatus[] memory statuses) {
        statuses = new RequestStatus[](requestIds.length);
        for (uint256 i; i < requestIds.length; ++i) {
            uint256 id = requestIds[i];
            require(id != 0 && id <= _book.tail.lastRequestId, UnknownRequest(id));
            Request memory request = _requests[id];
            uint256 start = _requests[id - 1].endUnits;
            Rounds.Round memory round = _book.rounds[_book.roundAt(start, 0)];
            uint256 units = request.endUnits - start;
            statuses[i] = RequestStatus({
                amount: (units * round.rate) / RAY,
                shares: units * SHARES_PER_UNIT,
                owner: request.owner,
                roundEnd: round.endsAt,
                isFinalized: request.endUnits <= _book.head.finalisedUnits,
                isClaimed: request.owner == address(0)
            });
        }
    }

    /// @inheritdoc IWithdrawalQueue
    function getClaimableEther(
        uint256[] calldata requestIds
    ) external view override returns (uint256[] memory amounts) {
        amounts = new uint256[](requestIds.length);
        for (uint256 i; i < requestIds.length; ++i) {
            Request memory request = _requests[requestIds[i]];
            if (request.owner == address(0) || request.endUnits > _book.head.finalisedUnits) continue;
            uint256 start = _requests[requestIds[i] - 1].endUnits;
            amounts[i] = _book.payment(start, request.endUnits - start, 0, _book.head.capped);
        }
    }

    /// @inheritdoc IWithdrawalQueue
    function findHints(uint256[] calldata requestIds) external view override returns (uint256[] memory hints) {
        hints = new uint256[](requestIds.length);
        for (uint256 i; i < requestIds.length; ++i) {
            uint256 id = requestIds[i];
            require(id != 0 && id <= _book.tail.lastRequestId, UnknownRequest(id));
            hints[i] = _book.roundAt(_requests[id - 1].endUnits, 0);
        }
    }

    /// @inheritdoc IWithdrawalQueue
    function lastRequestId() external view override returns (uint256) {
        return _book.tail.lastRequestId;
    }

    /// @inheritdoc IWithdrawalQueue
    function lastFinalizedId() external view override returns (uint256) {
        return _book.lastFinalisedId(_requests);
    }

    /// @inheritdoc IWithdrawalQueue
    function unfinalisedShares() external view override returns (uint256) {
        return (_book.tail.requestedUnits - _book.head.finalisedUnits) * SHARES_PER_UNIT;
    }

    /// @inheritdoc IWithdrawalQueue
    function oldestRoundEnd() external view override returns (uint256) {
        uint256 finalised = _book.head.finalisedUnits;
        if (finalised == _book.tail.requestedUnits) return 0;
        return _book.rounds[_book.roundAt(finalised, 0)].endsAt;
    }

    // --- internal ---

    /// @dev Settles what `available` wei reach.
    /// @return paid wei, for the caller to collect
    /// @return shares of the requests paid
    /// @return end of what is finalised now, in cumulative units
    function _finalise(
        Rounds.Tail memory tail,
        uint256 maxRate,
        uint256 cutoff,
        uint256 available
    ) private returns (uint256 paid, uint256 shares, uint256 end) {
        Rounds.Head memory head = _book.head;
        uint256 from = head.finalisedUnits;
        paid = _book.finalise(_requests, head, tail, maxRate, cutoff, available);
        end = head.finalisedUnits;
        if (end == from) return (0, 0, end);
        emit WithdrawalsFinalized(from, end, paid, maxRate);
        shares = (end - from) * SHARES_PER_UNIT;
    }

    /// @dev Takes what was just finalised, up to `end`, from the calling pool, whatever its code; all writes are done. The only
    /// call back from a callee of the pool. A pool that finalises once more meanwhile would have one payment count twice.
    function _collect(uint256 paid, uint256 end) private {
        if (paid == 0) return;
        uint256 due = address(this).balance + paid;
        IStakingPool(msg.sender).payQueue(paid);
        require(address(this).balance >= due && _book.head.finalisedUnits == end, NotPaid(paid));
    }

    /// @dev What every request needs: no pause, and a list that is not empty. Whoever asks owns where nobody is named.
    function _open(uint256 count, address owner) private view returns (IStakedEther token_, address to) {
        Config memory config = _config;
        require(!config.paused, RequestsArePaused());
        require(count != 0, NoRequests());
        return (config.token, owner == address(0) ? msg.sender : owner);
    }

    /// @dev Counts a request whose `shares` are here, in the open round or a new one. `amount` is for the event.
    function _enqueue(IStakedEther token_, address owner, uint256 amount, uint256 shares) private returns (uint256 id) {
        if (shares < SHARES_PER_UNIT) revert RequestBelowUnit(shares);
        uint256 units = shares / SHARES_PER_UNIT;
        uint256 remainder = shares % SHARES_PER_UNIT;
        uint256 end;
        (id, end) = _book.tail.append(units, remainder, block.timestamp);
        if (id == 0) {
            // no round is open, or the cut-off of the open one has passed
            _openRound(token_);
            (id, end) = _book.tail.append(units, remainder, block.timestamp);
        }
        _mint(owner, id, uint96(end));
        emit WithdrawalRequested(id, owner, amount, shares);
    }

    /// @dev Rolls the cut-off past now by whole frames, for when reports are missing.
    function _openRound(IStakedEther token_) private {
        Rounds.Tail memory tail = _book.tail;
        if (block.timestamp > tail.nextCutoff) {
            uint256 frames = Math.ceilDiv(block.timestamp - tail.nextCutoff, frame);
            tail.nextCutoff += uint40(frames * frame);
        }
        ++tail.lastRound;
        tail.roundOpen = true;
        _book.tail = tail;
        uint256 rate = token_.rate();
        _book.rounds[tail.lastRound] = Rounds.Round(tail.requestedUnits, uint104(rate), tail.nextCutoff);
        emit RoundOpened(tail.lastRound, uint256(tail.lastRequestId) + 1, rate, tail.nextCutoff);
    }

    /// @dev Everything but the payment: the request is gone before any ether moves.
    function _claim(uint256 id, uint256 hint, address receiver) private returns (uint256 amount) {
        Request memory request = _requests[id];
        Rounds.Head memory head = _book.head;
        if (request.owner != msg.sender) {
            require(request.endUnits != 0, UnknownRequest(id));
            require(request.owner != address(0), AlreadyClaimed(id));
            revert NotRequestOwner(id, msg.sender, request.owner);
        }
        require(request.endUnits <= head.finalisedUnits, NotFinalized(id, request.endUnits, head.finalisedUnits));
        uint256 start = _requests[id - 1].endUnits;
        amount = _book.payment(start, request.endUnits - start, hint, head.capped);
        _burn(msg.sender, id);
        emit WithdrawalClaimed(id, msg.sender, receiver, amount);
    }

    /// @dev Forwards all gas: the requests are burned by now, and nothing can be claimed twice in between.
    function _send(address receiver, uint256 amount) private {
        (bool sent, ) = receiver.call{value: amount}("");
        require(sent, ClaimFailed(receiver, amount));
    }
}
