// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {IStakedEther} from "../token/IStakedEther.sol";
import {IWithdrawalVault} from "../withdrawals/IWithdrawalVault.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";

/// @title IValidatorExits
/// @notice How validators leave, and bad news about them. A part of the validator registry with code of its own, see
/// ValidatorExits; all of it is called at the registry's address.
interface IValidatorExits {
    /// @notice The life of a key: predeposited, proven and queued, funded and active, exiting, withdrawn. From the
    /// queue it may be dropped, and put back. The order counts: whatever is after Queued has left the queue.
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
        uint40 fundedGwei; // principal; once withdrawn, what came back of it: no more is charged than that
        uint40 exitRequestedAt; // unix seconds of the last request; 0: never asked, or it leaves
        uint32 settledEpoch; // the withdrawable epoch with which it was proven withdrawn
    }

    /// @notice The withdrawal vault sent the request; once more where the consensus layer dropped one.
    event ExitRequested(uint256 indexed operatorId, bytes32 indexed keyRoot);
    /// @notice A state shows an exit epoch. A slashing may still move `withdrawableEpoch`.
    event Exiting(uint256 indexed operatorId, bytes32 indexed keyRoot, uint256 withdrawableEpoch);
    /// @notice A second one tells of a slashing in the last epoch: its shortfall, in wei, is what is missing beyond the first's.
    event Withdrawn(uint256 indexed operatorId, bytes32 indexed keyRoot, uint256 settledGwei, uint256 shortfall);
    /// @notice A slashing was proven: the operator is frozen. Its cost is charged by proveWithdrawn.
    event Slashed(uint256 indexed operatorId, bytes32 indexed keyRoot);
    /// @notice From now on the validator earns its operator no fee.
    event WeightStopped(uint256 indexed operatorId, bytes32 indexed keyRoot);

    /// @notice An empty list.
    error NoKeys();
    /// @notice There is no verifier at zero.
    error ZeroAddress();
    /// @notice Ether sent to an address without code would be lost.
    error NoDepositContract(address depositContract);
    /// @notice The key is in `status`, from which this step does not lead on.
    error WrongStatus(bytes32 keyRoot, Status status);
    /// @notice The validator's ether would go to somebody else than the withdrawal vault.
    error WrongCredentials(bytes32 credentials, bytes32 expected);
    /// @notice The public key given is not the one that the proof is about.
    error KeyMismatch(bytes32 keyRoot, bytes32 provenKeyRoot);
    /// @notice A slashed validator is not queued, and its slashing is counted once.
    error ValidatorSlashed(bytes32 keyRoot);
    /// @notice The state does not show a slashing.
    error NotSlashed(bytes32 keyRoot);
    /// @notice Not the key whose turn it is. An expected sequence at the end of the order: there is none left in it.
    error NotNext(bytes32 keyRoot, uint256 tier, uint256 sequence, uint256 expectedTier, uint256 expectedSequence);
    /// @notice No tier that is not passed over has a validator that stays.
    error NothingToExit();
    /// @notice Not a full validator's worth, and no request has waited long enough for less.
    error NoDemand(uint256 demand);
    /// @notice An exit is asked on states of the last hour.
    error StateTooOld(uint256 slotTime, uint256 notBefore);
    /// @notice The consensus layer would drop the request: not active for 256 epochs at `provenEpoch`, or exiting.
    error NotReadyToExit(uint64 activationEpoch, uint64 exitEpoch, uint64 provenEpoch);
    /// @notice The head of a tier may be asked to exit: its tier is not passed over.
    error ReadyToExit(bytes32 keyRoot, uint64 activationEpoch, uint64 provenEpoch);
    /// @notice Asked at `requestedAt`, unix seconds, within an hour before the state; or a head to be passed by
    /// skipExited.
    error ExitAlreadyRequested(bytes32 keyRoot, uint256 requestedAt);
    /// @notice The state shows no exit epoch.
    error NotExiting(bytes32 keyRoot);
    /// @notice The head has an exit epoch: proveExiting and skipExited pass it, and its tier is not left out.
    error IsExiting(bytes32 keyRoot, uint64 exitEpoch);
    /// @notice A balance is settled in the last epoch before `withdrawableEpoch`: later the sweep may have taken it.
    error NotLastEpoch(uint64 provenEpoch, uint64 withdrawableEpoch);
    /// @notice Settled at a withdrawable epoch that is no earlier. Only a slashing after it opens that again.
    error AlreadySettled(bytes32 keyRoot, uint256 settledEpoch);
    /// @notice The balance is not below what the call is for. Gwei.
    error NotBelow(uint256 balanceGwei, uint256 thresholdGwei);
    /// @notice It earns no fee already.
    error WeightAlreadyStopped(bytes32 keyRoot);
    /// @notice Before `activationEpoch` the top-up may still be on its way into the balance.
    error NotActiveYet(uint64 activationEpoch, uint64 provenEpoch);

    /// @notice Asks a validator to exit (EIP-7002). Anyone, who pays the predeploy's fee with the call; the rest goes back.
    /// Three things must hold:
    ///
    /// READY. `readiness` shows, in a state at most an hour old, that the consensus layer will accept the request: active
    /// for 256 epochs, no exit epoch. Where it was asked before, that state is at least an hour after the request, which the
    /// consensus layer has dropped then.
    ///
    /// DEMAND. A full validator's worth is promised beyond what is here and on its way (exitDemand), or anything once the
    /// oldest round has waited for three days. Needless where the operator has debt, or was frozen for seven days.
    ///
    /// TURN. It is the head of the tier that is next (nextToExit), or of that tier and funded out of turn. A tier whose head
    /// can't exit yet is left out: each of `passed`, in order, shows the head of the tier that would be next, in a state at
    /// most an hour old, with no exit epoch and not yet active for 256 epochs. Where a tier has only validators funded out of
    /// turn, any of them stands for the head. Needless where the operator has debt or is frozen, and for a validator that was
    /// asked before: `passed` is not read then.
    function requestExit(
        bytes calldata pubkey,
        IBeaconProof.ValidatorProof calldata readiness,
        IBeaconProof.ValidatorProof[] calldata passed
    ) external payable;
    /// @notice As requestExit, without demand and out of turn, for a validator whose balance in the state of `readiness` is
    /// more than 1 ETH for each 32 ETH below its principal.
    function ejectBelow(
        bytes calldata pubkey,
        IBeaconProof.ValidatorProof calldata readiness,
        IBeaconProof.BalanceProof calldata balance
    ) external payable;
    /// @notice Passes over keys at the head of their tier's exit order that no longer stay, in order: exiting, withdrawn, or
    /// asked to exit out of turn.
    function skipExited(bytes32[] calldata keyRoots) external;
    /// @notice Proves that a validator has an exit epoch, whoever wanted it.
    function proveExiting(IBeaconProof.ValidatorProof calldata proof) external;
    /// @notice Proves the balance in the last epoch before a validator is withdrawable, before the sweep. What is missing
    /// from the funded 32 ETH is the operator's loss first. Once more for one that was slashed after that proof, which moves
    /// its last epoch: the operator loses what is missing beyond the first time.
    function proveWithdrawn(
        IBeaconProof.ValidatorProof calldata proof,
        IBeaconProof.BalanceProof calldata balance
    ) external;
    /// @notice Freezes the operator, and finalisation until a report knows of the slashing. For a validator that was funded,
    /// be it proven withdrawn, once.
    function proveSlashed(IBeaconProof.ValidatorProof calldata proof) external;
    /// @notice Stops the weight of a validator that is active on the consensus layer with less than 31.75 ETH.
    function proveBelow(
        IBeaconProof.ValidatorProof calldata proof,
        IBeaconProof.BalanceProof calldata balance
    ) external;

    /// @notice estETH; it names the live pool.
    function token() external view returns (IStakedEther);
    /// @notice The owner of the credentials: it sends exit requests, and gets what validators bring back.
    function withdrawalVault() external view returns (IWithdrawalVault);
    /// @notice The operator registry: bonds, weights, freezes.
    function operators() external view returns (IOperatorRegistry);
    /// @notice The beacon chain's deposit contract, to which predeposits go from here.
    function depositContract() external view returns (address);
    /// @notice Of the beacon chain, unix seconds.
    function genesisTime() external view returns (uint256);
    /// @notice 0x01, eleven zeros and the withdrawal vault's address: what every key must have.
    function withdrawalCredentials() external view returns (bytes32);
    /// @notice Verifies all proofs; governance replaces it.
    function beaconProof() external view returns (IBeaconProof);
}
