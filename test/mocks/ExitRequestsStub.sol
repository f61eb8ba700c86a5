// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Stands in for the predeploy of EIP-7002, of which there is no Solidity source: its code is put at that address. Takes
/// full exits from the withdrawal vault alone, and remembers them.
contract ExitRequestsStub {
    /// @dev In the code, which is all that is copied.
    address private immutable _vault;

    uint256 public fee; // wei
    uint256 public count;
    bytes32 public lastKey; // hash of the public key asked for last

    error NotAnExit(address caller, bytes input, uint256 value);

    constructor(address vault) {
        _vault = vault;
    }

    fallback(bytes calldata input) external payable returns (bytes memory) {
        return input.length == 0 ? abi.encode(fee) : _take(input);
    }

    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    /// @dev Public key and amount in gwei; zero asks for a full exit.
    function _take(bytes calldata input) private returns (bytes memory) {
        bool full = input.length == 56 && bytes8(input[48:]) == 0;
        require(full && msg.sender == _vault && msg.value == fee, NotAnExit(msg.sender, input, msg.value));
        (count, lastKey) = (count + 1, keccak256(input[:48]));
        return "";
    }
}
