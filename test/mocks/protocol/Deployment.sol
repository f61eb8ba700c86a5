// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {DepositContractStub} from "../DepositContractStub.sol";
import {ExitRequestsStub} from "../ExitRequestsStub.sol";
import {IOperatorRegistry} from "../../../contracts/validators/IOperatorRegistry.sol";
import {IPointsToPool} from "../../../contracts/shared/IEtherVault.sol";
import {OperatorRegistry} from "../../../contracts/validators/OperatorRegistry.sol";
import {PoolBooks} from "../../../contracts/pool/PoolBooks.sol";
import {RegistryProxies} from "../../../contracts/validators/RegistryProxies.sol";
import {RewardsVault} from "../../../contracts/pool/RewardsVault.sol";
import {StakedEther} from "../../../contracts/token/StakedEther.sol";
import {StakingPool} from "../../../contracts/pool/StakingPool.sol";
import {Test} from "../../helpers/Test.sol";
import {ValidatorRegistry} from "../../../contracts/validators/ValidatorRegistry.sol";
import {VerifierStub} from "../VerifierStub.sol";
import {WITHDRAWAL_REQUESTS} from "../../../contracts/external/Predeploys.sol";
import {WithdrawalQueue} from "../../../contracts/withdrawals/WithdrawalQueue.sol";
import {WithdrawalVault} from "../../../contracts/withdrawals/WithdrawalVault.sol";
import {WrappedStakedEther} from "../../../contracts/token/WrappedStakedEther.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice The deployed protocol, all of it real but for the deposit contract, the predeploy of exits and the verifier of proofs.
/// Who deploys it is its oracle, governance and guardian.
abstract contract Deployment is Test {
    struct Contracts {
        AccessManager authority;
        StakedEther token;
        WrappedStakedEther wrapped;
        StakingPool pool;
        WithdrawalQueue queue;
        WithdrawalVault withdrawalVault;
        RewardsVault rewardsVault;
        OperatorRegistry operators;
        ValidatorRegistry validators;
        DepositContractStub deposits;
        ExitRequestsStub exitRequests;
        address treasury;
    }

    /// @dev Terms of a tier, in the handler's books.
    struct TierBook {
        uint256 bondFirst; // wei
        uint256 bondNext; // wei
        uint256 targetShareBp;
        uint256 maxShareBp;
    }

    uint256 public constant START = 1_800_000_000;
    uint256 internal constant EPOCH = 384; // seconds
    uint256 internal constant GENESIS = START - 1024 * EPOCH;
    uint256 internal constant FRAME = 1 days;
    uint256 internal constant MARGIN = 1 hours;
    uint256 internal constant GRACE = 6 hours;
    uint256 internal constant LOCKED = 1 ether;
    uint256 internal constant CAP = 1e6 ether; // how much T may grow by deposits between two reports
    uint256 internal constant OPERATORS = 4;
    uint256 internal constant TIERS = 3;

    Contracts internal _c;
    TierBook[TIERS] internal _tiers;

    constructor() {
        vm.warp(START);
        _deployCore();
        _deployRegistries();
        _deployPool();
        _addOperators();
    }

    function contracts() external view returns (Contracts memory) {
        return _c;
    }

    function _owner(uint256 operatorId) internal returns (address) {
        return account(string.concat("operator ", vm.toString(operatorId)));
    }

    /// @dev The first operators have a manager beside their owner.
    function _manager(uint256 operatorId) internal returns (address) {
        return operatorId <= 2 ? account(string.concat("manager ", vm.toString(operatorId))) : address(0);
    }

    /// @dev The tier of an operator. Two share the first.
    function _tierOf(uint256 operatorId) internal pure returns (uint256) {
        return (operatorId - 1) % TIERS;
    }

    /// @dev Together the operators may be entitled to more than the whole fee.
    function _feeBp(uint256 operatorId) internal pure returns (uint256) {
        return [uint256(500), 700, 1500][_tierOf(operatorId)];
    }

    function _deployCore() private {
        _c.authority = new AccessManager(address(this));
        address authority = address(_c.authority);
        _c.treasury = account("treasury");
        _c.queue = new WithdrawalQueue(authority, FRAME);
        _c.token = new StakedEther(authority, address(_c.queue));
        _c.queue.bind(address(_c.token));
        _c.wrapped = new WrappedStakedEther(_c.token);
        _c.withdrawalVault = new WithdrawalVault(IPointsToPool(address(_c.token)));
        _c.rewardsVault = new RewardsVault(IPointsToPool(address(_c.token)));
        vm.etch(WITHDRAWAL_REQUESTS, address(new ExitRequestsStub(address(_c.withdrawalVault))).code);
        _c.exitRequests = ExitRequestsStub(payable(WITHDRAWAL_REQUESTS));
    }

    function _deployRegistries() private {
        RegistryProxies proxies = new RegistryProxies();
        address payable vault = payable(address(_c.withdrawalVault));
        _c.deposits = new DepositContractStub(vault, proxies.validators());
        IOperatorRegistry operators = IOperatorRegistry(proxies.operators());
        proxies.deploy(
            address(new OperatorRegistry(_c.token, _c.wrapped, proxies.validators())),
            abi.encodeCall(OperatorRegistry.initialize, (address(_c.authority))),
            address(new ValidatorRegistry(_c.token, _c.withdrawalVault, operators, address(_c.deposits), GENESIS)),
            abi.encodeCall(ValidatorRegistry.initialize, (address(_c.authority), new VerifierStub()))
        );
        _c.operators = OperatorRegistry(proxies.operators());
        _c.validators = ValidatorRegistry(proxies.validators());
    }

    function _deployPool() private {
        _c.pool = new StakingPool(
            address(_c.authority),
            PoolBooks.Peers({
                token: _c.token,
                withdrawalVault: address(_c.withdrawalVault),
                rewardsVault: address(_c.rewardsVault),
                operators: address(_c.operators),
                validators: address(_c.validators),
                oracle: address(this),
                depositContract: address(_c.deposits),
                predecessor: address(0)
            }),
            PoolBooks.Policy({treasury: _c.treasury, feeBp: 1000, maxAprBp: 1000, depositCapGwei: uint64(CAP / 1e9)})
        );
        _c.token.replacePool(address(_c.pool));
        vm.deal(address(this), LOCKED);
        _c.pool.bootstrap{value: LOCKED}(START, START + FRAME + GRACE, START + FRAME - MARGIN);
    }

    function _addOperators() private {
        _tiers[0] = TierBook(1 ether, 1 ether, 5_000, 10_000);
        _tiers[1] = TierBook(2.4 ether, 1.3 ether, 3_000, 6_000);
        _tiers[2] = TierBook(4 ether, 1.6 ether, 2_000, 5_000);
        for (uint256 i; i < TIERS; ++i) _c.operators.addTier(_terms(i));
        for (uint256 id = 1; id <= OPERATORS; ++id) {
            address owner = _owner(id);
            vm.prank(owner);
            _c.operators.join(_tierOf(id), owner, "");
            if (_manager(id) == address(0)) continue;
            address manager = _manager(id);
            vm.prank(owner);
            _c.operators.setManager(id, manager);
        }
    }

    function _terms(uint256 tier) internal view returns (IOperatorRegistry.Tier memory) {
        TierBook memory t = _tiers[tier];
        return
            IOperatorRegistry.Tier({
                bondFirst: uint96(t.bondFirst),
                bondNext: uint96(t.bondNext),
                feeBp: uint16(_feeBp(tier + 1)),
                targetShareBp: uint16(t.targetShareBp),
                maxShareBp: uint16(t.maxShareBp),
                open: true
            });
    }
}
