// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Units used across the protocol. Amounts are wei unless a name says otherwise; `...Gwei` are consensus-layer
/// amounts; shares have 27 decimals; rates are rays: wei per 1e9 shares, times 1e27.

uint256 constant GWEI = 1e9;
uint256 constant BP = 10_000; // basis points in one
uint256 constant YEAR = 365 days;
uint256 constant RAY = 1e27; // the rate at genesis: 1e9 shares are worth one wei
uint256 constant SHARES_PER_WEI = 1e9; // at genesis
uint256 constant SHARES_PER_UNIT = 1e9; // one westETH wei, and the unit in which the queue counts

// A validator's principal: the operator's predeposit, which binds a key to it, and the rest once that is proven.
uint256 constant VALIDATOR_DEPOSIT = 32 ether;
uint256 constant PREDEPOSIT = 1 ether;
uint256 constant TOP_UP = 31 ether;

// consensus-specs, phase0/beacon-chain.md, as on mainnet. The last is the epoch of what has not happened yet.
uint256 constant SECONDS_PER_SLOT = 12;
uint256 constant SLOTS_PER_EPOCH = 32;
uint64 constant FAR_FUTURE_EPOCH = type(uint64).max;
