// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The cheatcodes of Solidity tests that this repository uses; their meaning is Foundry's.
// solhint-disable-next-line interface-starts-with-i
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    // Callers
    function prank(address sender) external;
    function prank(address sender, address origin) external;
    function startPrank(address sender) external;
    function startPrank(address sender, address origin) external;
    function stopPrank() external;

    // Accounts and code
    function deal(address account, uint256 balance) external;
    function etch(address account, bytes calldata code) external;
    function store(address account, bytes32 slot, bytes32 value) external;
    function load(address account, bytes32 slot) external view returns (bytes32 value);
    function getNonce(address account) external view returns (uint64 nonce);
    function setNonce(address account, uint64 nonce) external;
    function label(address account, string calldata name) external;
    function record() external;
    function accesses(address account) external returns (bytes32[] memory reads, bytes32[] memory writes);

    // Chain
    function warp(uint256 timestamp) external;
    function roll(uint256 number) external;
    function fee(uint256 baseFee) external;
    function chainId(uint256 id) external;
    function prevrandao(bytes32 value) external;
    function txGasPrice(uint256 price) external;
    function getBlockTimestamp() external view returns (uint256 timestamp);
    function getBlockNumber() external view returns (uint256 number);
    function snapshotState() external returns (uint256 id);
    function revertToState(uint256 id) external returns (bool done);

    // Keys and signatures
    function addr(uint256 privateKey) external pure returns (address account);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);

    // Expectations
    function assume(bool condition) external pure;
    function expectRevert() external;
    /// @dev Only for an error without arguments: the data must be the selector and nothing else.
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectRevert(bytes calldata data, address reverter) external;
    /// @dev Compares the selector alone, whatever the arguments.
    function expectPartialRevert(bytes4 selector) external;
    function expectEmit() external;
    function expectEmit(address emitter) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function expectCall(address callee, bytes calldata data) external;
    function expectCall(address callee, uint256 value, bytes calldata data) external;
    function expectCall(address callee, bytes calldata data, uint64 times) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory logs);

    // Mocked answers
    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
    function mockCallRevert(address callee, bytes calldata data, bytes calldata answer) external;
    function clearMockedCalls() external;

    // Environment and text
    function envOr(string calldata name, uint256 fallbackValue) external view returns (uint256 value);
    function toString(address value) external pure returns (string memory text);
    function toString(bytes32 value) external pure returns (string memory text);
    function toString(uint256 value) external pure returns (string memory text);
    function pauseGasMetering() external;
    function lastCallGas() external view returns (Gas memory gas);

    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }
}

Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
