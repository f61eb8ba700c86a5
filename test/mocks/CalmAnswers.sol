// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStakingPool} from "../../contracts/pool/IStakingPool.sol";

/// @notice A successor pool that answers whatever it is asked with what the test tells it to, or refuses to.
contract CalmAnswers {
    bytes private _answer;
    bool private _refuses;

    error Refuses();

    receive() external payable {}

    fallback(bytes calldata) external payable returns (bytes memory) {
        return _answerAny();
    }

    function takeOver(IStakingPool.Books calldata) external payable {}

    function setAnswer(bytes calldata answer, bool refuses) external {
        (_answer, _refuses) = (answer, refuses);
    }

    function _answerAny() private view returns (bytes memory) {
        require(!_refuses, Refuses());
        return _answer;
    }
}
