// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BEACON_ROOTS} from "../external/Predeploys.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {SSZ} from "./SSZ.sol";

/// @title BeaconProof
/// @notice The layout of Electra and Fulu. Generalised indices are within the state, whose root is the header's.
///
///   state        37 or 38 fields in 64 leaves: gindex 64 + field
///   validators   field 11, a list of at most 2**40: its items are under the left child   -> depth 6 + 1 + 40
///   balances     field 12, at most 2**40 uint64, four to a chunk                         -> depth 6 + 1 + 38
///
/// With the three levels from the header to its state root these are 1572301627719680 + i and 393625162743808 + i / 4.
contract BeaconProof is IBeaconProof {
    uint256 private constant VALIDATORS_DEPTH = 47;
    uint256 private constant VALIDATORS_GINDEX = ((64 + 11) * 2) << 40;
    uint256 private constant BALANCES_DEPTH = 45;
    uint256 private constant BALANCES_GINDEX = ((64 + 12) * 2) << 38;
    uint256 private constant VALIDATOR_LIMIT = 1 << 40;

    /// @notice The layout holds for states of slots in [firstSlot, lastSlot).
    uint64 public immutable firstSlot;
    uint64 public immutable lastSlot;

    constructor(uint64 firstSlot_, uint64 lastSlot_) {
        firstSlot = firstSlot_;
        lastSlot = lastSlot_;
    }

    /// @inheritdoc IBeaconProof
    function verifyValidator(ValidatorProof calldata proof) external view {
        _verify(proof);
    }

    /// @inheritdoc IBeaconProof
    function verifyValidatorAndBalance(ValidatorProof calldata proof, BalanceProof calldata balance)
        external
        view
        returns (uint64)
    {
        _verify(proof);
        require(balance.branch.length == BALANCES_DEPTH, WrongBranchLength(balance.branch.length, BALANCES_DEPTH));
        uint256 gindex = BALANCES_GINDEX + proof.index / 4;
        bytes32 root = SSZ.branchRoot(balance.chunk, balance.branch, gindex);
        require(root == proof.header.stateRoot, ProofInvalid(root, proof.header.stateRoot));
        return SSZ.uint64At(balance.chunk, proof.index % 4);
    }

    function _verify(ValidatorProof calldata proof) private view {
        uint64 slot = proof.header.slot;
        require(slot >= firstSlot && slot < lastSlot, SlotOutsideLayout(slot, firstSlot, lastSlot));
        require(proof.index < VALIDATOR_LIMIT, IndexTooLarge(proof.index));
        require(proof.branch.length == VALIDATORS_DEPTH, WrongBranchLength(proof.branch.length, VALIDATORS_DEPTH));

        bytes32 header = SSZ.headerRoot(proof.header);
        bytes32 known = _blockRoot(proof.rootTimestamp);
        require(header == known, HeaderMismatch(header, known));

        bytes32 leaf = SSZ.validatorRoot(proof.validator);
        bytes32 root = SSZ.branchRoot(leaf, proof.branch, VALIDATORS_GINDEX + proof.index);
        require(root == proof.header.stateRoot, ProofInvalid(root, proof.header.stateRoot));
    }

    /// @dev EIP-4788 answers with the parent beacon block root of the block at `timestamp`, or reverts.
    function _blockRoot(uint64 timestamp) private view returns (bytes32) {
        (bool known, bytes memory answer) = BEACON_ROOTS.staticcall(abi.encode(uint256(timestamp)));
        require(known && answer.length == 32, RootUnknown(timestamp));
        return abi.decode(answer, (bytes32));
    }
}
