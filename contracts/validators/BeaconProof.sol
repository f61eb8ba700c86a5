// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BEACON_ROOTS} from "../external/Predeploys.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {SSZ} from "./SSZ.sol";

/// @title BeaconProof
/// @notice The layout of Electra and Fulu. Generalised indices are within the state, whose root is the header's.
///
///   state        37 or 38 fields in 64 leaves: gindex 64 + field                           depth 6
///   validators   field 11, a list of at most 2**40: items under its left child             depth 6 + 1 + 40
///   balances     field 12, at most 2**40 uint64, four to a chunk                           depth 6 + 1 + 38
///
/// With the three levels from the header to its state root these are 1572301627719680 + i and 393625162743808 + i / 4.
///
/// BRANCHES always lead through the full depth. The upper levels of a list that is far from full have empty subtrees as
/// siblings; a branch may leave those out. It then has the siblings of the lower levels of the list, followed by the seven
/// from the list's data to the state root.
contract BeaconProof is IBeaconProof {
    uint256 private constant LIST_TO_STATE = 7;
    uint256 private constant VALIDATORS_GINDEX = (64 + 11) * 2;
    uint256 private constant VALIDATORS_DEPTH = 40;
    uint256 private constant BALANCES_GINDEX = (64 + 12) * 2;
    uint256 private constant BALANCES_DEPTH = 38;

    /// @notice The layout holds for states of slots in [firstSlot, lastSlot).
    uint64 public immutable firstSlot;
    uint64 public immutable lastSlot;

    constructor(uint64 firstSlot_, uint64 lastSlot_) {
        firstSlot = firstSlot_;
        lastSlot = lastSlot_;
    }

    /// @inheritdoc IBeaconProof
    function verifyValidator(ValidatorProof calldata proof) external view {
        _verifyBlock(proof.rootTimestamp, proof.header);
        _verifyInState(proof);
    }

    /// @inheritdoc IBeaconProof
    function verifyValidators(ValidatorBatch calldata batch) external view {
        _verifyBlock(batch.rootTimestamp, batch.header);
        require(batch.listBranch.length == LIST_TO_STATE, WrongBranchLength(batch.listBranch.length, LIST_TO_STATE));
        bytes32 list;
        uint256 levels;
        for (uint256 i = 0; i < batch.validators.length; ++i) {
            ListedValidator calldata item = batch.validators[i];
            uint256 length = item.branch.length;
            if (i == 0) {
                require(length <= VALIDATORS_DEPTH, WrongBranchLength(length, VALIDATORS_DEPTH));
                levels = length;
            }
            require(length == levels, WrongBranchLength(length, levels));
            require(item.index >> levels == 0, IndexOutsideBranch(item.index, levels));
            bytes32 root = SSZ.branchRoot(SSZ.validatorRoot(item.validator), item.branch, 0, levels, item.index);
            if (i == 0) {
                list = root;
                root = levels < VALIDATORS_DEPTH ? SSZ.leftmostRoot(root, levels, VALIDATORS_DEPTH) : root;
                root = SSZ.branchRoot(root, batch.listBranch, 0, LIST_TO_STATE, VALIDATORS_GINDEX);
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
        _verifyBlock(proof.rootTimestamp, proof.header);
        _verifyInState(proof);
        bytes32 root = _stateRoot(balance.chunk, balance.branch, proof.index / 4, BALANCES_DEPTH, BALANCES_GINDEX);
        require(root == proof.header.stateRoot, ProofInvalid(root, proof.header.stateRoot));
        return SSZ.uint64At(balance.chunk, proof.index % 4);
    }

    /// @dev The header is on chain, and this layout is its state's.
    function _verifyBlock(uint64 rootTimestamp, BeaconHeader calldata blockHeader) private view {
        uint64 slot = blockHeader.slot;
        require(slot >= firstSlot && slot < lastSlot, SlotOutsideLayout(slot, firstSlot, lastSlot));
        bytes32 header = SSZ.headerRoot(blockHeader);
        bytes32 known = _blockRoot(rootTimestamp);
        require(header == known, HeaderMismatch(header, known));
    }

    function _verifyInState(ValidatorProof calldata proof) private view {
        require(proof.index >> VALIDATORS_DEPTH == 0, IndexTooLarge(proof.index));
        bytes32 leaf = SSZ.validatorRoot(proof.validator);
        bytes32 root = _stateRoot(leaf, proof.branch, proof.index, VALIDATORS_DEPTH, VALIDATORS_GINDEX);
        require(root == proof.header.stateRoot, ProofInvalid(root, proof.header.stateRoot));
    }

    /// @dev From item `index` of a list of `depth` levels, whose data is at `gindex` in the state, to the state root.
    function _stateRoot(
        bytes32 leaf,
        bytes32[] calldata branch,
        uint256 index,
        uint256 depth,
        uint256 gindex
    ) private view returns (bytes32 root) {
        uint256 length = branch.length;
        require(
            length >= LIST_TO_STATE && length <= depth + LIST_TO_STATE,
            WrongBranchLength(length, depth + LIST_TO_STATE)
        );
        uint256 levels = length - LIST_TO_STATE;
        require(index >> levels == 0, IndexOutsideBranch(index, levels));
        root = SSZ.branchRoot(leaf, branch, 0, levels, index);
        if (levels < depth) root = SSZ.leftmostRoot(root, levels, depth);
        return SSZ.branchRoot(root, branch, levels, length, gindex);
    }

    /// @dev EIP-4788 answers with the parent beacon block root of the block at `timestamp`, or reverts.
    function _blockRoot(uint64 timestamp) private view returns (bytes32) {
        (bool known, bytes memory answer) = BEACON_ROOTS.staticcall(abi.encode(uint256(timestamp)));
        require(known && answer.length == 32, RootUnknown(timestamp));
        return abi.decode(answer, (bytes32));
    }
}
