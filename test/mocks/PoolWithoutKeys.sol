// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {StakingPool} from "../../contracts/pool/StakingPool.sol";
import {TOP_UP} from "../../contracts/shared/Units.sol";

/// @notice The pool, which may also fund by number: a million validators in one transaction, whose ether goes to nobody. It notes
/// slashings by number as well, and says what it tolerates.
contract PoolWithoutKeys is StakingPool {
    error NotSent();

    constructor(
        address authority_,
        Peers memory peers,
        Policy memory policy_
    ) StakingPool(authority_, peers, policy_) {}

    function fundByNumber(uint256 count) external returns (uint256 bondShares) {
        require(msg.sender == validators, OnlyValidators(msg.sender));
        bondShares = _fund(count);
        (bool sent, ) = address(0xdead).call{value: count * TOP_UP}("");
        require(sent, NotSent());
    }

    function noteSlashings(uint256 slotTime, uint256 count) external {
        for (uint256 i; i < count; ++i)
            Address.functionDelegateCall(address(this), abi.encodeCall(this.noteSlashing, (slotTime)));
    }

    function tolerates(uint256 slashings, uint256 totalEther) external pure returns (bool) {
        return _tolerates(slashings, totalEther);
    }
}
