// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {BeaconHeader, BeaconValidator} from "../shared/BeaconTypes.sol";

/// @title IBeaconProof
/// @notice Verifies SSZ proofs of validators and balances against beacon block roots kept on chain (EIP-4788).
/// Stateless; one layout per fork family, chosen by the proven header's slot.
interface IBeaconProof {
    /// @notice From a newer block to an older one, which is in its state's block_roots (up to 8192 slots back) or else in its
    /// historical_summaries.
    struct Hop {
        BeaconHeader from;
        bytes32[] branch; // siblings from the older block's root up to the state root
    }

    /// @notice Proves `validator` at `index` in the state of `header`.
    struct ValidatorProof {
        uint64 rootTimestamp; // EIP-4788 key: timestamp of the execution block after the header's (or the hop's) block
        BeaconHeader header;
        Hop[] hops; // none, or one where EIP-4788 does not keep the header's root any more
        uint64 index;
        BeaconValidator validator;
        bytes32[] branch; // siblings from the validator's root up to the state root
    }

    /// @notice One of a batch: `branch` has the siblings from the validator's root up to the list's data.
    struct ListedValidator {
        uint64 index;
        BeaconValidator validator;
        bytes32[] branch;
    }

    /// @notice Proves validators in the state of one header; they share the way from the list's data to the state root.
    struct ValidatorBatch {
        uint64 rootTimestamp;
        BeaconHeader header;
        Hop[] hops;
        bytes32[] listBranch; // siblings from the list's data up to the state root
        ListedValidator[] validators;
    }

    /// @notice Proves the balance at an index in the same state: the chunk of four balances and its branch.
    struct BalanceProof {
        bytes32 chunk;
        bytes32[] branch; // siblings from the chunk up to the state root
    }

    /// @notice EIP-4788 has no root for this time: no block then, or more than 8191 slots ago.
    error RootUnknown(uint64 timestamp);
    /// @notice The header, or the hop's newer one, is not the block whose root EIP-4788 has for that time.
    error HeaderMismatch(bytes32 headerRoot, bytes32 knownRoot);
    /// @notice The state's layout is not known here: `slot` is before `firstSlot`, or not before `lastSlot`.
    error SlotOutsideLayout(uint64 slot, uint64 firstSlot, uint64 lastSlot);
    /// @notice The list of validators has no index of 2**40 or more.
    error IndexTooLarge(uint64 index);
    /// @notice `expected` is a maximum where empty subtrees may be left out.
    error WrongBranchLength(uint256 length, uint256 expected);
    /// @notice The index lies beyond the `levels` of the list whose siblings the branch holds.
    error IndexOutsideBranch(uint256 index, uint256 levels);
    /// @notice The branch leads to another root than the state's; for a further one of a batch, than the list's.
    error ProofInvalid(bytes32 computedRoot, bytes32 stateRoot);
    /// @notice A block is proven by EIP-4788 itself, or over one newer block.
    error TooManyHops(uint256 hops, uint256 maximum);
    /// @notice A hop leads to an older block, and not beyond the first historical summary.
    error HopOutOfRange(uint256 slot, uint256 fromSlot);
    /// @notice Deployment: forks come in this order.
    error SlotsOutOfOrder(uint64 firstSlot, uint64 gloasSlot, uint64 lastSlot);
    /// @notice Deployment: historical summaries start with a whole period of 8192 slots.
    error NotAPeriod(uint64 firstSummarySlot);

    /// @notice Reverts unless the header is on chain, by a hop if need be, and the validator is in its state at that
    /// index. A branch has one sibling for each level of the tree; those that are empty subtrees at the top of a list
    /// may be left out.
    function verifyValidator(ValidatorProof calldata proof) external view;
    /// @notice As verifyValidator, for each. Where empty subtrees are left out, the branches have one length.
    function verifyValidators(ValidatorBatch calldata batch) external view;
    /// @notice As verifyValidator, and reads the validator's balance in the same state. @return balance in gwei
    function verifyValidatorAndBalance(
        ValidatorProof calldata proof,
        BalanceProof calldata balance
    ) external view returns (uint64);
}
