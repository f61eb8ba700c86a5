// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {BeaconHeader} from "../shared/BeaconTypes.sol";

/// @title IReportOracle
/// @notice Accepts one report a frame, signed by enough of the committee (EIP-712), submitted by anyone.
interface IReportOracle {
    /// @notice What the committee signs. Amounts as of the reference slot, in the post-state of the last finalised
    /// block at or before it, and in the execution block of that beacon block.
    struct Report {
        uint64 refSlot; // last slot of an epoch, on the frame's grid
        bytes32 blockRoot; // root of that beacon block
        uint64 clBalanceGwei; // balances plus pending deposits of all keys funded by then
        uint64 leavingGwei; // balances of those on their way out (decision 015), at most clBalanceGwei
        uint128 withdrawalVaultBalance; // wei
        uint128 rewardsVaultBalance; // wei
        bool incident; // finalise nothing
        bytes32 prevReportHash; // EIP-712 struct hash of the last accepted report
        uint32 committeeVersion;
        uint64 validUntil; // unix seconds
    }

    /// @notice What a successor takes over.
    struct Inheritance {
        uint64 lastRefSlot;
        bytes32 lastReportHash;
        bool lastIncident;
        bool lastFell;
        uint32 committeeVersion;
        uint8 quorum;
        address[] members;
        Fall[] falls; // of the last 30 days, oldest first
    }

    /// @notice A checkpoint of the falls that reports brought: their sum over a window is a difference of two.
    struct Fall {
        uint48 time; // unix seconds
        uint208 sumBp; // of falls up to and including it, from an unknown start
    }

    /// @notice A member's signature in 64 bytes (EIP-2098): r, and s with the parity of y in its highest bit.
    struct Signature {
        bytes32 r;
        bytes32 vs;
    }

    /// @notice `signatures` were given; gain and fee lowered the rate by `fallBp`, rounded up, 0 for a rise.
    event ReportAccepted(uint64 indexed refSlot, bytes32 indexed reportHash, uint256 signatures, uint256 fallBp);
    /// @notice A quorum signed a report that needs more: everything waits for it.
    event ReportAnnounced(uint64 indexed refSlot, bytes32 indexed reportHash);
    /// @notice This oracle goes on where `predecessor` stopped. Falls in bp, of the last 30 days.
    event TakenOver(address indexed predecessor, uint64 lastRefSlot, bytes32 lastReportHash, uint256 fallInWindowBp);
    /// @notice Governance approved the fall that the report of this struct hash brings, or took that back.
    event FallApproved(bytes32 indexed reportHash, bool approved);
    /// @notice Governance replaced the bounds of falls.
    event BoundsChanged(address bounds);

    /// @notice The header at this place does not continue the chain from the reported block, or there is none.
    error WrongHeader(uint256 place);
    /// @notice More is said to leave than there is.
    error LeavingAboveBalance(uint64 leavingGwei, uint64 clBalanceGwei);
    /// @notice The live pool names `liveOracle`: replacePool comes before takeOver.
    error NotLive(address liveOracle);
    /// @notice There is no predecessor, or it was taken over already.
    error NothingToTakeOver(address predecessor);
    /// @notice Not a whole number of frames after the last report's reference.
    error ReferenceOffGrid(uint64 refSlot, uint64 lastRefSlot, uint64 slotsPerFrame);
    /// @notice A report of this reference, or of a later one, was accepted.
    error ReferenceNotNewer(uint64 refSlot, uint64 lastRefSlot);
    /// @notice The reference slot begins at `refTime`, which `time`, the block's, has not passed. Unix seconds.
    error ReferenceInFuture(uint64 refSlot, uint256 refTime, uint256 time);
    /// @notice EIP-4788 has `knownRoot` where `blockRoot` should be: the report's, or the last given header's.
    error WrongBlockRoot(bytes32 blockRoot, bytes32 knownRoot);
    /// @notice The report continues another one than the last that was accepted.
    error WrongPreviousReport(bytes32 prevReportHash, bytes32 lastReportHash);
    /// @notice Members or quorum changed since the report was signed: it must be signed again.
    error WrongCommitteeVersion(uint32 version, uint32 current);
    /// @notice What was signed is valid until `validUntil`; `time` is the block's. Unix seconds.
    error ReportExpired(uint64 validUntil, uint256 time);
    /// @notice Fewer than the quorum, or than a fall of this depth needs.
    error NotEnoughSignatures(uint256 signatures, uint256 required);
    /// @notice With it the falls of the last 30 days exceed the bounds, and governance did not approve this report.
    error FallNeedsGovernance(bytes32 reportHash, uint256 fallBp, uint256 fallInWindowBp);
    /// @notice Two reports prove something only if they differ, have one signer, one slot and one committee version.
    error NotEquivocation(address signerA, address signerB, uint64 refSlotA, uint64 refSlotB);
    /// @notice A frame is a positive number of epochs; its grid starts at an epoch's last slot, below 2**32.
    error InvalidFrame(uint64 slotsPerFrame, uint64 firstRefSlot);
    /// @notice A grace as long as a frame would leave fundings open past the next reference (decision 016). Seconds.
    error GraceTooLong(uint256 grace, uint256 frameSeconds);
    /// @notice The new bounds have no code.
    error ZeroAddress();

    /// @notice Applies a report. `signatures` are sorted by ascending signer.
    function submitReport(Report calldata report, Signature[] calldata signatures) external;
    /// @notice As submitReport, where blocks without a payload follow the reported one (Gloas): its header, then theirs, each
    /// the parent of the next.
    function submitReportOver(
        Report calldata report,
        Signature[] calldata signatures,
        BeaconHeader[] calldata headers
    ) external;
    /// @notice Makes known a report that a quorum signed and that needs more: deposits, fundings and payments stop until a report
    /// is applied. Anyone. Checks what submitReport checks, but for the block's root.
    function announceReport(Report calldata report, Signature[] calldata signatures) external;
    /// @notice Removes a member that signed two different reports for one reference slot. Anyone.
    function proveEquivocation(
        Report calldata a,
        Signature calldata signatureA,
        Report calldata b,
        Signature calldata signatureB
    ) external;
    /// @notice Governance: lets the report with this struct hash lower the rate beyond the window's limit.
    function approveFall(bytes32 reportHash, bool approved) external;

    /// @notice Anyone, once, and only while the live pool names this oracle: takes last report, committee and the window of
    /// falls from the predecessor. No report is accepted before.
    function takeOver() external;

    /// @notice What takeOver takes from here.
    function inheritance() external view returns (Inheritance memory);
    /// @notice Whether queue and products should be careful: the last report said so or lowered the rate, one was announced,
    /// or the next one is overdue.
    function incident() external view returns (bool);
    /// @notice What members sign: the EIP-712 digest.
    function reportDigest(Report calldata report) external view returns (bytes32);
    /// @notice Reference slot of the last accepted report; before the first, the slot where the grid starts.
    function lastRefSlot() external view returns (uint64);
    /// @notice EIP-712 struct hash of the last accepted report, which the next one must name; zero before the first.
    function lastReportHash() external view returns (bytes32);
    /// @notice The reference slot of the most recent frame that can be reported now; equal to lastRefSlot if none. A frame
    /// that ended before the last report was executed is not reported, but is part of the next.
    function nextRefSlot() external view returns (uint64);
    /// @notice Basis points by which reports lowered the rate in the last 30 days, summed.
    function fallInWindowBp() external view returns (uint256);
}
