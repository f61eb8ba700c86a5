// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InvariantTest} from "./InvariantTest.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// @notice What a handler counts: how often each of its actions was taken.
// solhint-disable-next-line interface-starts-with-i
interface CountsActions {
    function taken(bytes32 action) external view returns (uint256);
}

/// @title LongCampaign
/// @notice The handlers of an invariant test through sequences longer than the fuzzer's, with a bias towards what builds up
/// state; and that they do everything they can.
abstract contract LongCampaign is Test {
    uint256 internal constant STEPS = 500;
    uint256 internal constant MAX_FACTOR = 4;

    bytes32[] internal _actions; // each must be taken
    bytes4[] internal _menu;

    bytes32[] private _never;

    error NeverTaken(string actions);
    error InvariantBroken(uint256 seed, uint256 step, bytes4 action, bytes reason);

    function test_invariantsHoldThroughLongSequences() public {
        vm.pauseGasMetering(); // the sequences add up to more than a test's gas
        uint256[] memory taken = new uint256[](_actions.length);
        uint256 factor = vm.envOr("FUZZ_FACTOR", 1);
        // the traces of one test are kept in memory: for more, run it with other seeds
        uint256 sequences = 8 * (factor > MAX_FACTOR ? MAX_FACTOR : factor);
        uint256 start = vm.envOr("FUZZ_SEED", 0);
        for (uint256 i; i < sequences; ++i) {
            uint256 id = vm.snapshotState();
            // a call of its own, whose memory is given back
            uint256[] memory counts = this.run(uint256(keccak256(abi.encode(start, i))));
            for (uint256 k; k < taken.length; ++k) taken[k] += counts[k];
            vm.revertToState(id);
        }
        for (uint256 k; k < taken.length; ++k) if (taken[k] == 0) _never.push(_actions[k]);
        require(_never.length == 0, NeverTaken(_names(_never)));
    }

    /// @return counts how often each action was taken
    function run(uint256 seed) external returns (uint256[] memory counts) {
        address handler = _run(seed);
        counts = new uint256[](_actions.length);
        for (uint256 k; k < counts.length; ++k) counts[k] = CountsActions(handler).taken(_actions[k]);
    }

    /// @dev New invariants, set up, and the handler that they check.
    function _begin() internal virtual returns (InvariantTest checks, address handler);

    /// @dev Where an action takes words of some form only.
    function _shape(bytes4 selector, uint256[4] memory args) internal pure virtual {}

    function _run(uint256 seed) private returns (address handler) {
        InvariantTest checks;
        (checks, handler) = _begin();
        for (uint256 step; step < STEPS; ++step) {
            bytes memory data = _action(uint256(keccak256(abi.encode(seed, step))));
            (bool done, bytes memory reason) = handler.call(data);
            require(done, InvariantBroken(seed, step, bytes4(data), reason));
            if (step % 25 == 24) _check(checks, seed, step);
        }
    }

    function _check(InvariantTest checks, uint256 seed, uint256 step) private {
        bytes4[] memory invariants = checks.checks();
        for (uint256 i; i < invariants.length; ++i) {
            (bool held, bytes memory reason) = address(checks).call(abi.encodeWithSelector(invariants[i]));
            require(held, InvariantBroken(seed, step, invariants[i], reason));
        }
    }

    /// @dev Amounts are small numbers as often as large ones, and words of no pattern otherwise.
    function _action(uint256 dice) private view returns (bytes memory) {
        uint256[4] memory args;
        for (uint256 i; i < 4; ++i) {
            args[i] = uint256(keccak256(abi.encode(dice, i)));
            if (args[i] % 5 == 0) args[i] = args[i] >> 246;
            else if (args[i] % 5 == 1) args[i] = args[i] >> 176;
        }
        bytes4 selector = _menu[dice % _menu.length];
        _shape(selector, args);
        return abi.encodeWithSelector(selector, args[0], args[1], args[2], args[3]);
    }

    function _names(bytes32[] memory words) private pure returns (string memory text) {
        for (uint256 i; i < words.length; ++i) {
            uint256 length;
            while (length < 32 && words[i][length] != 0) ++length;
            bytes memory name = new bytes(length);
            for (uint256 k; k < length; ++k) name[k] = words[i][k];
            text = string.concat(text, " ", string(name));
        }
    }

    function _offer(bytes4 action, uint256 times) internal {
        for (uint256 i; i < times; ++i) _menu.push(action);
    }
}
