// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {BP} from "../../contracts/shared/Units.sol";
import {IPointsToPool} from "../../contracts/shared/IEtherVault.sol";
import {IReportOracle} from "../../contracts/oracle/IReportOracle.sol";
import {DepositContractStub} from "./DepositContractStub.sol";
import {NoOperators} from "./NoOperators.sol";
import {ReportBounds} from "../../contracts/oracle/ReportBounds.sol";
import {ReportOracle} from "../../contracts/oracle/ReportOracle.sol";
import {RewardsVault} from "../../contracts/pool/RewardsVault.sol";
import {StakedEther} from "../../contracts/token/StakedEther.sol";
import {PoolBooks} from "../../contracts/pool/PoolBooks.sol";
import {StakingPool} from "../../contracts/pool/StakingPool.sol";
import {Test} from "../helpers/Test.sol";
import {WithdrawalQueue} from "../../contracts/withdrawals/WithdrawalQueue.sol";
import {WithdrawalVault} from "../../contracts/withdrawals/WithdrawalVault.sol";
import {vm} from "../helpers/Vm.sol";

/// @notice A committee of nine keys before the real oracle and pool, honest or not; it knows which reports must be accepted.
contract OracleHandler is Test {
    struct Fall {
        uint256 time;
        uint256 bp;
    }

    struct Attempt {
        bool valid; // but for what its fall asks for
        uint256 signatures;
        uint256 ether0;
        uint256 shares0;
        bytes32 state;
    }

    error GoodReportRefused(bytes reason);

    uint64 internal constant GENESIS = 1_800_000_000;
    uint64 internal constant FRAME_SLOTS = 7_200;
    uint256 internal constant FRAME = 1 days;
    uint256 internal constant MEMBERS = 9;
    uint256 internal constant ALL_ETHER = 120_000_000 ether;

    StakedEther public token;
    StakingPool public pool;
    ReportOracle public oracle;
    uint256[] public keys; // of current members, by ascending address
    uint256 public cl;
    uint256 public accepted;
    uint256 public refused;
    uint64 public lastRefSlot = FRAME_SLOTS - 1;
    bytes32 public lastHash;
    uint32 public version = 1;
    Fall[] internal _falls;
    mapping(bytes32 reportHash => bool) internal _approved;
    IReportOracle.Report internal _lastReport;
    IReportOracle.Signature[] internal _lastSignatures;

    constructor() {
        vm.warp(GENESIS + FRAME);
        AccessManager authority = new AccessManager(address(this));
        WithdrawalQueue queue = new WithdrawalQueue(address(authority), FRAME);
        token = new StakedEther(address(authority), address(queue));
        queue.bind(address(token));
        address[] memory members = _makeKeys();
        oracle = new ReportOracle(
            address(authority),
            token,
            new ReportBounds(),
            ReportOracle.Grid(GENESIS, lastRefSlot, FRAME_SLOTS, 1 hours, 6 hours),
            members,
            5
        );
        address vault = address(new WithdrawalVault(IPointsToPool(address(token))));
        pool = new StakingPool(
            address(authority),
            PoolBooks.Peers({
                token: token,
                withdrawalVault: vault,
                rewardsVault: address(new RewardsVault(IPointsToPool(address(token)))),
                operators: address(new NoOperators()),
                validators: address(this),
                oracle: address(oracle),
                depositContract: address(new DepositContractStub(vault)),
                predecessor: address(0)
            }),
            PoolBooks.Policy(account("treasury"), 1000, 1000, 1e6 * 1e9)
        );
        token.replacePool(address(pool));
        vm.deal(address(this), 33_001 ether);
        pool.bootstrap{value: 1 ether}(
            GENESIS + lastRefSlot * 12,
            block.timestamp + 30 hours,
            block.timestamp + 23 hours
        );
        pool.deposit{value: 33_000 ether}(address(this), address(0));
        pool.fundValidators(new bytes(1_000 * 48));
        cl = 32_000 ether;
    }

    receive() external payable {}

    // --- the chain ---

    function earn(uint256 amount) external {
        cl += bound(amount, 0, cl / 2_000);
    }

    function lose(uint256 amount, uint256 depth) public {
        uint256 most = [cl / 3_000, cl / 150, cl / 60, cl / 20][depth % 4];
        cl -= bound(amount, 0, most);
    }

    /// @notice I11: a donation blocks no report, up to all the ether there is (a vault's books end at 309 million).
    function donate(uint256 amount, bool rewards) external {
        address vault = rewards ? pool.rewardsVault() : pool.withdrawalVault();
        vm.deal(vault, bound(amount, vault.balance, ALL_ETHER));
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 3 days));
    }

    // --- the committee ---

    /// @notice A report as it should be, with enough signatures or too few, or with one thing wrong.
    function submit(uint256 wrong, uint256 count, uint256 seed, bool approved) external {
        // mostly there is something to report, and often a loss
        if (seed % 4 != 0 && oracle.nextRefSlot() == lastRefSlot) vm.warp(block.timestamp + FRAME);
        if (seed % 3 == 0) lose(uint256(keccak256(abi.encode(seed))), seed / 3);
        IReportOracle.Report memory r = _honest();
        Attempt memory a;
        a.signatures = bound(count, 1, keys.length);
        a.valid = r.refSlot > lastRefSlot && a.signatures >= oracle.committee().quorum;
        wrong = wrong % 20; // more often right than wrong
        a.valid = _spoil(r, wrong, seed) && a.valid;
        IReportOracle.Signature[] memory signatures = _sign(r, a.signatures);
        if (wrong == 7) signatures[0] = _signWith(_stranger(), r);
        if (wrong == 8 && signatures.length > 1) signatures[1] = signatures[0];
        if (wrong == 9 && signatures.length > 1) (signatures[0], signatures[1]) = (signatures[1], signatures[0]);
        if (wrong == 7 || (signatures.length > 1 && (wrong == 8 || wrong == 9))) a.valid = false;
        if (approved) oracle.approveFall(_hash(r), true);
        _approved[_hash(r)] = approved || _approved[_hash(r)]; // also for whoever submits it later
        _submit(r, signatures, a, _approved[_hash(r)]);
    }

    /// @notice Falls that everybody signs, none too deep by itself: governance is asked when they add up within 30 days.
    function badMonth(uint256 seed, uint256 gap) external {
        for (uint256 i; i < 5; ++i) {
            vm.warp(block.timestamp + bound(gap, 1, 9) * FRAME);
            cl -= cl / 100 + (uint256(keccak256(abi.encode(seed, i))) % (cl / 150));
            IReportOracle.Report memory r = _honest();
            Attempt memory a;
            (a.valid, a.signatures) = (true, keys.length);
            _submit(r, _sign(r, keys.length), a, _approved[_hash(r)]);
        }
    }

    /// @notice I13: what was accepted is not accepted again.
    function replay() external {
        if (accepted == 0) return;
        bytes32 before = _state();
        try oracle.submitReport(_lastReport, _lastSignatures) {
            assertTrue(false, "I13: applied twice");
        } catch {
            assertEq(_state(), before, "I13: a refused replay changed something");
        }
    }

    /// @notice I13: none is accepted for a reference that is not newer, whoever signs.
    function older(uint256 frames) external {
        IReportOracle.Report memory r = _honest();
        uint64 back = uint64(bound(frames, 0, lastRefSlot / FRAME_SLOTS)) * FRAME_SLOTS;
        r.refSlot = lastRefSlot - back;
        bytes32 before = _state();
        try oracle.submitReport(r, _sign(r, keys.length)) {
            assertTrue(false, "I13: an older report was applied");
        } catch {
            assertEq(_state(), before, "I13: a refused older report changed something");
        }
    }

    /// @notice Whoever signs two reports for one reference is out; everybody else stays.
    function equivocate(uint256 who, uint256 rarely) external {
        if (rarely % 16 != 0 || keys.length <= 6) return;
        who = who % keys.length;
        IReportOracle.Report memory a = _honest();
        IReportOracle.Report memory b = _honest();
        b.clBalanceGwei += 1;
        try oracle.proveEquivocation(a, _signWith(keys[who], a), a, _signWith(keys[who], a)) {
            assertTrue(false, "removed for one report");
        } catch {}
        oracle.proveEquivocation(a, _signWith(keys[who], a), b, _signWith(keys[who], b));
        assertFalse(oracle.isMember(vm.addr(keys[who])), "still a member");
        for (uint256 i = who; i + 1 < keys.length; ++i) keys[i] = keys[i + 1];
        keys.pop();
        ++version;
    }

    // --- internal ---

    function _submit(
        IReportOracle.Report memory r,
        IReportOracle.Signature[] memory signatures,
        Attempt memory a,
        bool approved
    ) private {
        (a.ether0, a.shares0) = token.totals();
        a.state = _state();
        uint256 inWindow = _fallInWindow();
        try oracle.submitReport(r, signatures) {
            assertTrue(a.valid, "I13: accepted though it must not be");
            _note(r, signatures);
            uint256 fall = _fallSince(a.ether0, a.shares0);
            if (fall > 50) assertGe(a.signatures, (2 * keys.length) / 3 + 1, "a deep fall without a supermajority");
            if (fall != 0 && inWindow + fall > 300) assertTrue(approved, "a fall beyond the window without governance");
            if (fall != 0) _falls.push(Fall(block.timestamp, fall));
            ++accepted;
        } catch (bytes memory reason) {
            assertEq(_state(), a.state, "I13: a refused report changed something");
            bytes4 name = bytes4(reason);
            bool forItsFall =
                name == IReportOracle.NotEnoughSignatures.selector ||
                    name == IReportOracle.FallNeedsGovernance.selector;
            require(!a.valid || forItsFall, GoodReportRefused(reason)); // I11
            if (a.valid && a.signatures == keys.length && approved) assertTrue(false, "refused though all agreed");
            ++refused;
        }
    }

    function _note(IReportOracle.Report memory r, IReportOracle.Signature[] memory signatures) private {
        assertGt(r.refSlot, lastRefSlot, "I13: not newer");
        lastRefSlot = r.refSlot;
        lastHash = _hash(r);
        _lastReport = r;
        delete _lastSignatures;
        for (uint256 i; i < signatures.length; ++i) _lastSignatures.push(signatures[i]);
    }

    /// @return whether it is still good
    function _spoil(IReportOracle.Report memory r, uint256 wrong, uint256 seed) private view returns (bool) {
        if (wrong == 0)
            r.refSlot += uint64(1 + (seed % (FRAME_SLOTS - 1))); // off the grid
        else if (wrong == 1)
            r.refSlot += FRAME_SLOTS; // in the future
        else if (wrong == 2) r.prevReportHash = keccak256(abi.encode(seed));
        else if (wrong == 3) r.committeeVersion = uint32(version + 1 + (seed % 5));
        else if (wrong == 4) r.validUntil = uint64(block.timestamp - 1);
        else if (wrong == 5) r.withdrawalVaultBalance += uint128(1 + (seed % 1e30));
        else if (wrong == 6) r.rewardsVaultBalance += uint128(1 + (seed % 1e30));
        else return true;
        return false;
    }

    /// @dev For the newest reference; nothing is swept between a reference and its report but by a report.
    function _honest() private view returns (IReportOracle.Report memory r) {
        r.refSlot = oracle.nextRefSlot();
        r.clBalanceGwei = uint64(cl / 1e9);
        r.withdrawalVaultBalance = uint128(pool.withdrawalVault().balance);
        r.rewardsVaultBalance = uint128(pool.rewardsVault().balance);
        if (GENESIS + r.refSlot * 12 < pool.books().lastReportTime) {
            // late: the balances at the reference still had what the last report took
            r.withdrawalVaultBalance += uint128(pool.books().lastSweptWithdrawals);
            r.rewardsVaultBalance += uint128(pool.books().lastSweptRewards);
        }
        r.prevReportHash = lastHash;
        r.committeeVersion = version;
        r.validUntil = uint64(block.timestamp + 1 hours);
    }

    function _fallSince(uint256 ether0, uint256 shares0) private view returns (uint256) {
        (uint256 ether1, uint256 shares1) = token.totals();
        (uint256 before, uint256 after_) = (ether0 * shares1, ether1 * shares0);
        return after_ >= before ? 0 : ((before - after_) * BP + before - 1) / before;
    }

    function _fallInWindow() private view returns (uint256 sum) {
        for (uint256 i; i < _falls.length; ++i) if (_falls[i].time + 30 days > block.timestamp) sum += _falls[i].bp;
    }

    /// @dev A key that sorts before every member's.
    function _stranger() private view returns (uint256 key) {
        key = uint256(keccak256("stranger"));
        while (vm.addr(key) >= vm.addr(keys[0])) key = uint256(keccak256(abi.encode(key)));
    }

    function _sign(
        IReportOracle.Report memory r,
        uint256 count
    ) private view returns (IReportOracle.Signature[] memory signatures) {
        signatures = new IReportOracle.Signature[](count);
        for (uint256 i; i < count; ++i) signatures[i] = _signWith(keys[i], r);
    }

    function _signWith(
        uint256 key,
        IReportOracle.Report memory report
    ) private view returns (IReportOracle.Signature memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, oracle.reportDigest(report));
        return IReportOracle.Signature(r, v == 28 ? s | bytes32(uint256(1) << 255) : s);
    }

    function _hash(IReportOracle.Report memory r) private pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Report(uint64 refSlot,bytes32 blockRoot,uint64 clBalanceGwei,uint128 withdrawalVaultBalance,"
            "uint128 rewardsVaultBalance,bool incident,bytes32 prevReportHash,uint32 committeeVersion,uint64 validUntil)"
        );
        return keccak256(abi.encode(typeHash, r));
    }

    function _state() private view returns (bytes32) {
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

    function _makeKeys() private returns (address[] memory members) {
        members = new address[](MEMBERS);
        for (uint256 i; i < MEMBERS; ++i) keys.push(uint256(keccak256(abi.encode("member", i))));
        for (uint256 i; i < MEMBERS; ++i) {
            for (uint256 k = i + 1; k < MEMBERS; ++k) {
                if (vm.addr(keys[k]) < vm.addr(keys[i])) (keys[i], keys[k]) = (keys[k], keys[i]);
            }
            members[i] = vm.addr(keys[i]);
        }
    }
}
