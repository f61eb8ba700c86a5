// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeeCurve} from "../../contracts/liquidity/FeeCurve.sol";

/// @notice Every formula of FeeCurve, on many inputs a call, for the differential test.
contract FeeCurveHarness {
    using FeeCurve for FeeCurve.Curve;

    struct Input {
        FeeCurve.Curve curve;
        uint256 reserve;
        uint256 potential;
        uint256 worth;
        uint256 out;
        uint256 paid;
        uint256 rebateBp;
        uint256 feeBp;
    }

    /// @return results for each input: psi, inv, sold, exceeds, cost, bought, within, room, marginal
    function compute(Input[] calldata inputs) external pure returns (uint256[9][] memory results) {
        results = new uint256[9][](inputs.length);
        for (uint256 i; i < inputs.length; ++i) {
            Input calldata x = inputs[i];
            FeeCurve.Curve memory c = x.curve;
            (uint256 sold, bool exceeds) = c.sold(x.reserve, x.worth);
            results[i] = [
                c.psi(x.reserve),
                c.inv(x.potential),
                sold,
                exceeds ? 1 : 0,
                c.cost(x.reserve, x.out),
                c.bought(x.reserve, x.paid, x.rebateBp),
                c.within(x.reserve, x.feeBp),
                c.room(x.reserve, x.worth, x.rebateBp),
                c.marginal(x.reserve)
            ];
        }
    }
}
