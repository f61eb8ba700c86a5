// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Allowances
/// @notice The part of ERC-20 that both tokens share: allowances with the errors of ERC-6093, and ERC-2612 permits for
/// ordinary accounts, accounts with delegated code (EIP-7702) and contract accounts (ERC-1271).
/// @dev A key's own signature counts whether or not the account has code; failing that the account is asked. For a
/// contract account (r, s, v) are packed as r ++ s ++ v; the `bytes` overload takes signatures of any form.
abstract contract Allowances is IERC20, IERC20Errors, IERC20Permit, EIP712, Nonces {
    /// @dev ERC-2612.
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );

    /// @dev In what the token's transferFrom counts: wei of estETH, or westETH wei. The maximum is not spent.
    mapping(address owner => mapping(address spender => uint256)) private _allowances;

    /// @notice The permit was valid until `deadline`, unix seconds.
    error PermitExpired(uint256 deadline);
    /// @notice Neither the key of `owner` signed `digest`, nor does its code accept the signature (ERC-1271).
    error PermitInvalid(address owner, bytes32 digest);

    /// @inheritdoc IERC20
    function allowance(address owner, address spender) external view override returns (uint256) {
        return _allowances[owner][spender];
    }

    /// @inheritdoc IERC20
    function approve(address spender, uint256 value) external override returns (bool) {
        _approve(msg.sender, spender, value);
        return true;
    }

    /// @inheritdoc IERC20Permit
    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external override {
        permit(owner, spender, value, deadline, abi.encodePacked(r, s, v));
    }

    /// @notice As the ERC-2612 permit, with a signature of any form the owner accepts.
    function permit(address owner, address spender, uint256 value, uint256 deadline, bytes memory signature) public {
        require(block.timestamp <= deadline, PermitExpired(deadline));
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, _useNonce(owner), deadline))
        );
        require(_isValid(owner, digest, signature), PermitInvalid(owner, digest));
        _approve(owner, spender, value);
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

    /// @dev An unlimited allowance is not spent. Nobody moves anything, not even nothing, from the zero address: its
    /// Transfer event would look like a mint.
    function _spendAllowance(address owner, address spender, uint256 value) internal {
        require(owner != address(0), ERC20InvalidSender(owner));
        uint256 allowed = _allowances[owner][spender];
        if (allowed == type(uint256).max) return;
        require(value <= allowed, ERC20InsufficientAllowance(spender, allowed, value));
        unchecked {
            _allowances[owner][spender] = allowed - value;
        }
    }

    /// @dev Replaces the allowance, whatever was left of it.
    function _approve(address owner, address spender, uint256 value) private {
        require(owner != address(0), ERC20InvalidApprover(owner));
        require(spender != address(0), ERC20InvalidSpender(spender));
        _allowances[owner][spender] = value;
        emit Approval(owner, spender, value);
    }

    /// @dev A signature of the owner's key, or one that the account's code accepts. The key comes first: an account
    /// with delegated code (EIP-7702) has both.
    function _isValid(address owner, bytes32 digest, bytes memory signature) private view returns (bool) {
        (address recovered, ECDSA.RecoverError err, ) = ECDSA.tryRecover(digest, signature);
        if (err == ECDSA.RecoverError.NoError && recovered == owner) return true;
        return SignatureChecker.isValidERC1271SignatureNow(owner, digest, signature);
    }
}
