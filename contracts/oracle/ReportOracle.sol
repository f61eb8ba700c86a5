// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BEACON_ROOTS, BEACON_ROOTS_BUFFER} from "../external/Predeploys.sol";
import {Committee} from "./Committee.sol";
import {GWEI, SECONDS_PER_SLOT, SLOTS_PER_EPOCH} from "../shared/Units.sol";
import {BeaconRoots} from "../shared/BeaconRoots.sol";
import {BeaconHeader} from "../shared/BeaconTypes.sol";
import {IReportBounds} from "./IReportBounds.sol";
import {IReportOracle} from "./IReportOracle.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";

/// @title ReportOracle
/// @notice Grid: reference slots are the last slots of epochs, a frame apart; frames may be skipped, never repeated.
/// Trust: a quorum of the live committee; a deep fall needs more (ReportBounds). Checks: chain of reports, expiry,
/// committee version, the block's root while EIP-4788 has it. The pool limits what a gain can do.
contract ReportOracle is Committee, EIP712 {
    using Checkpoints for Checkpoints.Trace208;

    /// @dev EIP-712: the fields of Report, in its order, so that the encoded struct is what is hashed.
    bytes32 private constant REPORT_TYPEHASH = keccak256(
        "Report(uint64 refSlot,bytes32 blockRoot,uint64 clBalanceGwei,uint64 leavingGwei,"
        "uint128 withdrawalVaultBalance,uint128 rewardsVaultBalance,bool incident,bytes32 prevReportHash,uint32 committeeVersion,uint64 validUntil)"
    );

    /// @notice When reports are due. All of it is fixed; another grid is another oracle's.
    struct Grid {
        uint64 genesisTime; // of the beacon chain, unix seconds
        uint64 firstRefSlot; // treated as reported; the first report is one frame later
        uint64 slotsPerFrame;
        uint64 finalisationMargin; // seconds before a reference slot at which its rounds are cut off
        uint64 grace; // seconds after which a missing report is overdue
    }

    /// @notice For how long, in seconds, a fall counts towards what governance must approve.
    uint256 public constant FALL_WINDOW = 30 days;
    /// @dev How many slots after the reference are searched for the next block (EIP-4788 has an entry per block).
    uint256 private constant MAX_MISSED_SLOTS = 32;

    /// @notice Names the live pool, to which reports go.
    IStakedEther public immutable token;
    /// @notice Of the beacon chain, unix seconds.
    uint64 public immutable genesisTime;
    /// @notice Slots from one reference to the next: whole epochs.
    uint64 public immutable slotsPerFrame;
    /// @notice Seconds: a report pays rounds that ended at least so long before its reference.
    uint64 public immutable finalisationMargin;
    /// @notice Seconds after its reference time at which a report is overdue; less than a frame.
    uint64 public immutable grace;
    /// @dev slotsPerFrame in seconds.
    uint64 private immutable _frameSeconds;
    /// @notice Whose reports this oracle continues; zero for the first.
    IReportOracle public immutable predecessor;

    /// @notice How many signatures a fall needs, and when it needs governance. Stateless; a pointer.
    IReportBounds public bounds;
    /// @inheritdoc IReportOracle
    bytes32 public override lastReportHash;
    /// @notice Reports, by struct hash, whose fall governance approved; each can be accepted once.
    mapping(bytes32 reportHash => bool) public fallApproved;
    /// @dev One entry for each report that lowered the rate; a difference of two is the sum between them.
    Checkpoints.Trace208 private _falls; // unix seconds => cumulative bp

    /// @param grid as Grid says; refused where a frame is no number of epochs, or a grace as long as one
    /// @param members ascending or not; none where there is a predecessor, whose members take their seats in takeOver
    /// @param predecessor_ whose reports this oracle continues; zero for the first
    constructor(
        address authority_,
        IStakedEther token_,
        IReportBounds bounds_,
        Grid memory grid,
        address[] memory members,
        uint256 quorum,
        IReportOracle predecessor_
    )
        AccessManaged(authority_)
        Committee(members, quorum, address(predecessor_) != address(0))
        EIP712("Estuary ReportOracle", "1")
    {
        require(
            grid.slotsPerFrame != 0 &&
                grid.slotsPerFrame % SLOTS_PER_EPOCH == 0 &&
                (grid.firstRefSlot + 1) % SLOTS_PER_EPOCH == 0 &&
                grid.firstRefSlot <= type(uint32).max,
            InvalidFrame(grid.slotsPerFrame, grid.firstRefSlot)
        );
        // fundings stop when a report is overdue, which must be before the next reference (PoolBooks)
        uint256 frameSeconds = grid.slotsPerFrame * SECONDS_PER_SLOT;
        require(grid.grace < frameSeconds, GraceTooLong(grid.grace, frameSeconds));
        token = token_;
        bounds = bounds_;
        (genesisTime, slotsPerFrame) = (grid.genesisTime, grid.slotsPerFrame);
        (finalisationMargin, grace) = (grid.finalisationMargin, grid.grace);
        _frameSeconds = uint64(frameSeconds);
        predecessor = predecessor_;
        _standing.lastRefSlot = uint32(grid.firstRefSlot);
    }

    /// @inheritdoc IReportOracle
    function submitReport(Report calldata report, Signature[] calldata signatures) external override {
        _submit(report, signatures, report.blockRoot);
    }

    /// @inheritdoc IReportOracle
    function submitReportOver(
        Report calldata report,
        Signature[] calldata signatures,
        BeaconHeader[] calldata headers
    ) external override {
        _submit(report, signatures, _follow(report, headers));
    }

    /// @inheritdoc IReportOracle
    function announceReport(Report calldata report, Signature[] calldata signatures) external override {
        (, bytes32 reportHash, ) = _accept(report, signatures);
        _standing.lastIncident = true;
        emit ReportAnnounced(report.refSlot, reportHash);
        IStakingPool(token.pool()).hold();
    }

    /// @inheritdoc IReportOracle
    function takeOver() external override {
        address live = IStakingPool(token.pool()).oracle();
        require(live == address(this), NotLive(live));
        IReportOracle from = predecessor;
        require(address(from) != address(0) && _standing.version == 0, NothingToTakeOver(address(from)));
        Inheritance memory i = from.inheritance();
        _inherit(i.members, i.quorum, i.committeeVersion);
        (_standing.lastRefSlot, _standing.lastIncident) = (uint32(i.lastRefSlot), i.lastIncident);
        _standing.lastFell = i.lastFell;
        lastReportHash = i.lastReportHash;
        for (uint256 k; k < i.falls.length; ++k) _falls.push(i.falls[k].time, i.falls[k].sumBp);
        emit TakenOver(address(from), i.lastRefSlot, i.lastReportHash, fallInWindowBp());
    }

    /// @inheritdoc IReportOracle
    function proveEquivocation(
        Report calldata a,
        Signature calldata signatureA,
        Report calldata b,
        Signature calldata signatureB
    ) external override {
        bytes32 digestA = reportDigest(a);
        bytes32 digestB = reportDigest(b);
        address signer = _signer(digestA, signatureA);
        address other = _signer(digestB, signatureB);
        require(
            a.refSlot == b.refSlot && a.committeeVersion == b.committeeVersion && digestA != digestB && signer == other,
            NotEquivocation(signer, other, a.refSlot, b.refSlot)
        );
        _remove(signer);
    }

    /// @inheritdoc IReportOracle
    function approveFall(bytes32 reportHash, bool approved) external override restricted {
        fallApproved[reportHash] = approved;
        emit FallApproved(reportHash, approved);
    }

    /// @notice Governance: replaces the stateless bounds.
    function setBounds(IReportBounds bounds_) external restricted {
        require(address(bounds_).code.length != 0, ZeroAddress());
        bounds = bounds_;
        emit BoundsChanged(address(bounds_));
    }

    // --- views ---

    /// @inheritdoc IReportOracle
    function incident() external view override returns (bool) {
        Standing memory s = _standing;
        return s.lastIncident || s.lastFell || block.timestamp > _openUntil(s.lastRefSlot);
    }

    /// @inheritdoc IReportOracle
    function reportDigest(Report calldata report) public view override returns (bytes32) {
        return _hashTypedDataV4(_hash(report));
    }

    /// @inheritdoc IReportOracle
    function lastRefSlot() external view override returns (uint64) {
        return _standing.lastRefSlot;
    }

    /// @inheritdoc IReportOracle
    function nextRefSlot() external view override returns (uint64) {
        uint64 last = _standing.lastRefSlot;
        uint256 lastTime = _timeOf(last);
        if (block.timestamp <= lastTime) return last;
        // a reference in this very second is in the future still, as for _check
        uint256 slots = (block.timestamp - 1 - lastTime) / SECONDS_PER_SLOT;
        uint64 next = last + uint64((slots / slotsPerFrame) * slotsPerFrame);
        return _timeOf(next) < IStakingPool(token.pool()).books().lastReportTime ? last : next;
    }

    /// @inheritdoc IReportOracle
    function inheritance() external view override returns (Inheritance memory i) {
        Standing memory s = _standing;
        (i.lastRefSlot, i.lastReportHash) = (s.lastRefSlot, lastReportHash);
        (i.lastIncident, i.lastFell) = (s.lastIncident, s.lastFell);
        (i.committeeVersion, i.quorum, i.members) = (s.version, s.quorum, members());
        uint256 start = block.timestamp - Math.min(block.timestamp, FALL_WINDOW);
        uint256 count = _falls.length();
        uint256 first = count; // the last one before the window, to which its sums refer
        while (first > 0 && _falls.at(uint32(first - 1))._key > start) --first;
        if (first > 0) --first;
        i.falls = new Fall[](count - first);
        for (uint256 k = first; k < count; ++k) {
            Checkpoints.Checkpoint208 memory point = _falls.at(uint32(k));
            i.falls[k - first] = Fall(point._key, point._value);
        }
    }

    /// @inheritdoc IReportOracle
    function fallInWindowBp() public view override returns (uint256) {
        uint256 start = block.timestamp - Math.min(block.timestamp, FALL_WINDOW);
        return _falls.latest() - _falls.upperLookupRecent(uint48(start));
    }

    /// @notice Until when deposits stay open if no report arrives after the one for `refSlot`.
    function openUntil(uint64 refSlot) external view returns (uint256) {
        return _openUntil(refSlot);
    }

    // --- internal ---

    /// @param known the root that EIP-4788 must have: the reported block's, or of what follows it without a payload
    function _submit(Report calldata report, Signature[] calldata signatures, bytes32 known) private {
        (Standing memory s, bytes32 reportHash, uint256 count) = _accept(report, signatures);
        _checkRoot(report.refSlot, known);
        uint256 frames = (report.refSlot - s.lastRefSlot) / slotsPerFrame;
        // before the pool is called: whoever asks this oracle meanwhile is told of the report
        (s.lastRefSlot, s.lastIncident, s.lastFell) = (uint32(report.refSlot), report.incident, false);
        _standing = s;
        lastReportHash = reportHash;

        IStakingPool.Outcome memory o = IStakingPool(token.pool()).applyReport(_reportData(report, frames));
        // only the pool knows how far the rate falls; where signatures or approval lack, all of this is taken back
        uint256 fall;
        if (o.etherAfter * o.sharesBefore < o.etherBefore * o.sharesAfter) {
            fall = _escalate(o, reportHash, count, s);
            _standing.lastFell = true;
        }
        emit ReportAccepted(report.refSlot, reportHash, count, fall);
    }

    /// @dev Everything that a report needs before its numbers matter: its place in the chain of reports, and a quorum.
    function _accept(
        Report calldata report,
        Signature[] calldata signatures
    ) private view returns (Standing memory s, bytes32 reportHash, uint256 count) {
        s = _standing;
        _check(report, s.lastRefSlot, s.version);
        reportHash = _hash(report);
        count = _countSignatures(_hashTypedDataV4(reportHash), signatures, s.list);
        require(count >= s.quorum, NotEnoughSignatures(count, s.quorum));
    }

    /// @dev The report's place in the chain of reports: its slot is on the grid, past, and after `last`; it continues
    /// the last report, was signed for the committee of now, and is still valid. Of its amounts only `leavingGwei` is
    /// compared here.
    function _check(Report calldata report, uint64 last, uint32 version) private view {
        require(report.refSlot > last, ReferenceNotNewer(report.refSlot, last));
        require((report.refSlot - last) % slotsPerFrame == 0, ReferenceOffGrid(report.refSlot, last, slotsPerFrame));
        uint256 refTime = _timeOf(report.refSlot);
        require(refTime < block.timestamp, ReferenceInFuture(report.refSlot, refTime, block.timestamp));
        require(block.timestamp <= report.validUntil, ReportExpired(report.validUntil, block.timestamp));
        require(report.prevReportHash == lastReportHash, WrongPreviousReport(report.prevReportHash, lastReportHash));
        require(report.committeeVersion == version, WrongCommitteeVersion(report.committeeVersion, version));
        bool possible = report.leavingGwei <= report.clBalanceGwei;
        require(possible, LeavingAboveBalance(report.leavingGwei, report.clBalanceGwei));
    }

    /// @dev The first execution block after the reference carries the root of a block before it (EIP-4788): of the last one at
    /// or before the reference, unless blocks without a payload lie between (Gloas). If none of the next slots has an execution
    /// block, or its root is no longer kept, there is nothing to compare with.
    function _checkRoot(uint64 refSlot, bytes32 expected) private view {
        uint256 time = _timeOf(refSlot);
        if (block.timestamp - time > BEACON_ROOTS_BUFFER * SECONDS_PER_SLOT) return;
        for (uint256 i; i < MAX_MISSED_SLOTS; ++i) {
            time += SECONDS_PER_SLOT;
            if (time > block.timestamp) return;
            (bool known, bytes memory root) = BEACON_ROOTS.staticcall(abi.encode(time));
            if (!known || root.length != 32) continue;
            require(bytes32(root) == expected, WrongBlockRoot(expected, bytes32(root)));
            return;
        }
    }

    /// @dev The root of the last of `headers`: the first is the reported block's, each further one's parent is the one before,
    /// and it comes after the reference.
    function _follow(Report calldata report, BeaconHeader[] calldata headers) private view returns (bytes32 root) {
        require(headers.length != 0, WrongHeader(0));
        root = BeaconRoots.ofHeader(headers[0]);
        require(root == report.blockRoot && headers[0].slot <= report.refSlot, WrongHeader(0));
        for (uint256 i = 1; i < headers.length; ++i) {
            require(headers[i].parentRoot == root && headers[i].slot > report.refSlot, WrongHeader(i));
            root = BeaconRoots.ofHeader(headers[i]);
        }
    }

    /// @dev The report in the pool's terms: wei and unix seconds. `frames` since the last one count two at most, which
    /// bounds the gain that can be recognised at once.
    function _reportData(Report calldata report, uint256 frames) private view returns (IStakingPool.ReportData memory) {
        uint256 refTime = _timeOf(report.refSlot);
        uint256 frameSeconds = _frameSeconds;
        return
            IStakingPool.ReportData({
                refTime: refTime,
                elapsed: Math.min(frames, 2) * frameSeconds,
                clBalance: report.clBalanceGwei * GWEI,
                leaving: report.leavingGwei * GWEI,
                withdrawalVaultBalance: report.withdrawalVaultBalance,
                rewardsVaultBalance: report.rewardsVaultBalance,
                cutoff: refTime - finalisationMargin,
                nextCutoff: refTime + frameSeconds - finalisationMargin,
                openUntil: _openUntil(report.refSlot),
                incident: report.incident
            });
    }

    /// @dev Records a fall and demands the signatures or the approval it needs.
    function _escalate(
        IStakingPool.Outcome memory o,
        bytes32 reportHash,
        uint256 count,
        Standing memory s
    ) private returns (uint256 fall) {
        fall = bounds.fallBp(o.etherBefore, o.sharesBefore, o.etherAfter, o.sharesAfter);
        uint256 inWindow = fallInWindowBp() + fall;
        _falls.push(uint48(block.timestamp), uint208(_falls.latest() + fall));
        (uint256 needed, bool governance) = bounds.required(fall, inWindow, s.quorum, s.members);
        require(count >= needed, NotEnoughSignatures(count, needed));
        require(!governance || fallApproved[reportHash], FallNeedsGovernance(reportHash, fall, inWindow));
    }

    /// @dev EIP-712 struct hash.
    function _hash(Report calldata report) private pure returns (bytes32) {
        return keccak256(abi.encode(REPORT_TYPEHASH, report));
    }

    /// @dev Unix seconds at which `slot` begins.
    function _timeOf(uint64 slot) private view returns (uint256) {
        return genesisTime + slot * SECONDS_PER_SLOT;
    }

    /// @dev Unix seconds: a frame and the grace after `refSlot`, when the report of the frame after it is overdue.
    function _openUntil(uint64 refSlot) private view returns (uint256) {
        return _timeOf(refSlot) + _frameSeconds + grace;
    }
}
