// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

/// @title IWithdrawalQueue
/// @notice Turns shares into claims on ether, first come, first served. A request is an ERC-721 (EIP-721).
/// A request's value is fixed when its round opens: it earns nothing from then on and still bears losses.
/// Amounts are wei; the queue counts shares in units of 1e9.
interface IWithdrawalQueue is IERC721 {
    /// @notice A request as it stands; `shares` are whole units of 1e9.
    struct RequestStatus {
        uint256 amount; // wei: value at its round's opening; what it pays unless a loss comes first
        uint256 shares;
        address owner; // zero once claimed
        uint256 roundEnd; // no report with an earlier cut-off finalises it
        bool isFinalized;
        bool isClaimed;
    }

    /// @notice `shares` of whoever asked wait in the queue; `amount` is what they stood for then, in wei.
    event WithdrawalRequested(uint256 indexed requestId, address indexed owner, uint256 amount, uint256 shares);
    /// @notice A request opened a round at `rate` (ray), which is the most its requests are paid. It takes requests
    /// until `endsAt`, unix seconds, or a report.
    event RoundOpened(uint256 indexed round, uint256 firstRequestId, uint256 rate, uint256 endsAt);
    /// @param toUnits requests whose cumulative units are at most this are finalised
    /// @param maxRate ray: no share of them is paid more
    event WithdrawalsFinalized(uint256 fromUnits, uint256 toUnits, uint256 amount, uint256 maxRate);
    /// @notice The request is burned; `receiver`, whom its owner chose, gets `amount` wei.
    event WithdrawalClaimed(uint256 indexed requestId, address indexed owner, address indexed receiver, uint256 amount);
    /// @notice A role paused or resumed new requests.
    event RequestsPaused(bool paused);

    /// @notice A role paused new requests. What was asked before is paid and claimed as ever.
    error RequestsArePaused();
    /// @notice A request is worth 100 wei at least, when it is made.
    error RequestTooSmall(uint256 amount, uint256 minimum);
    /// @notice Shares below one unit (1e9): they would be counted as nothing.
    error RequestBelowUnit(uint256 shares);
    /// @notice An empty list.
    error NoRequests();
    /// @notice No request was ever given this id; they count from 1.
    error UnknownRequest(uint256 requestId);
    /// @notice The request was paid.
    error AlreadyClaimed(uint256 requestId);
    /// @notice Only `owner` claims; an approval for the ERC-721 does not suffice.
    error NotRequestOwner(uint256 requestId, address caller, address owner);
    /// @notice The request ends at `endUnits` of the queue, finalised is up to `finalisedUnits`. Units of 1e9 shares.
    error NotFinalized(uint256 requestId, uint256 endUnits, uint256 finalisedUnits);
    /// @notice Hints are given for each request, or for none.
    error LengthMismatch(uint256 ids, uint256 hints);
    /// @notice A claim for the zero address.
    error ZeroReceiver();
    /// @notice The receiver did not take its ether. The request stays, for another receiver.
    error ClaimFailed(address receiver, uint256 amount);
    /// @notice Only the live pool opens, settles and pays.
    error OnlyPool(address caller);
    /// @notice The pool did not pay what it had finalised.
    error NotPaid(uint256 amount);
    /// @notice The queue has its token, for ever.
    error AlreadyBound(address token);
    /// @notice The token names another queue.
    error NotMyToken(address token);

    // --- stakers ---

    /// @notice Requests a withdrawal of each amount of the caller's estETH, owned by `owner` (zero: the caller).
    /// Needs no approval. Reverts below 100 wei.
    function requestWithdrawals(uint256[] calldata amounts, address owner) external returns (uint256[] memory ids);
    /// @notice As requestWithdrawals, in exact shares (westETH uses it: one westETH wei is 1e9 shares).
    function requestWithdrawalsShares(uint256[] calldata shares, address owner) external returns (uint256[] memory ids);
    /// @notice Pays one finalised request to its owner, who must be the caller.
    function claimWithdrawal(uint256 requestId) external;
    /// @notice Pays many to `receiver`. A hint is a round from `findHints`; a wrong one only costs gas.
    /// `hints` may be empty.
    function claimWithdrawals(uint256[] calldata requestIds, uint256[] calldata hints, address receiver) external;

    /// @notice What became of each request. Reverts with UnknownRequest for an id that was never given.
    function getWithdrawalStatus(uint256[] calldata requestIds) external view returns (RequestStatus[] memory);
    /// @notice What each request would pay now; zero if not finalised, unknown or claimed.
    function getClaimableEther(uint256[] calldata requestIds) external view returns (uint256[] memory);
    /// @notice The round of each request, for `claimWithdrawals`: it spares the claim a search. Never changes.
    function findHints(uint256[] calldata requestIds) external view returns (uint256[] memory);
    /// @notice Requests have the ids from 1 to this.
    function lastRequestId() external view returns (uint256);
    /// @notice Requests up to this one are finalised; zero if none is.
    function lastFinalizedId() external view returns (uint256);
    /// @notice Seconds between two cut-offs: the oracle's frame.
    function frame() external view returns (uint256);
    /// @notice Shares of all requests not yet finalised.
    function unfinalisedShares() external view returns (uint256);
    /// @notice When the oldest round with unfinalised requests ends or ended; zero if none waits.
    function oldestRoundEnd() external view returns (uint256);

    /// @notice Whether a role paused new requests.
    function requestsPaused() external view returns (bool);

    // --- pool only ---

    /// @notice The pool opens: the first round ends by `firstCutoff`.
    function open(uint256 firstCutoff) external;
    /// @notice A report was accepted: closes the current round, finalises, and hands over the paid requests' shares
    /// together with the remainders below one unit of all requests since the last report.
    /// @param nextCutoff when the next round ends at the latest
    /// @param cutoff as in `finalise`; zero finalises nothing
    /// @return paid wei, taken from the caller by IStakingPool.payQueue
    /// @return shares for the cover account
    function settleReport(
        uint256 nextCutoff,
        uint256 maxRate,
        uint256 cutoff,
        uint256 available
    ) external returns (uint256 paid, uint256 shares);
    /// @notice Finalises in order, as far as `available` reaches, rounds that ended by `cutoff`, at most 64, paying
    /// min(opening rate, maxRate) a share.
    /// @return paid wei, taken from the caller by IStakingPool.payQueue
    /// @return shares of the requests paid
    function finalise(
        uint256 maxRate,
        uint256 cutoff,
        uint256 available
    ) external returns (uint256 paid, uint256 shares);
    /// @notice Anyone, once: binds the queue to the token that names it as its queue.
    function bind(address token) external;
}
