// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP} from "../shared/Units.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title FeeCurve
/// @notice What a seller gives on top of each wei it gets rises in a straight line as the reserve r falls from the target t to
/// nothing: phi(r) = min for r >= t, max - (max - min) * r / t below, in basis points. Its integral is
///
///     psi(r) = 2t (BP + max) r - (max - min) r^2                          r <= t      = k * integral of (1 + phi), k = 2t BP
///            = (2BP + max + min) t^2 + 2t (BP + min) (r - t)              r > t
///
/// in integers, without rounding. Every price is a difference of psi: pieces of a trade never get more than the whole.
/// @dev Derived in docs/math.md. Reserves and targets are below 2^96, fees at most 500 bp, t is not zero and min < max; the
/// caller makes sure. Then no product reaches 2^256, and nothing here is checked again.
library FeeCurve {
    /// @dev A curve: t in wei, fees in basis points.
    struct Curve {
        uint256 target;
        uint256 minFeeBp;
        uint256 maxFeeBp;
    }

    /// @notice What 1e-9 of a fee is to a basis point.
    uint256 private constant PER_BP = 1e5;

    /// @notice psi(r), exact. At most 2^208.
    function psi(Curve memory c, uint256 r) internal pure returns (uint256) {
        unchecked {
            uint256 t = c.target;
            if (r <= t) return (2 * t * (BP + c.maxFeeBp) - (c.maxFeeBp - c.minFeeBp) * r) * r;
            return ((2 * BP + c.maxFeeBp + c.minFeeBp) * t + 2 * (BP + c.minFeeBp) * (r - t)) * t;
        }
    }

    /// @notice The least r with psi(r) >= p. Exact: where psi is a square, a root rounded down gives the same r, since the
    /// coefficients and r are integers.
    function inv(Curve memory c, uint256 p) internal pure returns (uint256) {
        unchecked {
            uint256 t = c.target;
            uint256 atTarget = (2 * BP + c.maxFeeBp + c.minFeeBp) * t * t;
            if (p >= atTarget) return t + Math.ceilDiv(p - atTarget, 2 * t * (BP + c.minFeeBp));
            uint256 a = c.maxFeeBp - c.minFeeBp;
            uint256 b = 2 * t * (BP + c.maxFeeBp); // below 2^111
            // b^2 / 4a is psi's vertex, which lies past the target: no root of a negative number
            return Math.ceilDiv(b - Math.sqrt(b * b - 4 * a * p), 2 * a);
        }
    }

    /// @notice What a seller of `worth` wei gets of the reserve r. Rounded down.
    /// @return out wei
    /// @return exceeds whether `worth` is more than all of r costs; `out` is r then
    function sold(Curve memory c, uint256 r, uint256 worth) internal pure returns (uint256 out, bool exceeds) {
        unchecked {
            uint256 all = psi(c, r);
            uint256 given = _scale(c) * worth;
            if (given > all) return (r, true);
            return (r - inv(c, all - given), false);
        }
    }

    /// @notice What `out` wei of the reserve r cost, `out` at most r. Wei of value, rounded up.
    function cost(Curve memory c, uint256 r, uint256 out) internal pure returns (uint256) {
        unchecked {
            return Math.ceilDiv(psi(c, r) - psi(c, r - out), _scale(c));
        }
    }

    /// @notice The value of estETH for `paid` wei, which bring the reserve r to the target at most: what it pays, and `rebateBp`
    /// of what sellers paid for being below the target there. Rounded down.
    function bought(Curve memory c, uint256 r, uint256 paid, uint256 rebateBp) internal pure returns (uint256) {
        unchecked {
            uint256 missing = 2 * c.target - 2 * r - paid; // twice the mean of what is missing before and after
            return paid + (rebateBp * (c.maxFeeBp - c.minFeeBp) * paid * missing) / (_scale(c) * BP);
        }
    }

    /// @notice The value that sellers may bring until the marginal fee is `feeBp`. Rounded down; zero below min.
    function within(Curve memory c, uint256 r, uint256 feeBp) internal pure returns (uint256) {
        unchecked {
            if (feeBp < c.minFeeBp) return 0;
            uint256 stop;
            if (feeBp < c.maxFeeBp) {
                stop = Math.ceilDiv(c.target * (c.maxFeeBp - feeBp), c.maxFeeBp - c.minFeeBp);
            }
            return r <= stop ? 0 : (psi(c, r) - psi(c, stop)) / _scale(c);
        }
    }

    /// @notice The wei that `bought` takes of r at most, where what is sold back is worth `worth` wei: never more of it than
    /// there is. Rounded down.
    function room(Curve memory c, uint256 r, uint256 worth, uint256 rebateBp) internal pure returns (uint256) {
        unchecked {
            uint256 most = (worth * BP * BP) / (BP * BP + rebateBp * (c.maxFeeBp - c.minFeeBp));
            return Math.min(Math.saturatingSub(c.target, r), most);
        }
    }

    /// @notice phi(r) in 1e-9, rounded up.
    function marginal(Curve memory c, uint256 r) internal pure returns (uint256) {
        unchecked {
            if (r >= c.target) return c.minFeeBp * PER_BP;
            return c.maxFeeBp * PER_BP - ((c.maxFeeBp - c.minFeeBp) * PER_BP * r) / c.target;
        }
    }

    /// @dev k: what a wei of value weighs in psi.
    function _scale(Curve memory c) private pure returns (uint256) {
        unchecked {
            return 2 * BP * c.target;
        }
    }
}
