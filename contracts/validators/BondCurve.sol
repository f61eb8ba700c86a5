// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, PREDEPOSIT} from "../shared/Units.sol";

/// @title BondCurve
/// @notice What an operator must have at stake for a number of validators.
library BondCurve {
    /// @dev A key passes at this part of the requirement, so that one bad day drops nobody.
    uint256 internal constant PASS_BP = 9_800;

    /// @notice Wei for `count` validators: `first` for the first, `next` for each further one.
    function required(uint256 first, uint256 next, uint256 count) internal pure returns (uint256) {
        return count == 0 ? 0 : first + next * (count - 1);
    }

    /// @notice `bondValue` wei and the 1 ETH of each queued key, which becomes bond when the key is funded.
    function atStake(uint256 bondValue, uint256 queued) internal pure returns (uint256) {
        return bondValue + PREDEPOSIT * queued;
    }

    /// @notice 98% of a requirement, rounded up.
    function passMark(uint256 requirement) internal pure returns (uint256) {
        return (requirement * PASS_BP + BP - 1) / BP;
    }
}
