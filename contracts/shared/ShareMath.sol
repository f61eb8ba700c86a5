// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {RAY, SHARES_PER_UNIT} from "./Units.sol";

/// @title ShareMath
/// @notice Conversions between ether and shares. Every name says its rounding.
/// @dev `ether_` and `shares` are the totals; both fit 128 bits. The caller makes sure that the amount fits 128 bits as
/// well: then no product overflows 256 bits, and nothing here is checked again. Totals are never zero once the protocol
/// is open (the first deposit is locked for ever).
library ShareMath {
    /// @notice floor(amount * S / T)
    function toSharesDown(uint256 amount, uint256 ether_, uint256 shares) internal pure returns (uint256) {
        unchecked {
            return (amount * shares) / ether_;
        }
    }

    /// @notice ceil(amount * S / T)
    function toSharesUp(uint256 amount, uint256 ether_, uint256 shares) internal pure returns (uint256) {
        unchecked {
            return Math.ceilDiv(amount * shares, ether_);
        }
    }

    /// @notice floor(amount * T / S)
    function toEtherDown(uint256 amount, uint256 ether_, uint256 shares) internal pure returns (uint256) {
        unchecked {
            return (amount * ether_) / shares;
        }
    }

    /// @notice ceil(amount * T / S)
    function toEtherUp(uint256 amount, uint256 ether_, uint256 shares) internal pure returns (uint256) {
        unchecked {
            return Math.ceilDiv(amount * ether_, shares);
        }
    }

    /// @notice What a balance shows: a floor that forgives a shortfall of up to 1/1024 wei, so that a deposit shows
    /// what was deposited and a full transfer always succeeds. For display only: payments use the plain floor.
    function toEtherDisplayed(uint256 amount, uint256 ether_, uint256 shares) internal pure returns (uint256) {
        unchecked {
            return (amount * ether_ + (shares >> 10)) / shares;
        }
    }

    /// @notice The exchange rate in rays (wei per 1e9 shares, times 1e27), rounded down.
    function rateDown(uint256 ether_, uint256 shares) internal pure returns (uint256) {
        unchecked {
            return (ether_ * (RAY * SHARES_PER_UNIT)) / shares;
        }
    }

    /// @notice The exchange rate in rays, rounded up.
    function rateUp(uint256 ether_, uint256 shares) internal pure returns (uint256) {
        unchecked {
            return Math.ceilDiv(ether_ * (RAY * SHARES_PER_UNIT), shares);
        }
    }
}
