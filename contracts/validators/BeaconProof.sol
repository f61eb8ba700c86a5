// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BEACON_ROOTS} from "../external/Predeploys.sol";
import {SSZ} from "../shared/SSZ.sol";
import {BeaconHeader} from "../shared/BeaconTypes.sol";
import {BeaconRoots} from "../shared/BeaconRoots.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {StateLayout} from "./StateLayout.sol";

/// @title BeaconProof
/// @notice From a root that EIP-4788 keeps to a validator. Which layout a state has (StateLayout) follows from the slot of
/// its header: Electra's and Fulu's in [firstSlot, gloasSlot), Gloas's in [gloasSlot, lastSlot); no other is accepted.
///
/// HOP. EIP-4788 keeps 8191 slots. An older block is proven by the state of a newer one, which is kept: block_roots has the
/// roots of the last 8192 slots, historical_summaries those of all full periods of 8192 slots since `firstSummarySlot`.
///
/// BRANCHES. In Electra's lists, a branch may leave out the empty subtrees at the top of a list that is far from full. It
/// then has the siblings of the lower levels, followed by those from the list's data to the state root.
contract BeaconProof is IBeaconProof {
    /// @dev One suffices: what a state of now does not have in block_roots is in its summaries.
    uint256 private constant MAX_HOPS = 1;

    /// @notice Where the list of historical summaries starts: the first slot of Capella, a multiple of 8192.
    uint64 public immutable firstSummarySlot;
    /// @notice The first slot whose state is accepted; Electra's and Fulu's layout.
    uint64 public immutable firstSlot;
    /// @notice The first slot with the layout of Gloas. Equal to lastSlot: Gloas is not accepted.
    uint64 public immutable gloasSlot;
    /// @notice No state of this slot or a later one is accepted: a fork after it needs another verifier.
    uint64 public immutable lastSlot;

    /// @dev Slots in order, and a list of summaries that starts with a whole period.
    constructor(uint64 firstSummarySlot_, uint64 firstSlot_, uint64 gloasSlot_, uint64 lastSlot_) {
        bool ordered = firstSlot_ <= gloasSlot_ && gloasSlot_ <= lastSlot_;
        require(ordered, SlotsOutOfOrder(firstSlot_, gloasSlot_, lastSlot_));
        require(firstSummarySlot_ % StateLayout.PERIOD == 0, NotAPeriod(firstSummarySlot_));
        (firstSummarySlot, firstSlot, gloasSlot, lastSlot) = (firstSummarySlot_, firstSlot_, gloasSlot_, lastSlot_);
    }

    /// @inheritdoc IBeaconProof
    function verifyValidator(ValidatorProof calldata proof) external view {
        _verifyBlock(proof.rootTimestamp, proof.header, proof.hops);
        _verifyInState(proof);
    }

    /// @inheritdoc IBeaconProof
    function verifyValidators(ValidatorBatch calldata batch) external view {
        _verifyBlock(batch.rootTimestamp, batch.header, batch.hops);
        bool gloas = batch.header.slot >= gloasSlot;
        _requireLength(batch.listBranch.length, StateLayout.levelsAbove(gloas));
        bytes32 list;
        uint256 levels;
        for (uint256 i = 0; i < batch.validators.length; ++i) {
            ListedValidator calldata item = batch.validators[i];
            // in Gloas the index says how long a branch is; in Electra all have the length of the first
            if (gloas) levels = StateLayout.progressiveLevels(item.index);
            else if (i == 0) levels = _atMost(item.branch.length, StateLayout.VALIDATORS_DEPTH);
            _requireLength(item.branch.length, levels);
            bytes32 leaf = BeaconRoots.ofValidator(item.validator);
            bytes32 root = StateLayout.listRoot(gloas, leaf, item.branch, levels, item.index);
            // the first leads on to the state root; the others need only meet it at the list
            if (i == 0) {
                list = root;
                root = StateLayout.dataRoot(gloas, root, levels, StateLayout.VALIDATORS_DEPTH);
                uint256 gindex = StateLayout.dataIndex(gloas, StateLayout.VALIDATORS);
                root = SSZ.branchRoot(root, batch.listBranch, 0, batch.listBranch.length, gindex);
                require(root == batch.header.stateRoot, ProofInvalid(root, batch.header.stateRoot));
            } else {
                require(root == list, ProofInvalid(root, list));
            }
        }
    }

    /// @inheritdoc IBeaconProof
    function verifyValidatorAndBalance(
        ValidatorProof calldata proof,
        BalanceProof calldata balance
    ) external view returns (uint64) {
        _verifyBlock(proof.rootTimestamp, proof.header, proof.hops);
        _verifyInState(proof);
        _verifyItem(
            proof.header,
            balance.chunk,
            balance.branch,
            // a chunk of 32 bytes has four balances
            proof.index / 4,
            StateLayout.BALANCES,
            StateLayout.BALANCES_DEPTH
        );
        return SSZ.uint64At(balance.chunk, proof.index % 4);
    }

    // --- blocks ---

    /// @dev The block is on chain, or one whose state knows it; and the layout is known.
    function _verifyBlock(uint64 rootTimestamp, BeaconHeader calldata blockHeader, Hop[] calldata hops) private view {
        _requireKnownLayout(blockHeader.slot);
        bytes32 header = BeaconRoots.ofHeader(blockHeader);
        if (hops.length != 0) header = _hop(header, blockHeader.slot, hops);
        bytes32 known = _blockRoot(rootTimestamp);
        require(header == known, HeaderMismatch(header, known));
    }

    /// @return the root of the newer block, in whose state `header` of `slot` is proven
    function _hop(bytes32 header, uint256 slot, Hop[] calldata hops) private view returns (bytes32) {
        require(hops.length == MAX_HOPS, TooManyHops(hops.length, MAX_HOPS));
        BeaconHeader calldata from = hops[0].from;
        bytes32[] calldata branch = hops[0].branch;
        _requireKnownLayout(from.slot);
        require(slot < from.slot && slot >= firstSummarySlot, HopOutOfRange(slot, from.slot));
        bool gloas = from.slot >= gloasSlot;
        (uint256 gindex, uint256 length) = from.slot - slot <= StateLayout.PERIOD
            ? StateLayout.blockRootIndex(gloas, slot)
            : StateLayout.summaryIndex(gloas, slot, firstSummarySlot);
        _requireLength(branch.length, length);
        bytes32 root = SSZ.branchRoot(header, branch, 0, length, gindex);
        require(root == from.stateRoot, ProofInvalid(root, from.stateRoot));
        return BeaconRoots.ofHeader(from);
    }

    /// @dev An unknown layout could have another field at the place that is proven.
    function _requireKnownLayout(uint64 slot) private view {
        require(slot >= firstSlot && slot < lastSlot, SlotOutsideLayout(slot, firstSlot, lastSlot));
    }

    /// @dev EIP-4788 answers with the parent beacon block root of the block at that time, or reverts.
    function _blockRoot(uint64 rootTimestamp) private view returns (bytes32 root) {
        (address predeploy, uint256 time) = (BEACON_ROOTS, rootTimestamp);
        bool known;
        assembly ("memory-safe") {
            mstore(0x00, time)
            known := staticcall(gas(), predeploy, 0x00, 0x20, 0x00, 0x20)
            known := and(known, eq(returndatasize(), 0x20))
            root := mload(0x00)
        }
        require(known, RootUnknown(rootTimestamp));
    }

    // --- states ---

    /// @dev The validator is at its index in the state of the proof's header, whose block was verified.
    function _verifyInState(ValidatorProof calldata proof) private view {
        require(proof.index >> StateLayout.VALIDATORS_DEPTH == 0, IndexTooLarge(proof.index));
        _verifyItem(
            proof.header,
            BeaconRoots.ofValidator(proof.validator),
            proof.branch,
            proof.index,
            StateLayout.VALIDATORS,
            StateLayout.VALIDATORS_DEPTH
        );
    }

    /// @dev `leaf` is at `index` of a list, `depth` levels deep in Electra, in the state of `header`.
    function _verifyItem(
        BeaconHeader calldata header,
        bytes32 leaf,
        bytes32[] calldata branch,
        uint256 index,
        uint256 field,
        uint256 depth
    ) private view {
        bool gloas = header.slot >= gloasSlot;
        uint256 length = branch.length;
        uint256 above = StateLayout.levelsAbove(gloas);
        if (gloas) _requireLength(length, StateLayout.progressiveLevels(index) + above);
        else require(length >= above && length <= depth + above, WrongBranchLength(length, depth + above));
        uint256 levels = length - above;
        bytes32 root = StateLayout.listRoot(gloas, leaf, branch, levels, index);
        root = StateLayout.dataRoot(gloas, root, levels, depth);
        root = SSZ.branchRoot(root, branch, levels, length, StateLayout.dataIndex(gloas, field));
        require(root == header.stateRoot, ProofInvalid(root, header.stateRoot));
    }

    /// @dev A branch of another length would prove a node of another level.
    function _requireLength(uint256 length, uint256 expected) private pure {
        require(length == expected, WrongBranchLength(length, expected));
    }

    /// @dev The length of a branch that may leave empty subtrees out.
    function _atMost(uint256 length, uint256 maximum) private pure returns (uint256) {
        require(length <= maximum, WrongBranchLength(length, maximum));
        return length;
    }
}
