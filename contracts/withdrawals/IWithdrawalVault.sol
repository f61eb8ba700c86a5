// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

/// @title IWithdrawalVault
/// @notice The owner of every validator's withdrawal credentials. It has two powers and no others.
interface IWithdrawalVault {
    /// @notice The predeploy took the request, for `fee` wei. The consensus layer may still drop it.
    event ExitRequested(bytes pubkey, uint256 fee);

    /// @notice The validator registry of the live pool alone asks for exits.
    error OnlyValidators(address caller);
    /// @notice The predeploy asks `fee` wei for all requests, more than came with the call.
    error FeeAboveMaximum(uint256 fee, uint256 maximum);
    /// @notice The predeploy refused the request.
    error ExitRequestFailed(bytes pubkey);
    /// @notice The predeploy did not answer: it is not there, or not active yet.
    error ExitFeeUnknown();
    /// @notice Whoever paid did not take the excess back.
    error RefundFailed(address to, uint256 amount);

    /// @notice Validator registry only: asks the EIP-7002 predeploy to exit each validator. Forwards the predeploy's
    /// current fee for each, taken from msg.value; `refundTo` gets the excess back.
    function requestExits(bytes[] calldata pubkeys, address refundTo) external payable;
    /// @notice The EIP-7002 fee for one request, in wei, now.
    function exitFee() external view returns (uint256);
}
