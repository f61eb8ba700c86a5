// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Permit
/// @notice ERC-2612 for ordinary accounts, accounts with delegated code (EIP-7702) and contract accounts (ERC-1271).
/// @dev A key's own signature counts whether or not the account has code; failing that the account is asked. For a
/// contract account (r, s, v) are packed as r ++ s ++ v; the `bytes` overload takes signatures of any form.
abstract contract Permit is EIP712, Nonces, IERC20Permit {
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );

    error PermitExpired(uint256 deadline);
    error PermitInvalid(address owner, bytes32 digest);

    /// @inheritdoc IERC20Permit
    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external virtual override {
        permit(owner, spender, value, deadline, abi.encodePacked(r, s, v));
    }

    /// @notice As the ERC-2612 permit, with a signature of any form the owner accepts.
    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        bytes memory signature
    ) public virtual {
        require(block.timestamp <= deadline, PermitExpired(deadline));
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, _useNonce(owner), deadline))
        );
        require(_isValid(owner, digest, signature), PermitInvalid(owner, digest));
        _permit(owner, spender, value);
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(IERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    /// @inheritdoc IERC20Permit
    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view override returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev Sets the allowance once the signature is known to be good.
    function _permit(address owner, address spender, uint256 value) internal virtual;

    function _isValid(address owner, bytes32 digest, bytes memory signature) private view returns (bool) {
        (address recovered, ECDSA.RecoverError err, ) = ECDSA.tryRecover(digest, signature);
        if (err == ECDSA.RecoverError.NoError && recovered == owner) return true;
        return SignatureChecker.isValidERC1271SignatureNow(owner, digest, signature);
    }
}
