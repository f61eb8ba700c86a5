// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {IBeaconProof} from "./IBeaconProof.sol";
import {IValidatorExits} from "./IValidatorExits.sol";

/// @title IValidatorRegistry
/// @notice The state machine of every validator, keyed by the SSZ root of its public key. Whatever changes a state is
/// proven against a beacon block root; anyone may bring the proof. How validators leave is in IValidatorExits.
interface IValidatorRegistry is IValidatorExits {
    /// @notice Per tier, one slot. There is no list of keys: a key's place is the sequence in its record. Validators present
    /// in a tier are `funded - leaving`.
    struct TierQueue {
        uint32 fundHead; // first sequence not yet funded
        uint32 tail; // next sequence to be given
        uint32 exitHead; // first sequence not yet asked to exit
        uint32 funded; // ever
        uint32 leaving; // ever asked to exit, or proven exiting or withdrawn without; each once
        uint32 queued; // proven, not funded
        uint16 targetShareBp; // of the validators present
        uint16 maxShareBp;
        uint8 tiers; // in the first tier alone: how many there are. In a slot of its own: 2,100 gas more a funding
    }

    /// @notice New keys only. Their public keys are in the deposit contract's events of the same transaction, in this order.
    event Predeposited(uint256 indexed operatorId, bytes32[] keyRoots);
    /// @notice A key got the place `sequence` in its tier's queue: proven, or put back after it was dropped.
    event Proven(
        uint256 indexed operatorId,
        bytes32 indexed keyRoot,
        uint256 tier,
        uint256 sequence,
        uint256 validatorIndex
    );
    /// @notice All keys of a tier that were queued with a sequence from `from` to `to - 1` are funded.
    event Funded(uint256 indexed tier, uint256 from, uint256 to);
    /// @notice A queued key was funded by its operator, out of turn. It no longer has a place in the order.
    event FundedOwn(uint256 indexed operatorId, bytes32 indexed keyRoot);
    /// @notice A queued key left the queue without ether of the pool, for its operator's debt, freeze or bond.
    event Dropped(uint256 indexed operatorId, bytes32 indexed keyRoot);
    /// @notice Another verifier is believed from now on.
    event BeaconProofChanged(address beaconProof);

    /// @notice Signatures and roots come one for each key.
    error LengthMismatch(uint256 pubkeys, uint256 others);
    /// @notice A batch has 64 keys at most.
    error TooManyKeys(uint256 count, uint256 maximum);
    /// @notice A call comes with 1 ETH for each key, or 31 ETH for its operator's funding. Wei.
    error WrongValue(uint256 value, uint256 expected);
    /// @notice Somebody else was faster: nothing is left to do with any of these keys.
    error AllKeysKnown(uint256 count);
    /// @notice None of these `count` keys is in the queue.
    error NoneQueued(uint256 count);
    /// @notice Whoever predeposited did not take the ether of known keys back.
    error RefundFailed(address to, uint256 amount);
    /// @notice Less than the predeposit of 1 ETH. Gwei.
    error EffectiveBalanceTooSmall(uint256 effectiveBalanceGwei);
    /// @notice The validator has 32 ETH already, not from the pool, and waits for its activation or is beyond it.
    error AlreadyEligible(uint64 activationEligibilityEpoch);
    /// @notice None of the keys is queued, no tier that has any is below its maximum, or the pool has no 31 ETH for
    /// one.
    error NothingToFund();
    /// @notice One validator more, of `total` then, and the tier would be above its maximum.
    error TierAtMaximum(uint256 tier, uint256 present, uint256 total, uint256 maxShareBp);
    /// @notice Only the operator registry tells of tiers.
    error OnlyOperators(address caller);

    /// @notice Deposits 1 ETH for each key with this protocol's credentials. The operator's owner or manager, once per key,
    /// 1 to 64 keys. `signatures` are over 1-ETH deposit messages, `depositDataRoots` as the deposit contract checks them.
    /// Keys that are known already are passed over, and their ether returned; AllKeysKnown if none is left.
    function predeposit(
        uint256 operatorId,
        bytes[] calldata pubkeys,
        bytes[] calldata signatures,
        bytes32[] calldata depositDataRoots
    ) external payable;
    /// @notice Proves predeposited keys: exact credentials, not slashed, at least 1 ETH effective balance, not yet
    /// eligible for activation. Puts them in their tier's queue, in this order. 1 to 64 keys. Keys that were proven already
    /// are passed over; AllKeysKnown if none is left.
    function proveValidators(IBeaconProof.ValidatorBatch calldata batch) external;
    /// @notice Funds the next queued validators with 31 ETH each, as many as the pool has ether for. `pubkeys` in
    /// queue order; those funded or dropped already are passed over. @return count funded
    function fundValidators(bytes[] calldata pubkeys) external returns (uint256 count);
    /// @notice Funds a queued key out of turn with 31 ETH of its operator (owner or manager), for ordinary estETH under the
    /// limits of a deposit, and within the tier's maximum. The validator then has no place in the order of exits: whenever
    /// its tier is next, anyone may choose it instead of the head.
    function fundOwn(bytes calldata pubkey) external payable;
    /// @notice Drops queued keys whose operator is frozen, has debt, or whose bond no longer suffices after a penalty, a
    /// freeze or a fine. Anyone. Keys that are not queued are passed over; NoneQueued if none is left.
    function dropQueued(bytes32[] calldata keyRoots) external;
    /// @notice Puts dropped keys back at the end of their queue, if the bond suffices. The operator's owner or manager.
    function requeue(bytes32[] calldata keyRoots) external;

    /// @notice What is known of a key; all zeros if nothing.
    function validator(bytes32 keyRoot) external view returns (Record memory);
    /// @notice Counts and heads of a tier's orders.
    function tierQueue(uint256 tier) external view returns (TierQueue memory);
    /// @notice Wei that must come from further exits now: IStakingPool.exitDemand of the exits asked after the last report's
    /// reference less an hour, since a request takes so long to show in a state.
    function exitDemand() external view returns (uint256);
    /// @notice The tier whose queue is funded next, and its head. Reverts with NothingToFund.
    function nextToFund() external view returns (uint256 tier, uint256 sequence);
    /// @notice The tier whose validator exits next, and its head; one that its operator funded out of turn may go instead.
    /// Where only such stay, `sequence` is the end of the order. Reverts with NothingToExit.
    function nextToExit() external view returns (uint256 tier, uint256 sequence);
    /// @notice As in the operator registry, which tells of each tier.
    function tierCount() external view returns (uint256);
    /// @notice The code of IValidatorExits.
    function exits() external view returns (IValidatorExits);

    /// @notice Governance only: another layout of the beacon state.
    function setBeaconProof(IBeaconProof beaconProof) external;
    /// @notice Operator registry only: a tier was added or changed.
    function onTierSet(uint256 tier, uint16 targetShareBp, uint16 maxShareBp) external;
}
