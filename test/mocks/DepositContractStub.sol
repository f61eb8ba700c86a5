// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDepositContract} from "../../contracts/external/IDepositContract.sol";
import {PREDEPOSIT, TOP_UP} from "../../contracts/shared/Units.sol";
import {WithdrawalVault} from "../../contracts/withdrawals/WithdrawalVault.sol";

/// @notice The deposit contract where no code can be set, for one vault alone, and I7: a key is predeposited once, by the
/// registry; then its proof is seen; then the pool tops it up, once.
contract DepositContractStub is IDepositContract {
    enum Stage {
        None,
        Predeposited,
        Proven,
        ToppedUp
    }

    WithdrawalVault public immutable vault;
    /// @notice Of validators; zero: there is none, and any key may be topped up.
    address public immutable registry;
    address private immutable _prover;
    bytes32 public immutable credentials;
    uint256 public predeposits;
    uint256 public topUps;
    mapping(bytes32 keyRoot => Stage) public stageOf;

    error NotOurs(bytes32 credentials, bytes32 expected);
    error WrongRoot(bytes32 given, bytes32 expected);
    error NotAPredeposit(address caller, Stage stage);
    error NotATopUp(address caller, Stage stage);
    error NeitherAmount(uint256 value);
    error NotPredeposited(bytes32 keyRoot, Stage stage);

    constructor(address payable vault_, address registry_) {
        vault = WithdrawalVault(vault_);
        registry = registry_;
        _prover = msg.sender;
        credentials = bytes32((uint256(1) << 248) | uint160(address(vault_)));
    }

    function deposit(
        bytes calldata pubkey,
        bytes calldata credentials_,
        bytes calldata signature,
        bytes32 depositDataRoot
    ) external payable {
        bool ours = credentials_.length == 32 && bytes32(credentials_) == credentials;
        require(ours, NotOurs(bytes32(credentials_), credentials));
        require(pubkey.length == 48 && signature.length == 96, WrongRoot(depositDataRoot, 0));
        bytes32 root = rootOf(pubkey, msg.value, signature);
        require(root == depositDataRoot, WrongRoot(depositDataRoot, root));
        bytes32 keyRoot = sha256(abi.encodePacked(pubkey, bytes16(0)));
        if (msg.value == PREDEPOSIT) _predeposit(keyRoot);
        else if (msg.value == TOP_UP) _topUp(keyRoot, signature);
        else revert NeitherAmount(msg.value);
    }

    /// @notice The prover saw a proof of the key with these credentials accepted.
    function noteProven(bytes32 keyRoot) external {
        bool expected = msg.sender == _prover && stageOf[keyRoot] == Stage.Predeposited;
        require(expected, NotPredeposited(keyRoot, stageOf[keyRoot]));
        stageOf[keyRoot] = Stage.Proven;
    }

    /// @notice Deposit data root, as the deposit contract computes it (consensus-specs, phase0/deposit-contract.md).
    function rootOf(bytes calldata pubkey, uint256 amount, bytes calldata signature) public view returns (bytes32) {
        bytes memory littleEndian = new bytes(32);
        uint256 amountGwei = amount / 1e9;
        for (uint256 i; i < 8; ++i) littleEndian[i] = bytes1(uint8(amountGwei >> (8 * i)));
        bytes32 signatureRoot = sha256(
            abi.encodePacked(sha256(signature[:64]), sha256(abi.encodePacked(signature[64:], bytes32(0))))
        );
        bytes32 keyNode = sha256(abi.encodePacked(sha256(abi.encodePacked(pubkey, bytes16(0))), credentials));
        return sha256(abi.encodePacked(keyNode, sha256(abi.encodePacked(littleEndian, signatureRoot))));
    }

    function _predeposit(bytes32 keyRoot) private {
        bool expected = msg.sender == registry && stageOf[keyRoot] == Stage.None;
        require(expected, NotAPredeposit(msg.sender, stageOf[keyRoot]));
        stageOf[keyRoot] = Stage.Predeposited;
        ++predeposits;
    }

    function _topUp(bytes32 keyRoot, bytes calldata signature) private {
        bool known = stageOf[keyRoot] == Stage.Proven || (registry == address(0) && stageOf[keyRoot] == Stage.None);
        bool unsigned = keccak256(signature) == keccak256(new bytes(96));
        bool expected = known && unsigned && msg.sender == vault.token().pool();
        require(expected, NotATopUp(msg.sender, stageOf[keyRoot]));
        stageOf[keyRoot] = Stage.ToppedUp;
        ++topUps;
    }
}
