// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {BP, YEAR} from "../../contracts/shared/Units.sol";
import {DepositContractStub} from "./DepositContractStub.sol";
import {IPointsToPool} from "../../contracts/shared/IEtherVault.sol";
import {IReportOracle} from "../../contracts/oracle/IReportOracle.sol";
import {NoOperators} from "./NoOperators.sol";
import {PoolBooks} from "../../contracts/pool/PoolBooks.sol";
import {ReportBounds} from "../../contracts/oracle/ReportBounds.sol";
import {ReportOracle} from "../../contracts/oracle/ReportOracle.sol";
import {RewardsVault} from "../../contracts/pool/RewardsVault.sol";
import {StakedEther} from "../../contracts/token/StakedEther.sol";
import {StakingPool} from "../../contracts/pool/StakingPool.sol";
import {Test} from "../helpers/Test.sol";
import {WithdrawalQueue} from "../../contracts/withdrawals/WithdrawalQueue.sol";
import {WithdrawalVault} from "../../contracts/withdrawals/WithdrawalVault.sol";
import {vm} from "../helpers/Vm.sol";

/// @notice The real oracle before the real pool, with a committee of nine keys, and books of what was accepted.
abstract contract OracleWorld is Test {
    struct Fall {
        uint256 time;
        uint256 bp;
    }

    /// @dev What the books say of the last report, and of what came after it.
    struct Standing {
        uint64 refSlot;
        bytes32 hash;
        uint256 executedAt; // unix seconds
        uint256 openUntil; // unix seconds; before now while a report waits for approvals
        uint256 ceiling; // wei
        uint256 clLast; // wei
        uint256 heldBack; // wei
        bool incident; // it said so, or one was announced since
        bool fell;
    }

    uint64 internal constant GENESIS = 1_800_000_000;
    uint64 internal constant FRAME_SLOTS = 7_200;
    uint256 internal constant FRAME = 1 days;
    uint256 internal constant GRACE = 6 hours;
    uint256 internal constant MEMBERS = 9;
    uint256 internal constant MAX_APR_BP = 1_000;
    uint256 internal constant CAP = 1e6 ether;
    uint256 internal constant ALL_ETHER = 120_000_000 ether;

    StakedEther public token;
    StakingPool public pool;
    ReportOracle public oracle;
    uint256[] public keys; // of current members, by ascending address
    uint256 public cl;
    uint32 public version = 1;
    Standing internal _standing;
    Fall[] internal _falls;
    mapping(address oracle_ => mapping(bytes32 reportHash => bool)) internal _approved;
    AccessManager private _authority;
    PoolBooks.Peers private _peers;

    constructor() {
        vm.warp(GENESIS + FRAME);
        _authority = new AccessManager(address(this));
        WithdrawalQueue queue = new WithdrawalQueue(address(_authority), FRAME);
        token = new StakedEther(address(_authority), address(queue));
        queue.bind(address(token));
        oracle = _newOracle(GRACE, _makeKeys(), 5, IReportOracle(address(0)));
        address payable vault = payable(address(new WithdrawalVault(IPointsToPool(address(token)))));
        _peers = PoolBooks.Peers({
            token: token,
            withdrawalVault: vault,
            rewardsVault: address(new RewardsVault(IPointsToPool(address(token)))),
            operators: address(new NoOperators()),
            validators: address(this),
            oracle: address(oracle),
            depositContract: address(new DepositContractStub(vault, address(0))),
            predecessor: address(0)
        });
        pool = _newPool();
        token.replacePool(address(pool));
        _open();
    }

    receive() external payable {}

    // --- views for the invariants ---

    function standing() external view returns (Standing memory) {
        return _standing;
    }

    /// @notice The newest reference that can be reported; the last reported one if there is none.
    function newest() public view returns (uint64) {
        uint64 next = _passed();
        return _timeOf(next) < _standing.executedAt ? _standing.refSlot : next;
    }

    function fallInWindow() public view returns (uint256 sum) {
        for (uint256 i; i < _falls.length; ++i) if (_falls[i].time + 30 days > block.timestamp) sum += _falls[i].bp;
    }

    /// @notice Whether queue and products should be careful.
    function careful() external view returns (bool) {
        bool overdue = block.timestamp > _timeOf(_standing.refSlot) + FRAME + GRACE;
        return _standing.incident || _standing.fell || overdue;
    }

    // --- for the handler ---

    /// @dev A pool and an oracle that take over from these.
    function _replace() internal returns (ReportOracle next) {
        next = _newOracle(GRACE, new address[](0), 0, oracle);
        (_peers.oracle, _peers.predecessor) = (address(next), address(pool));
        pool = _newPool();
        token.replacePool(address(pool));
    }

    /// @dev The last reference that has passed, reported or not.
    function _passed() internal view returns (uint64) {
        uint256 last = _timeOf(_standing.refSlot);
        if (block.timestamp <= last) return _standing.refSlot;
        return _standing.refSlot + uint64((block.timestamp - 1 - last) / FRAME) * FRAME_SLOTS;
    }

    function _timeOf(uint64 slot) internal pure returns (uint256) {
        return GENESIS + uint256(slot) * 12;
    }

    /// @dev What a report is worth: the change that it would bring, and the most that is recognised of a rise.
    function _changeBy(IReportOracle.Report memory r) internal view returns (int256 gross, uint256 most) {
        uint256 frames = (r.refSlot - _standing.refSlot) / FRAME_SLOTS;
        uint256 there =
            uint256(r.clBalanceGwei) * 1e9 + r.withdrawalVaultBalance + r.rewardsVaultBalance + _standing.heldBack;
        gross = int256(there) - int256(_standing.clLast);
        most = (token.totalSupply() * MAX_APR_BP * (frames < 2 ? frames : 2) * FRAME) / (BP * YEAR);
    }

    /// @dev Basis points by which the rate falls if T does by as much, rounded up.
    function _fallBp(int256 gross) internal view returns (uint256) {
        uint256 before = token.totalSupply();
        return gross >= 0 ? 0 : (uint256(-gross) * BP + before - 1) / before;
    }

    function _state() internal view returns (bytes32) {
        (uint256 totalEther, uint256 totalShares) = token.totals();
        return
            keccak256(
                abi.encode(
                    pool.books(),
                    totalEther,
                    totalShares,
                    address(pool).balance,
                    pool.withdrawalVault().balance,
                    pool.rewardsVault().balance,
                    oracle.lastRefSlot(),
                    oracle.lastReportHash(),
                    oracle.fallInWindowBp(),
                    oracle.incident()
                )
            );
    }

    // --- internal ---

    function _newOracle(
        uint256 grace,
        address[] memory members,
        uint256 quorum,
        IReportOracle predecessor
    ) internal returns (ReportOracle) {
        ReportOracle.Grid memory grid = ReportOracle.Grid({
            genesisTime: GENESIS,
            firstRefSlot: FRAME_SLOTS - 1,
            slotsPerFrame: FRAME_SLOTS,
            finalisationMargin: 1 hours,
            grace: uint64(grace)
        });
        return new ReportOracle(address(_authority), token, new ReportBounds(), grid, members, quorum, predecessor);
    }

    function _newPool() private returns (StakingPool) {
        uint64 cap = uint64(CAP / 1e9);
        PoolBooks.Policy memory policy = PoolBooks.Policy(account("treasury"), 1000, uint16(MAX_APR_BP), cap);
        return new StakingPool(address(_authority), _peers, policy);
    }

    function _open() private {
        _standing.refSlot = FRAME_SLOTS - 1;
        (_standing.openUntil, _standing.ceiling) = (block.timestamp + 30 hours, CAP + 1 ether);
        vm.deal(address(this), 33_001 ether);
        pool.bootstrap{value: 1 ether}(_timeOf(FRAME_SLOTS - 1), _standing.openUntil, block.timestamp + 23 hours);
        pool.deposit{value: 33_000 ether}(address(this), address(0));
        bytes[] memory pubkeys = new bytes[](1_000);
        for (uint256 i; i < pubkeys.length; ++i) pubkeys[i] = abi.encodePacked(i + 1, bytes16(0));
        pool.fundValidators(pubkeys);
        cl = 32_000 ether;
        _standing.clLast = 32_000 ether;
    }

    function _makeKeys() private returns (address[] memory members) {
        members = new address[](MEMBERS);
        for (uint256 i; i < MEMBERS; ++i) keys.push(uint256(keccak256(abi.encode("member", i))));
        for (uint256 i; i < MEMBERS; ++i) {
            for (uint256 j = i + 1; j < MEMBERS; ++j) {
                if (vm.addr(keys[j]) < vm.addr(keys[i])) (keys[i], keys[j]) = (keys[j], keys[i]);
            }
            members[i] = vm.addr(keys[i]);
        }
    }
}
