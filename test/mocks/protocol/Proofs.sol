// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FAR_FUTURE_EPOCH} from "../../../contracts/shared/Units.sol";
import {IBeaconProof} from "../../../contracts/validators/IBeaconProof.sol";
import {IValidatorExits} from "../../../contracts/validators/IValidatorExits.sol";
import {OperatorBooks} from "./OperatorBooks.sol";
import {Refusals} from "./Refusals.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice What becomes of funded validators on the beacon chain, and what anyone may prove of it. None of it touches T:
/// reports do.
abstract contract Proofs is OperatorBooks {
    using Refusals for Refusals.Causes;

    uint64 private constant EXIT_EPOCHS = 10; // from the beginning of an exit until its validator is withdrawable
    uint64 private constant SLASHED_EPOCHS = 200; // shorter than on the chain, so that sequences live to see it

    // --- the beacon chain ---

    /// @notice A validator leaves of itself, is slashed, or does what it was asked.
    function consensus(uint256 which, uint256 way) external keepsRate keepsShares {
        uint256 id = _find(which, IValidatorExits.Status.Active);
        if (way % 4 > 1) id = _findAsked(which);
        if (id == NONE || _keys[id].exitEpoch != FAR_FUTURE_EPOCH) return;
        if (way % 8 == 0) _slashOnChain(id);
        else _exitOnChain(id);
    }

    /// @notice A validator whose withdrawal was proven is slashed in its last epoch.
    function slashLate(uint256 which) external keepsRate keepsShares {
        uint256 id = _find(which, IValidatorExits.Status.Withdrawn);
        if (id == NONE || _keys[id].chainSlashed) return;
        _slashOnChain(id);
        _took("slashLate");
    }

    // --- anyone ---

    function proveBelow(uint256 which, uint256 balance, uint256 ago, uint256 way) external keepsRate keepsShares {
        uint256 id = _some(which, IValidatorExits.Status.Active);
        uint256 slot = _slotAt(block.timestamp - (ago % 3 hours));
        balance = bound(balance, 0, balance % 4 == 0 ? 33e9 : 31.75e9 - 1);
        IBeaconProof.ValidatorProof memory p = _proof(id, slot);
        Refusals.Causes memory causes;
        _spoil(p, way, causes);
        Key memory k = _known(id);
        causes.add(k.status != IValidatorExits.Status.Active, IValidatorExits.WrongStatus.selector);
        causes.add(k.weightless, IValidatorExits.WeightAlreadyStopped.selector);
        causes.add(k.activationEpoch > slot / 32, IValidatorExits.NotActiveYet.selector);
        causes.add(balance >= 31.75e9, IValidatorExits.NotBelow.selector);
        bytes memory data = abi.encodeCall(IValidatorExits.proveBelow, (p, _balance(balance)));
        if (!_send(data, way, causes)) return _took("proveBelowInVain");
        _stopWeight(id);
        _took("proveBelow");
    }

    function proveExiting(uint256 which, uint256 way) external keepsRate keepsShares {
        uint256 id = _findExiting(which, IValidatorExits.Status.Active);
        if (id == NONE || way % 8 == 7) id = _some(which, IValidatorExits.Status.Active);
        IBeaconProof.ValidatorProof memory p = _proof(id, _slotAt(block.timestamp));
        Refusals.Causes memory causes;
        _spoil(p, way / 8, causes);
        Key memory k = _known(id);
        causes.add(k.status != IValidatorExits.Status.Active, IValidatorExits.WrongStatus.selector);
        causes.add(k.exitEpoch == FAR_FUTURE_EPOCH, IValidatorExits.NotExiting.selector);
        bytes memory data = abi.encodeCall(IValidatorExits.proveExiting, (p));
        if (!_send(data, way, causes)) return _took("proveExitingInVain");
        if (k.askedAt == 0) _took("leftUnasked");
        _leave(id, IValidatorExits.Status.Exiting);
        _took("proveExiting");
    }

    /// @notice What is missing of the principal is the operator's loss; a slashing after that proof, once more.
    function proveWithdrawn(uint256 which, uint256 balance, uint256 way) external keepsRate keepsShares {
        uint256 id = _findLeaving(which, way);
        if (id == NONE || way % 16 == 15) id = _some(which, IValidatorExits.Status.Exiting);
        balance = way % 3 == 0 ? 32e9 : bound(balance, 0, 33e9);
        _proveWithdrawn(id, balance, way);
    }

    /// @notice Freezes the operator, once for each validator, whenever it was slashed.
    function proveSlashed(uint256 which, uint256 ago, uint256 way) external keepsRate keepsShares {
        uint256 id = _findSlashed(which);
        if (id == NONE && way % 4 == 0) id = _slashSome(which);
        if (id == NONE || way % 8 == 7) id = _some(which, IValidatorExits.Status.Active);
        _proveSlashed(id, block.timestamp - bound(ago, 0, 3 hours), way);
    }

    // --- internal ---

    function _proveSlashed(uint256 id, uint256 time, uint256 way) internal {
        IBeaconProof.ValidatorProof memory p = _proof(id, _slotAt(time));
        Refusals.Causes memory causes;
        _spoil(p, way, causes);
        Key memory k = _known(id);
        causes.add(!_wasFunded(k.status), IValidatorExits.WrongStatus.selector);
        causes.add(!k.chainSlashed, IValidatorExits.NotSlashed.selector);
        causes.add(k.slashed, IValidatorExits.ValidatorSlashed.selector);
        bytes memory data = abi.encodeCall(IValidatorExits.proveSlashed, (p));
        if (!_send(data, way, causes)) return _took("proveSlashedInVain");
        _keys[id].slashed = true;
        _stopWeight(id);
        OperatorBook storage op = _books[k.operatorId];
        op.inDoubt = true;
        if (op.frozenAt == 0) op.frozenAt = block.timestamp;
        _slashings.push(_timeOf(_slotAt(time)));
        _took(k.status == IValidatorExits.Status.Withdrawn ? bytes32("slashedLate") : bytes32("slashed"));
    }

    function _proveWithdrawn(uint256 id, uint256 balance, uint256 way) internal {
        Key memory k = _known(id);
        uint256 last = uint256(k.withdrawableEpoch) * 32 - 1 - (way % 32);
        uint256 slot = _slotAt(block.timestamp);
        if (last < slot) slot = last;
        IBeaconProof.ValidatorProof memory p = _proof(id, slot);
        Refusals.Causes memory causes = _withdrawnCauses(k, slot / 32);
        _spoil(p, way / 32, causes);
        bytes memory data = abi.encodeCall(IValidatorExits.proveWithdrawn, (p, _balance(balance)));
        if (!_send(data, way, causes)) return _took("proveWithdrawnInVain");
        bool again = k.status == IValidatorExits.Status.Withdrawn;
        uint256 kept = balance < k.principalGwei ? balance : k.principalGwei;
        if (!again) {
            _leave(id, IValidatorExits.Status.Withdrawn);
            _divide();
            --_books[k.operatorId].active;
        }
        (_keys[id].principalGwei, _keys[id].settledEpoch) = (uint40(kept), uint32(k.withdrawableEpoch));
        _penalise(k.operatorId, (k.principalGwei - kept) * 1e9);
        _tookWithdrawn(k, again);
    }

    function _tookWithdrawn(Key memory k, bool again) private {
        if (again) _took("withdrawnAgain");
        else if (k.status == IValidatorExits.Status.Active) _took("withdrawnFromActive");
        else _took("withdrawn");
    }

    function _withdrawnCauses(Key memory k, uint256 epoch) private pure returns (Refusals.Causes memory causes) {
        causes.add(!_wasFunded(k.status), IValidatorExits.WrongStatus.selector);
        causes.add(epoch + 1 != k.withdrawableEpoch, IValidatorExits.NotLastEpoch.selector);
        if (k.status != IValidatorExits.Status.Withdrawn) return causes;
        causes.add(!k.chainSlashed, IValidatorExits.NotSlashed.selector);
        causes.add(k.withdrawableEpoch <= k.settledEpoch, IValidatorExits.AlreadySettled.selector);
    }

    /// @dev Sends a call of the registry for somebody. @return whether it was done, as it had to be
    function _send(bytes memory data, uint256 who, Refusals.Causes memory causes) private returns (bool) {
        vm.prank(_actor(who));
        (bool done, bytes memory reason) = address(_c.validators).call(data);
        return causes.judge(done, reason);
    }

    /// @dev It stays no longer, and earns no weight.
    function _leave(uint256 id, IValidatorExits.Status to) internal {
        Key storage k = _keys[id];
        (k.status, k.left, k.askedAt) = (to, true, 0);
        _stopWeight(id);
    }

    function _stopWeight(uint256 id) private {
        Key storage k = _keys[id];
        if (k.weightless) return;
        _divide();
        --_books[k.operatorId].weighted;
        k.weightless = true;
    }

    function _exitOnChain(uint256 id) internal {
        Key storage k = _keys[id];
        k.exitEpoch = _epochNow() + 5;
        k.withdrawableEpoch = k.exitEpoch + EXIT_EPOCHS;
    }

    function _slashOnChain(uint256 id) internal {
        Key storage k = _keys[id];
        k.chainSlashed = true;
        if (k.exitEpoch == FAR_FUTURE_EPOCH) k.exitEpoch = _epochNow() + 5;
        uint64 from = k.status == IValidatorExits.Status.Withdrawn ? k.withdrawableEpoch : _epochNow();
        k.withdrawableEpoch = from + SLASHED_EPOCHS;
    }

    /// @dev Has some active validator slashed on the beacon chain. NONE if there is none.
    function _slashSome(uint256 seed) internal returns (uint256 id) {
        id = _find(seed, IValidatorExits.Status.Active);
        if (id != NONE && !_keys[id].chainSlashed) _slashOnChain(id);
    }

    // --- internal: which ---

    function _findAsked(uint256 seed) private view returns (uint256) {
        uint256 count = _keys.length;
        for (uint256 i; i < count; ++i) {
            uint256 id = ((seed % count) + i) % count;
            if (_keys[id].askedAt != 0 && _keys[id].exitEpoch == FAR_FUTURE_EPOCH) return id;
        }
        return NONE;
    }

    function _findExiting(uint256 seed, IValidatorExits.Status status) private view returns (uint256) {
        uint256 count = _keys.length;
        for (uint256 i; i < count; ++i) {
            uint256 id = ((seed % count) + i) % count;
            if (_keys[id].status == status && _keys[id].exitEpoch != FAR_FUTURE_EPOCH) return id;
        }
        return NONE;
    }

    function _findSlashed(uint256 seed) private view returns (uint256) {
        uint256 count = _keys.length;
        for (uint256 i; i < count; ++i) {
            uint256 id = ((seed % count) + i) % count;
            if (_keys[id].chainSlashed && !_keys[id].slashed) return id;
        }
        return NONE;
    }

    /// @dev One that is withdrawable and not settled, be it once or again.
    function _findLeaving(uint256 seed, uint256 way) private view returns (uint256) {
        uint256 count = _keys.length;
        for (uint256 i; i < count; ++i) {
            uint256 id = ((seed % count) + i) % count;
            Key storage k = _keys[id];
            bool again = k.status == IValidatorExits.Status.Withdrawn;
            if (!_wasFunded(k.status) || k.withdrawableEpoch > _epochNow() + 1) continue;
            if (again ? k.withdrawableEpoch > k.settledEpoch : way % 4 != 1) return id;
        }
        return NONE;
    }
}
