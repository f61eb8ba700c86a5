// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";

/// @title RegistryProxies
/// @notice The proxies of the two registries, whose code names the other's address: it is known before either is there.
contract RegistryProxies {
    /// @dev Who created this contract: nobody else may give the proxies their first code.
    address private immutable _deployer;
    /// @notice The operator registry's address, before and after its proxy is there.
    address public immutable operators;
    /// @notice The validator registry's address, before and after its proxy is there.
    address public immutable validators;

    /// @notice `caller` did not create this contract.
    error OnlyDeployer(address caller);
    /// @notice The proxies are there; from then on governance upgrades them.
    error AlreadyDeployed();
    /// @notice The codes name other registries than these two.
    error NotEachOther(address operatorsOfValidators, address validatorsOfOperators);

    /// @dev A contract's first creation has the nonce 1 (EIP-161), and `deploy` creates nothing but the two.
    constructor() {
        _deployer = msg.sender;
        operators = _created(1);
        validators = _created(2);
    }

    /// @notice The deployer only, once. Each proxy starts with a call of its code.
    function deploy(
        address operatorsCode,
        bytes calldata operatorsCall,
        address validatorsCode,
        bytes calldata validatorsCall
    ) external {
        require(msg.sender == _deployer, OnlyDeployer(msg.sender));
        require(operators.code.length == 0, AlreadyDeployed());
        new ERC1967Proxy(operatorsCode, operatorsCall);
        new ERC1967Proxy(validatorsCode, validatorsCall);
        address back = IOperatorRegistry(operators).validators();
        address forth = address(IValidatorRegistry(validators).operators());
        require(back == validators && forth == operators, NotEachOther(forth, back));
    }

    /// @dev Of the contract that this one creates as its `nonce`th: keccak256(rlp([creator, nonce])), EIP-161.
    function _created(uint8 nonce) private view returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes2(0xd694), address(this), nonce)))));
    }
}
