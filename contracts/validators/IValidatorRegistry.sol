// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBeaconProof} from "./IBeaconProof.sol";

/// @title IValidatorRegistry
/// @notice The state machine of every validator, keyed by the SSZ root of its public key. Whatever changes a state is
/// proven against a beacon block root; anyone may bring the proof.
interface IValidatorRegistry {
    enum Status {
        Unknown,
        Predeposited,
        Queued,
        Active,
        Exiting,
        Withdrawn,
        Dropped
    }

    /// @notice One storage slot.
    struct Record {
        uint32 operatorId;
        uint8 tier; // from the proof on
        Status status;
        bool slashed;
        bool weightStopped; // proven below 31.75 ETH, slashed or leaving: earns no operator fee
        uint40 sequence; // place in its tier's queue, in order of proof
        uint40 validatorIndex;
        uint40 fundedGwei;
        uint40 exitRequestedAt; // unix seconds; 0: none outstanding
    }

    /// @notice Per tier, one slot. There is no list of keys: a key's place is the sequence in its record.
    struct TierQueue {
        uint32 fundHead; // first sequence not yet funded
        uint32 tail; // next sequence to be given
        uint32 exitHead; // first sequence not yet asked to exit
        uint32 funded; // ever
        uint32 exiting; // ever proven exiting or withdrawn
        uint32 queued; // proven, not funded
        uint24 requested; // exit requests outstanding, neither confirmed nor expired
        uint16 targetShareBp; // of the validator set
        uint16 maxShareBp;
    }

    /// @notice The public keys are in the deposit contract's events of the same transaction, in this order.
    event Predeposited(uint256 indexed operatorId, bytes32[] keyRoots);
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
    event Dropped(uint256 indexed operatorId, bytes32 indexed keyRoot);
    event ExitRequested(uint256 indexed operatorId, bytes32 indexed keyRoot);
    event ExitRequestExpired(uint256 indexed operatorId, bytes32 indexed keyRoot);
    event Exiting(uint256 indexed operatorId, bytes32 indexed keyRoot, uint256 withdrawableEpoch);
    event Withdrawn(uint256 indexed operatorId, bytes32 indexed keyRoot, uint256 settledGwei, uint256 shortfall);
    event Slashed(uint256 indexed operatorId, bytes32 indexed keyRoot);
    event WeightStopped(uint256 indexed operatorId, bytes32 indexed keyRoot);
    event BeaconProofChanged(address beaconProof);

    error LengthMismatch(uint256 pubkeys, uint256 others);
    error NoKeys();
    error NoDepositContract(address depositContract);
    error TooManyKeys(uint256 count, uint256 maximum);
    error WrongValue(uint256 value, uint256 expected);
    error KeyKnown(bytes32 keyRoot, Status status);
    error WrongStatus(bytes32 keyRoot, Status status);
    error WrongCredentials(bytes32 credentials, bytes32 expected);
    error ValidatorSlashed(bytes32 keyRoot);
    error NotSlashed(bytes32 keyRoot);
    error EffectiveBalanceTooSmall(uint256 effectiveBalanceGwei);
    error AlreadyEligible(uint64 activationEligibilityEpoch);
    error NotNext(bytes32 keyRoot, uint256 tier, uint256 sequence, uint256 expectedTier, uint256 expectedSequence);
    error NothingToFund();
    error NothingToExit();
    /// @notice Not a full validator's worth, and no request has waited long enough for less.
    error NoDemand(uint256 demand);
    error KeyMismatch(bytes32 keyRoot, bytes32 provenKeyRoot);
    error NotReadyToExit(uint64 activationEpoch, uint64 exitEpoch, uint64 provenEpoch);
    error ExitAlreadyRequested(bytes32 keyRoot, uint256 requestedAt);
    error ExitNotExpired(bytes32 keyRoot, uint256 expiresAt);
    error NotExiting(bytes32 keyRoot);
    error IsExiting(bytes32 keyRoot, uint64 exitEpoch);
    error NotLastEpoch(uint64 provenEpoch, uint64 withdrawableEpoch);
    error NotBelow(uint256 balanceGwei, uint256 thresholdGwei);
    error WeightAlreadyStopped(bytes32 keyRoot);
    error NotActiveYet(uint64 activationEpoch, uint64 provenEpoch);
    error NotRequested(bytes32 keyRoot);
    error ProofTooEarly(uint256 slotTime, uint256 notBefore);
    error OnlyOperators(address caller);
    error NotMyOperators(address named, address operators);
    error ZeroAddress();

