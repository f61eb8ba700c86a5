// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IWithdrawalVault
/// @notice The owner of every validator's withdrawal credentials. It has two powers and no others.
interface IWithdrawalVault {
    event ExitRequested(bytes pubkey, uint256 fee);

    error OnlyValidators(address caller);
    error FeeAboveMaximum(uint256 fee, uint256 maximum);
    error ExitRequestFailed(bytes pubkey);
    error ExitFeeUnknown();
    error RefundFailed(address to, uint256 amount);

    /// @notice Validator registry only: asks the EIP-7002 predeploy to exit each validator. Forwards the predeploy's
    /// current fee for each, taken from msg.value; `refundTo` gets the excess back.
    function requestExits(bytes[] calldata pubkeys, address refundTo) external payable;
    /// @notice The EIP-7002 fee for one request, in wei, now.
    function exitFee() external view returns (uint256);
}
