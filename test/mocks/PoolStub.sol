// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IOperatorRegistry} from "../../contracts/validators/IOperatorRegistry.sol";
import {IStakedEther} from "../../contracts/token/IStakedEther.sol";
import {DepositData} from "../../contracts/shared/DepositData.sol";
import {TOP_UP} from "../../contracts/shared/Units.sol";
import {ValidatorRegistry} from "../../contracts/validators/ValidatorRegistry.sol";

/// @notice A pool that obeys the test: the registries see any buffer, demand and rate.
contract PoolStub {
    using DepositData for bytes;

    error WrongCaller(address caller);

    IStakedEther public immutable token;
    address public validators;
    address public operators;
    uint256 public depositable;
    uint256 public demand;
    uint256 public cover;
    uint256 public slashingTime;
    bool public echo;
    uint256 public refTime;

    constructor(IStakedEther token_) payable {
        token = token_;
    }

    function set(address validators_, address operators_) external {
        (validators, operators) = (validators_, operators_);
    }

    function open() external payable {
        token.bootstrap(msg.value);
    }

    function deposit(address receiver, address) external payable returns (uint256 shares) {
        (shares, ) = token.mint(receiver, msg.value);
    }

    function setDepositable(uint256 amount) external payable {
        depositable = amount;
    }

    function treasury() external view returns (address) {
        return address(this);
    }

    function setDemand(uint256 amount) external {
        demand = amount;
    }

    /// @notice Makes exitDemand answer with the number of exits that it was told of.
    function setEcho(bool echo_) external {
        echo = echo_;
    }

    function exitDemand(uint256 asked) external view returns (uint256) {
        return echo ? asked : demand;
    }

    function setRefTime(uint256 refTime_) external {
        refTime = refTime_;
    }

    function calm() external view returns (bool, uint256) {
        return (true, refTime);
    }

    /// @notice Deposits as the pool does.
    function fundValidators(bytes[] calldata pubkeys) external returns (uint256 bondShares) {
        require(msg.sender == validators, WrongCaller(msg.sender));
        depositable -= TOP_UP * pubkeys.length;
        (bondShares, ) = token.mint(operators, pubkeys.length * 1 ether);
        for (uint256 i = 0; i < pubkeys.length; ++i) {
            _topUp(pubkeys[i]);
        }
    }

    function fundOwn(bytes calldata pubkey, address staker) external payable returns (uint256 bondShares) {
        require(msg.sender == validators, WrongCaller(msg.sender));
        token.mint(staker, msg.value);
        (bondShares, ) = token.mint(operators, 1 ether);
        _topUp(pubkey);
    }

    function addCover(uint256 shares) external {
        require(msg.sender == operators, WrongCaller(msg.sender));
        cover += shares;
    }

    function noteSlashing(uint256 slotTime) external {
        require(msg.sender == validators, WrongCaller(msg.sender));
        slashingTime = slotTime;
    }

    function rebase(IStakedEther.Rebase calldata change) external {
        token.rebase(change);
    }

    /// @notice As a report: mints a fee. The gain it belongs to is lost again, so that the rate stays what it was.
    function payFee(uint256 feeShares, uint256 totalFeeBp) external {
        IOperatorRegistry(operators).setTotalFee(totalFeeBp);
        int256 worth = int256(token.getPooledEthByShares(feeShares));
        int256 gain = 6 * worth + 10;
        token.rebase(IStakedEther.Rebase(gain, 0, feeShares, 0, 1 days, operators));
        token.rebase(IStakedEther.Rebase(worth - gain, 0, 0, 0, 1 days, operators));
    }

    function _topUp(bytes calldata pubkey) private {
        bytes32 credentials = ValidatorRegistry(validators).withdrawalCredentials();
        bytes memory data = DepositData.template(credentials);
        data.setTopUp(pubkey, credentials);
        data.callWith(ValidatorRegistry(validators).depositContract(), TOP_UP);
    }
}
