// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {BeaconValidator} from "../shared/BeaconTypes.sol";
import {IStakedEther} from "../token/IStakedEther.sol";
import {IWithdrawalVault} from "../withdrawals/IWithdrawalVault.sol";
import {IBeaconProof} from "./IBeaconProof.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IValidatorExits} from "./IValidatorExits.sol";
import {ValidatorQueues} from "./ValidatorQueues.sol";

/// @title ValidatorState
/// @notice What the two halves of the validator registry share: the peers, the storage, and what is read from it. All
/// storage is here, so that both lay it out alike; neither adds any. The verifier is a pointer: a hard fork that changes the
/// layout of the beacon state replaces it.
abstract contract ValidatorState is IValidatorExits {
    using Checkpoints for Checkpoints.Trace208;

    /// @dev A request shows in a state this much later at the latest, unless the predeploy's own queue is long.
    uint256 internal constant REQUEST_SHOWS_AFTER = 1 hours;

    /// @inheritdoc IValidatorExits
    IStakedEther public immutable token;
    /// @inheritdoc IValidatorExits
    IWithdrawalVault public immutable withdrawalVault;
    /// @inheritdoc IValidatorExits
    IOperatorRegistry public immutable operators;
    /// @inheritdoc IValidatorExits
    address public immutable depositContract;
    /// @inheritdoc IValidatorExits
    uint256 public immutable genesisTime;
    /// @inheritdoc IValidatorExits
    bytes32 public immutable withdrawalCredentials;

    /// @inheritdoc IValidatorExits
    IBeaconProof public beaconProof;
    /// @dev By the SSZ root of the public key. A key that is not here is unknown.
    mapping(bytes32 keyRoot => Record) internal _records;
    /// @dev How many came after any reference is a difference of two checkpoints.
    Checkpoints.Trace208 internal _exitsAsked; // unix seconds => exits asked by then, ever
    /// @dev Heads and counts of tiers, and holes in their orders.
    ValidatorQueues.State internal _queues; // last: it may grow

    /// @dev Peers are in the code, which both halves of the registry have: an upgrade names them again (Peers).
    constructor(
        IStakedEther token_,
        IWithdrawalVault withdrawalVault_,
        IOperatorRegistry operators_,
        address depositContract_,
        uint256 genesisTime_
    ) {
        require(depositContract_.code.length != 0, NoDepositContract(depositContract_));
        token = token_;
        withdrawalVault = withdrawalVault_;
        operators = operators_;
        depositContract = depositContract_;
        genesisTime = genesisTime_;
        withdrawalCredentials = bytes32((uint256(1) << 248) | uint160(address(withdrawalVault_)));
    }

    /// @dev The pool that the token names now.
    function _pool() internal view returns (IStakingPool) {
        return IStakingPool(token.pool());
    }

    /// @dev Wei that must come from further exits. A report counts what leaves by its reference; what was asked in the hour
    /// before it may not have been in its state yet, and counts beside it.
    function _exitDemand() internal view returns (uint256) {
        IStakingPool pool = _pool();
        (, uint256 refTime) = pool.calm();
        uint256 known = _exitsAsked.upperLookupRecent(uint48(Math.saturatingSub(refTime, REQUEST_SHOWS_AFTER)));
        return pool.exitDemand(_exitsAsked.latest() - known);
    }

    /// @dev Of a proven validator, which must have this protocol's credentials.
    function _keyRoot(BeaconValidator calldata v) internal view returns (bytes32) {
        bytes32 expected = withdrawalCredentials;
        require(v.withdrawalCredentials == expected, WrongCredentials(v.withdrawalCredentials, expected));
        return v.pubkeyRoot;
    }

    /// @dev The record of a key in this status.
    function _inStatus(bytes32 keyRoot, Status expected) internal view returns (Record memory record) {
        record = _records[keyRoot];
        require(record.status == expected, WrongStatus(keyRoot, record.status));
    }
}