    /// @notice Deposits 1 ETH for each key with this protocol's credentials. The operator's owner, once per key, 1 to 64 keys.
    /// `signatures` are over 1-ETH deposit messages, `depositDataRoots` as the deposit contract checks them.
    function predeposit(
        uint256 operatorId,
        bytes[] calldata pubkeys,
        bytes[] calldata signatures,
        bytes32[] calldata depositDataRoots
    ) external payable;
    /// @notice Proves predeposited keys: exact credentials, not slashed, at least 1 ETH effective balance, not yet
    /// eligible for activation. Puts them in their tier's queue, in this order. 1 to 64 keys.
    function proveValidators(IBeaconProof.ValidatorBatch calldata batch) external;
    /// @notice Funds the next queued validators with 31 ETH each, as many as the pool has ether for. `pubkeys` in
    /// queue order; an already funded prefix is skipped. @return count funded
    function fundValidators(bytes[] calldata pubkeys) external returns (uint256 count);
    /// @notice Funds a queued key out of turn with 31 ETH of its operator (owner or manager), for ordinary estETH under the
    /// limits of a deposit. The validator then has no place in the order of exits: whenever its tier is next, anyone may
    /// choose it instead of the head.
    function fundOwn(bytes calldata pubkey) external payable;
    /// @notice Drops a queued key whose operator is frozen, has debt, or whose bond no longer suffices. Anyone.
    function dropQueued(bytes32 keyRoot) external;
    /// @notice Puts a dropped key back at the end of its queue, once the bond suffices.
    function requeue(bytes32 keyRoot) external;
    /// @notice When ether is promised beyond what is here and on its way: asks the next validator in order to exit
    /// (EIP-7002). The proof shows that the consensus layer will accept the request. The caller pays its fee. A validator
    /// whose earlier request expired may be asked again at any time, when its tier is next.
    function requestExit(bytes calldata pubkey, IBeaconProof.ValidatorProof calldata readiness) external payable;
    /// @notice Passes over keys at the head of their tier's exit order that are no longer active, in order.
    function skipExited(bytes32[] calldata keyRoots) external;
    /// @notice Forgets a request that nobody confirmed within a day.
    function expireExitRequest(bytes32 keyRoot) external;
    /// @notice Proves that a requested validator did not begin to exit, in a state at least an hour after the request.
    function proveNotExiting(IBeaconProof.ValidatorProof calldata proof) external;
    /// @notice Proves that a validator has an exit epoch, whoever wanted it.
    function proveExiting(IBeaconProof.ValidatorProof calldata proof) external;
    /// @notice Proves the balance in the last epoch before a validator is withdrawable, before the sweep. What is missing
    /// from the funded 32 ETH is the operator's loss first.
    function proveWithdrawn(
        IBeaconProof.ValidatorProof calldata proof,
        IBeaconProof.BalanceProof calldata balance
    ) external;
    /// @notice Freezes the operator, and finalisation until a report knows of the slashing.
    function proveSlashed(IBeaconProof.ValidatorProof calldata proof) external;
    /// @notice Stops the weight of a validator that is active on the consensus layer with less than 31.75 ETH.
    function proveBelow(
        IBeaconProof.ValidatorProof calldata proof,
        IBeaconProof.BalanceProof calldata balance
    ) external;

    function validator(bytes32 keyRoot) external view returns (Record memory);
    function tierQueue(uint256 tier) external view returns (TierQueue memory);
    function withdrawalCredentials() external view returns (bytes32);
    /// @notice Wei that must come from further exits now; see IStakingPool.exitDemand.
    function exitDemand() external view returns (uint256);
    /// @notice The tier whose queue is funded next, and its head. Reverts with NothingToFund.
    function nextToFund() external view returns (uint256 tier, uint256 sequence);
    /// @notice The tier whose validator exits next, and its head; one that its operator funded out of turn may go instead.
    /// Where only such stay, `sequence` is the end of the order. Reverts with NothingToExit.
    function nextToExit() external view returns (uint256 tier, uint256 sequence);
    function operators() external view returns (address);
    function beaconProof() external view returns (IBeaconProof);
    function tierCount() external view returns (uint256);

    /// @notice Governance only: another layout of the beacon state.
    function setBeaconProof(IBeaconProof beaconProof) external;
    /// @notice Operator registry only: a tier was added or changed.
    function onTierSet(uint256 tier, uint16 targetShareBp, uint16 maxShareBp) external;
}
