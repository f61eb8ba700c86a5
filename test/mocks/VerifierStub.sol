// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBeaconProof} from "../../contracts/validators/IBeaconProof.sol";

/// @notice Stands in for the verifier of proofs, since no SSZ proof of a beacon state can be made in Solidity: accepts every
/// proof but one that is marked as false, and answers the balance that its caller put into the chunk.
contract VerifierStub is IBeaconProof {
    /// @notice State root of a proof that is false.
    bytes32 public constant FALSE_STATE = "false";

    function verifyValidator(ValidatorProof calldata proof) external pure {
        _verify(proof.header.stateRoot);
    }

    function verifyValidators(ValidatorBatch calldata batch) external pure {
        _verify(batch.header.stateRoot);
    }

    function verifyValidatorAndBalance(
        ValidatorProof calldata proof,
        BalanceProof calldata balance
    ) external pure returns (uint64) {
        _verify(proof.header.stateRoot);
        return uint64(uint256(balance.chunk));
    }

    function _verify(bytes32 stateRoot) private pure {
        require(stateRoot != FALSE_STATE, ProofInvalid(0, stateRoot));
    }
}
