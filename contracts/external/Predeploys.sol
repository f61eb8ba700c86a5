// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

address constant BEACON_ROOTS = 0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02; // EIP-4788
address constant WITHDRAWAL_REQUESTS = 0x00000961Ef480Eb55e80D19ad83579A64c007002; // EIP-7002
uint256 constant BEACON_ROOTS_BUFFER = 8191; // slots EIP-4788 remembers
