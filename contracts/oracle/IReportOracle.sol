// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IReportOracle
/// @notice Accepts one report a frame, signed by enough of the committee (EIP-712), submitted by anyone.
interface IReportOracle {
    /// @notice What the committee signs. Amounts as of the reference slot, in the post-state of the last finalised
    /// block at or before it, and in the execution block of that beacon block.
    struct Report {
        uint64 refSlot; // last slot of an epoch, on the frame's grid
        bytes32 blockRoot; // root of that beacon block
        uint64 clBalanceGwei; // balances plus pending deposits of all keys funded by then
        uint128 withdrawalVaultBalance; // wei
        uint128 rewardsVaultBalance; // wei
        bool incident; // finalise nothing
        bytes32 prevReportHash; // EIP-712 struct hash of the last accepted report
        uint32 committeeVersion;
        uint64 validUntil; // unix seconds
    }

    /// @notice A member's signature in 64 bytes (EIP-2098): r, and s with the parity of y in its highest bit.
    struct Signature {
        bytes32 r;
        bytes32 vs;
    }

    event ReportAccepted(uint64 indexed refSlot, bytes32 indexed reportHash, uint256 signatures, uint256 fallBp);
    event FallApproved(bytes32 indexed reportHash, bool approved);
    event BoundsChanged(address bounds);

    error ReferenceOffGrid(uint64 refSlot, uint64 lastRefSlot, uint64 slotsPerFrame);
    error ReferenceNotNewer(uint64 refSlot, uint64 lastRefSlot);
    error ReferenceInFuture(uint64 refSlot, uint256 refTime, uint256 time);
    error WrongBlockRoot(bytes32 blockRoot, bytes32 knownRoot);
    error WrongPreviousReport(bytes32 prevReportHash, bytes32 lastReportHash);
    error WrongCommitteeVersion(uint32 version, uint32 current);
    error ReportExpired(uint64 validUntil, uint256 time);
    error NotEnoughSignatures(uint256 signatures, uint256 required);
    error FallNeedsGovernance(bytes32 reportHash, uint256 fallBp, uint256 fallInWindowBp);
    error NotEquivocation(address signerA, address signerB, uint64 refSlotA, uint64 refSlotB);
    error InvalidFrame(uint64 slotsPerFrame, uint64 firstRefSlot);
    error ZeroAddress();

    /// @notice Applies a report. `signatures` are sorted by ascending signer.
    function submitReport(Report calldata report, Signature[] calldata signatures) external;
    /// @notice Removes a member that signed two different reports for one reference slot. Anyone.
    function proveEquivocation(
        Report calldata a,
        Signature calldata signatureA,
        Report calldata b,
        Signature calldata signatureB
    ) external;
    /// @notice Governance: lets the report with this struct hash lower the rate beyond the window's limit.
    function approveFall(bytes32 reportHash, bool approved) external;

    /// @notice Whether queue and products should be careful: the last report said so or lowered the rate, or the next
    /// one is overdue.
    function incident() external view returns (bool);
    function reportDigest(Report calldata report) external view returns (bytes32);
    function lastRefSlot() external view returns (uint64);
    function lastReportHash() external view returns (bytes32);
    /// @notice The reference slot of the most recent frame that can be reported now; equal to lastRefSlot if none.
    function nextRefSlot() external view returns (uint64);
    /// @notice Basis points by which reports lowered the rate in the last 30 days, summed.
    function fallInWindowBp() external view returns (uint256);
}
