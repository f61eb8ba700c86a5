// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BEACON_ROOTS, BEACON_ROOTS_BUFFER} from "../external/Predeploys.sol";
import {Committee} from "./Committee.sol";
import {GWEI, SECONDS_PER_SLOT, SLOTS_PER_EPOCH} from "../shared/Units.sol";
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

    bytes32 private constant REPORT_TYPEHASH = keccak256(
        "Report(uint64 refSlot,bytes32 blockRoot,uint64 clBalanceGwei,uint128 withdrawalVaultBalance,"
        "uint128 rewardsVaultBalance,bool incident,bytes32 prevReportHash,uint32 committeeVersion,uint64 validUntil)"
    );

    struct Grid {
        uint64 genesisTime; // of the beacon chain, unix seconds
        uint64 firstRefSlot; // treated as reported; the first report is one frame later
        uint64 slotsPerFrame;
        uint64 finalisationMargin; // seconds before a reference slot at which its rounds are cut off
        uint64 grace; // seconds after which a missing report is overdue
    }

    uint256 public constant FALL_WINDOW = 30 days;
    /// @dev How many slots after the reference are searched for the next block (EIP-4788 has an entry per block).
    uint256 private constant MAX_MISSED_SLOTS = 32;

    IStakedEther public immutable token;
    uint64 public immutable genesisTime;
    uint64 public immutable slotsPerFrame;
    uint64 public immutable finalisationMargin;
    uint64 public immutable grace;
    uint64 private immutable _frameSeconds;

    IReportBounds public bounds;
    bytes32 public override lastReportHash;
    mapping(bytes32 reportHash => bool) public fallApproved;
    Checkpoints.Trace208 private _falls; // unix seconds => cumulative bp

    constructor(
        address authority_,
        IStakedEther token_,
        IReportBounds bounds_,
        Grid memory grid,
        address[] memory members,
        uint256 quorum
    ) AccessManaged(authority_) Committee(members, quorum) EIP712("Estuary ReportOracle", "1") {
        require(
            grid.slotsPerFrame != 0 &&
                grid.slotsPerFrame % SLOTS_PER_EPOCH == 0 &&
                (grid.firstRefSlot + 1) % SLOTS_PER_EPOCH == 0 &&
                grid.firstRefSlot <= type(uint32).max,
            InvalidFrame(grid.slotsPerFrame, grid.firstRefSlot)
        );
        token = token_;
        bounds = bounds_;
        (genesisTime, slotsPerFrame) = (grid.genesisTime, grid.slotsPerFrame);
        (finalisationMargin, grace) = (grid.finalisationMargin, grid.grace);
        _frameSeconds = grid.slotsPerFrame * uint64(SECONDS_PER_SLOT);
        _standing.lastRefSlot = uint32(grid.firstRefSlot);
    }

    /// @inheritdoc IReportOracle
    function submitReport(Report calldata report, Signature[] calldata signatures) external override {
        Standing memory s = _standing;
        _check(report, s.lastRefSlot, s.version);
        bytes32 reportHash = _hash(report);
        uint256 count = _countSignatures(_hashTypedDataV4(reportHash), signatures, s.list);
        require(count >= s.quorum, NotEnoughSignatures(count, s.quorum));
        _checkRoot(report);

        uint256 frames = (report.refSlot - s.lastRefSlot) / slotsPerFrame;
        (s.lastRefSlot, s.lastIncident, s.lastFell) = (uint32(report.refSlot), report.incident, false);
        _standing = s;
        lastReportHash = reportHash;

        IStakingPool.Outcome memory o = IStakingPool(token.pool()).applyReport(_reportData(report, frames));
        uint256 fall;
        if (o.etherAfter * o.sharesBefore < o.etherBefore * o.sharesAfter) {
            fall = _escalate(o, reportHash, count, s);
            _standing.lastFell = true;
        }
        emit ReportAccepted(report.refSlot, reportHash, count, fall);
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
        uint256 slots = (block.timestamp - 1 - lastTime) / SECONDS_PER_SLOT;
        return last + uint64((slots / slotsPerFrame) * slotsPerFrame);
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

    function _check(Report calldata report, uint64 last, uint32 version) private view {
        require(report.refSlot > last, ReferenceNotNewer(report.refSlot, last));
        require((report.refSlot - last) % slotsPerFrame == 0, ReferenceOffGrid(report.refSlot, last, slotsPerFrame));
        uint256 refTime = _timeOf(report.refSlot);
        require(refTime < block.timestamp, ReferenceInFuture(report.refSlot, refTime, block.timestamp));
        require(block.timestamp <= report.validUntil, ReportExpired(report.validUntil, block.timestamp));
        require(report.prevReportHash == lastReportHash, WrongPreviousReport(report.prevReportHash, lastReportHash));
        require(report.committeeVersion == version, WrongCommitteeVersion(report.committeeVersion, version));
    }

    /// @dev The block after the reference carries the root of the last block at or before it (EIP-4788). If none of the
    /// next slots has a block, or its root is no longer kept, there is nothing to compare with.
    function _checkRoot(Report calldata report) private view {
        uint256 time = _timeOf(report.refSlot);
        if (block.timestamp - time > BEACON_ROOTS_BUFFER * SECONDS_PER_SLOT) return;
        for (uint256 i; i < MAX_MISSED_SLOTS; ++i) {
            time += SECONDS_PER_SLOT;
            if (time > block.timestamp) return;
            (bool known, bytes memory root) = BEACON_ROOTS.staticcall(abi.encode(time));
            if (!known || root.length != 32) continue;
            require(bytes32(root) == report.blockRoot, WrongBlockRoot(report.blockRoot, bytes32(root)));
            return;
        }
    }

    function _reportData(Report calldata report, uint256 frames) private view returns (IStakingPool.ReportData memory) {
        uint256 refTime = _timeOf(report.refSlot);
        uint256 frameSeconds = _frameSeconds;
        return
            IStakingPool.ReportData({
                refTime: refTime,
                elapsed: Math.min(frames, 2) * frameSeconds,
                clBalance: report.clBalanceGwei * GWEI,
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

    function _hash(Report calldata report) private pure returns (bytes32) {
        return keccak256(abi.encode(REPORT_TYPEHASH, report));
    }

    function _timeOf(uint64 slot) private view returns (uint256) {
        return genesisTime + slot * SECONDS_PER_SLOT;
    }

    function _openUntil(uint64 refSlot) private view returns (uint256) {
        return _timeOf(refSlot) + _frameSeconds + grace;
    }
}
