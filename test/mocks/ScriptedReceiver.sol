// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @notice An account that makes any call, and answers ether with calls that the test wrote down, or refuses it.
contract ScriptedReceiver {
    struct Call {
        address target;
        uint256 value;
        bytes data;
    }

    struct Result {
        bool done;
        bytes answer;
    }

    Call[] private _script;
    Result[] private _results;
    bool private _refuses;

    error Refuses();

    receive() external payable {
        _answer();
    }

    function execute(address target, bytes calldata data) external payable {
        Address.functionCallWithValue(target, data, msg.value);
    }

    function setScript(Call[] calldata script) external {
        delete _script;
        delete _results;
        for (uint256 i; i < script.length; ++i) _script.push(script[i]);
    }

    function setRefuses(bool refuses) external {
        _refuses = refuses;
    }

    /// @notice What became of each call of the script, in order.
    function results() external view returns (Result[] memory) {
        return _results;
    }

    function _answer() private {
        require(!_refuses, Refuses());
        Call[] memory script = _script;
        for (uint256 i; i < script.length; ++i) {
            (bool done, bytes memory answer) = script[i].target.call{value: script[i].value}(script[i].data);
            _results.push(Result(done, answer));
        }
    }
}
