// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EtherVault} from "../shared/EtherVault.sol";
import {IPointsToPool} from "../shared/IEtherVault.sol";
import {IStakingPool} from "../pool/IStakingPool.sol";
import {IWithdrawalVault} from "./IWithdrawalVault.sol";
import {WITHDRAWAL_REQUESTS} from "../external/Predeploys.sol";

/// @title WithdrawalVault
/// @notice Owner of the withdrawal credentials. Two powers: exit requests (EIP-7002) for the validator registry, and
/// sweeping to the pool. No generic call: a consolidation (EIP-7251) could send stake to anyone.
contract WithdrawalVault is EtherVault, IWithdrawalVault {
    /// @param token_ names the live pool, whose validator registry may ask for exits
    constructor(IPointsToPool token_) EtherVault(token_) {}

    /// @inheritdoc IWithdrawalVault
    /// @dev Each request raises the fee from the next block on, not within this one: all pay the fee of now.
    function requestExits(bytes[] calldata pubkeys, address refundTo) external payable override {
        address validators = IStakingPool(token.pool()).validators();
        require(msg.sender == validators, OnlyValidators(msg.sender));
        uint256 fee = exitFee();
        // fees come with the call: what lies here is the stakers'
        uint256 total = fee * pubkeys.length;
        require(total <= msg.value, FeeAboveMaximum(total, msg.value));
        for (uint256 i; i < pubkeys.length; ++i) {
            // EIP-7002 input: public key ++ amount in gwei; a zero amount asks for a full exit
            (bool accepted, ) = WITHDRAWAL_REQUESTS.call{value: fee}(abi.encodePacked(pubkeys[i], uint64(0)));
            require(accepted, ExitRequestFailed(pubkeys[i]));
            emit ExitRequested(pubkeys[i], fee);
        }
        if (msg.value > total) {
            (bool refunded, ) = refundTo.call{value: msg.value - total}("");
            require(refunded, RefundFailed(refundTo, msg.value - total));
        }
    }

    /// @inheritdoc IWithdrawalVault
    function exitFee() public view override returns (uint256) {
        (bool success, bytes memory result) = WITHDRAWAL_REQUESTS.staticcall("");
        require(success && result.length == 32, ExitFeeUnknown());
        return abi.decode(result, (uint256));
    }
}
