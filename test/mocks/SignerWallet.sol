// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice A contract account (ERC-1271) that accepts the signatures of one key, or answers something else if told to.
contract SignerWallet is IERC1271 {
    address public immutable owner;
    bytes4 public answer = IERC1271.isValidSignature.selector;

    constructor(address owner_) {
        owner = owner_;
    }

    function setAnswer(bytes4 answer_) external {
        answer = answer_;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address signer, ECDSA.RecoverError err, ) = ECDSA.tryRecover(hash, signature);
        return err == ECDSA.RecoverError.NoError && signer == owner ? answer : bytes4(0xffffffff);
    }
}
