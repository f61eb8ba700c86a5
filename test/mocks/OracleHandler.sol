// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP} from "../../contracts/shared/Units.sol";
import {Committee} from "../../contracts/oracle/Committee.sol";
import {IReportOracle} from "../../contracts/oracle/IReportOracle.sol";
import {IStakingPool} from "../../contracts/pool/IStakingPool.sol";
import {OracleWorld} from "./OracleWorld.sol";
import {Refusals} from "./protocol/Refusals.sol";
import {ReportOracle} from "../../contracts/oracle/ReportOracle.sol";
import {vm} from "../helpers/Vm.sol";

/// @notice A committee before the real oracle and pool, honest or not; it knows which reports must be accepted, and why the
/// others must be refused.
contract OracleHandler is OracleWorld {
    using Refusals for Refusals.Causes;

    /// @dev A report as it is sent.
    struct Sent {
        IReportOracle.Report report;
        IReportOracle.Signature[] signatures;
        Refusals.Causes causes;
    }

    uint256 public accepted;
    uint256 public refused;
    uint256 public announced;
    IReportOracle.Report internal _lastReport;
    IReportOracle.Signature[] internal _lastSignatures;

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

    /// @notice I25: deposits are open only with a report of its time, none announced since, and after no fall.
    function stake(uint256 amount) external {
        amount = bound(amount, 1, 100 ether);
        Refusals.Causes memory causes;
        causes.add(block.timestamp > _standing.openUntil, IStakingPool.ReportOverdue.selector);
        causes.add(token.totalSupply() + amount > _standing.ceiling, IStakingPool.DepositCapReached.selector);
        vm.deal(address(this), amount);
        (bool done, bytes memory reason) = address(pool).call{value: amount}("");
        causes.judge(done, reason);
    }

    // --- the committee ---

    /// @notice A report as it should be, with enough signatures or too few, or with one thing wrong.
    function submit(uint256 wrong, uint256 count, uint256 seed, bool approved) external {
        // mostly there is something to report, and often a loss
        if (seed % 4 != 0 && newest() == _standing.refSlot) vm.warp(block.timestamp + FRAME);
        if (seed % 3 == 0) lose(uint256(keccak256(abi.encode(seed))), seed / 3);
        Sent memory s = _prepare(wrong, count, seed);
        if (approved) oracle.approveFall(_hash(s.report), true);
        // also for whoever submits it later
        if (approved) _approved[address(oracle)][_hash(s.report)] = true;
        _submit(s);
    }

    /// @notice I28: what a quorum signed stops deposits, fundings and payments until a report is applied, however often it is
    /// announced; what was not signed by a quorum, is for another time or is accepted already, does nothing.
    function announce(uint256 wrong, uint256 count, uint256 seed) external {
        Sent memory s = _prepare(wrong, count, seed);
        bytes32 before = _state();
        (bool done, bytes memory reason) = address(oracle).call(
            abi.encodeCall(IReportOracle.announceReport, (s.report, s.signatures))
        );
        if (!s.causes.judge(done, reason)) return assertEq(_state(), before, "I28: a refused announcement");
        (_standing.incident, _standing.openUntil) = (true, block.timestamp - 1);
        ++announced;
    }

    /// @notice Falls that everybody signs, none too deep by itself: governance is asked when they add up within 30 days.
    function badMonth(uint256 seed, uint256 gap) external {
        for (uint256 i; i < 5; ++i) {
            vm.warp(block.timestamp + bound(gap, 1, 9) * FRAME);
            if (newest() == _standing.refSlot) vm.warp(block.timestamp + FRAME);
            cl -= cl / 100 + (uint256(keccak256(abi.encode(seed, i))) % (cl / 150));
            _submit(_prepare(type(uint256).max, keys.length, 1));
        }
    }

    /// @notice I13: what was accepted is not accepted again, nor announced.
    function replay() external {
        if (accepted == 0) return;
        Sent memory s;
        (s.report, s.signatures) = (_lastReport, _lastSignatures);
        s.causes.add(true, IReportOracle.ReferenceNotNewer.selector);
        _refuse(s);
    }

    /// @notice I13: none is accepted for a reference that is not newer, whoever signs.
    function older(uint256 frames) external {
        Sent memory s;
        s.report = _honest(_standing.refSlot);
        s.report.refSlot -= uint64(bound(frames, 0, _standing.refSlot / FRAME_SLOTS)) * FRAME_SLOTS;
        s.signatures = _sign(s.report, keys.length);
        s.causes.add(true, IReportOracle.ReferenceNotNewer.selector);
        _refuse(s);
    }

    /// @notice Whoever signs two reports for one reference is out; everybody else stays.
    function equivocate(uint256 who, uint256 rarely) external {
        if (rarely % 16 != 0 || keys.length <= 6) return;
        who = who % keys.length;
        IReportOracle.Report memory a = _honest(newest());
        IReportOracle.Report memory b = _honest(newest());
        b.clBalanceGwei += 1;
        Refusals.Causes memory causes;
        causes.add(true, IReportOracle.NotEquivocation.selector);
        IReportOracle.Signature memory signature = _signWith(keys[who], a);
        (bool done, bytes memory reason) = address(oracle).call(
            abi.encodeCall(IReportOracle.proveEquivocation, (a, signature, a, signature))
        );
        causes.judge(done, reason);
        oracle.proveEquivocation(a, signature, b, _signWith(keys[who], b));
        assertFalse(oracle.isMember(vm.addr(keys[who])), "still a member");
        for (uint256 i = who; i + 1 < keys.length; ++i) keys[i] = keys[i + 1];
        keys.pop();
        ++version;
    }

    /// @notice Nobody makes an oracle take over that is not the live pool's, or that succeeds none; the pool's new one does
    /// once, whoever asks it, and accepts nothing before.
    function succeed(uint256 rarely) external {
        bytes memory call = abi.encodeCall(IReportOracle.takeOver, ());
        _takeOverInVain(oracle, IReportOracle.NothingToTakeOver.selector);
        if (rarely % 8 != 0) return;
        ReportOracle stranger = _newOracle(GRACE, new address[](0), 0, oracle);
        _takeOverInVain(stranger, IReportOracle.NotLive.selector);
        ReportOracle old = oracle;
        oracle = _replace();
        _takeOverInVain(old, IReportOracle.NotLive.selector);
        Sent memory s = _prepare(type(uint256).max, keys.length, 1);
        (bool early, ) = address(oracle).call(abi.encodeCall(IReportOracle.submitReport, (s.report, s.signatures)));
        assertFalse(early, "a report before the take-over");
        vm.prank(account("stranger"));
        (bool done, bytes memory reason) = address(oracle).call(call);
        require(done, Refusals.Refused(reason));
        ++version;
        _takeOverInVain(oracle, IReportOracle.NothingToTakeOver.selector);
    }

    // --- internal ---

    /// @dev A report for the newest reference, or for an earlier one that is not reported; with one thing wrong for some `wrong`.
    function _prepare(uint256 wrong, uint256 count, uint256 seed) private view returns (Sent memory s) {
        uint64 frames = (_passed() - _standing.refSlot) / FRAME_SLOTS;
        uint64 refSlot = _standing.refSlot + frames * FRAME_SLOTS;
        if (seed % 5 == 0 && frames > 1) refSlot -= uint64((seed / 5) % frames) * FRAME_SLOTS;
        s.report = _honest(refSlot);
        s.report.leavingGwei = seed % 7 == 0 ? s.report.clBalanceGwei : uint64((seed / 7) % 1e9);
        wrong = wrong % 24; // more often right than wrong
        s.report.incident = wrong == 10;
        _spoil(s.report, wrong, seed);
        count = bound(count, 1, keys.length);
        s.signatures = _sign(s.report, count);
        if (wrong == 7) s.signatures[0] = _signWith(_stranger(), s.report);
        if (wrong == 8 && count > 1) s.signatures[1] = s.signatures[0];
        if (wrong == 9 && count > 1) (s.signatures[0], s.signatures[1]) = (s.signatures[1], s.signatures[0]);
        s.causes.add(wrong == 7, Committee.NotMember.selector);
        s.causes.add((wrong == 8 || wrong == 9) && count > 1, Committee.SignaturesNotSorted.selector);
        s.causes.add(count < keys.length / 2 + 1 || count < _quorum(), IReportOracle.NotEnoughSignatures.selector);
        _addCauses(s.report, s.causes);
    }

    /// @dev It was five at first, and falls only if it could not be reached.
    function _quorum() private view returns (uint256) {
        return keys.length < 5 ? keys.length : 5;
    }

    /// @dev What can be wrong with a report, whatever it says.
    function _addCauses(IReportOracle.Report memory r, Refusals.Causes memory causes) private view {
        causes.add(r.refSlot <= _standing.refSlot, IReportOracle.ReferenceNotNewer.selector);
        bool off = (r.refSlot + FRAME_SLOTS - _standing.refSlot) % FRAME_SLOTS != 0;
        causes.add(off, IReportOracle.ReferenceOffGrid.selector);
        causes.add(_timeOf(r.refSlot) >= block.timestamp, IReportOracle.ReferenceInFuture.selector);
        causes.add(r.validUntil < block.timestamp, IReportOracle.ReportExpired.selector);
        causes.add(r.prevReportHash != _standing.hash, IReportOracle.WrongPreviousReport.selector);
        causes.add(r.committeeVersion != version, IReportOracle.WrongCommitteeVersion.selector);
        causes.add(r.leavingGwei > r.clBalanceGwei, IReportOracle.LeavingAboveBalance.selector);
    }

    /// @dev What the pool refuses besides, and what a fall needs.
    function _addPoolCauses(Sent memory s, uint256 fall) private view {
        IReportOracle.Report memory r = s.report;
        s.causes.add(_timeOf(r.refSlot) < _standing.executedAt, IStakingPool.ReferenceTooOld.selector);
        bool more =
            r.withdrawalVaultBalance > pool.withdrawalVault().balance ||
                r.rewardsVaultBalance > pool.rewardsVault().balance;
        s.causes.add(more, IStakingPool.VaultBalanceImpossible.selector);
        bool few = fall > 50 && s.signatures.length < (2 * keys.length) / 3 + 1;
        s.causes.add(few, IReportOracle.NotEnoughSignatures.selector);
        bool approved = _approved[address(oracle)][_hash(r)];
        bool deep = fall != 0 && fallInWindow() + fall > 300;
        s.causes.add(deep && !approved, IReportOracle.FallNeedsGovernance.selector);
    }

    function _submit(Sent memory s) private {
        bytes32 before = _state();
        (int256 gross, uint256 most) = _changeBy(s.report);
        uint256 fall = _fallBp(gross);
        _addPoolCauses(s, fall);
        uint256 ether0 = token.totalSupply();
        (bool done, bytes memory reason) = address(oracle).call(
            abi.encodeCall(IReportOracle.submitReport, (s.report, s.signatures))
        );
        if (!s.causes.judge(done, reason)) {
            assertEq(_state(), before, "I13: a refused report changed something");
            ++refused;
            return;
        }
        int256 gain = gross > int256(most) ? int256(most) : gross;
        assertEq(token.totalSupply(), uint256(int256(ether0) + gain), "I10: T = before + gain");
        _note(s, gross, most);
        bool pauses = gross < 0 && uint256(-gross) * BP > ether0 * 5;
        _standing.ceiling = pauses ? 0 : token.totalSupply() + CAP;
        if (fall != 0) _falls.push(Fall(block.timestamp, fall));
        ++accepted;
    }

    function _note(Sent memory s, int256 gross, uint256 most) private {
        assertGt(s.report.refSlot, _standing.refSlot, "I13: not newer");
        _standing.refSlot = s.report.refSlot;
        _standing.hash = _hash(s.report);
        _standing.executedAt = block.timestamp;
        _standing.openUntil = _timeOf(s.report.refSlot) + FRAME + GRACE;
        _standing.clLast = uint256(s.report.clBalanceGwei) * 1e9;
        _standing.heldBack = gross > int256(most) ? uint256(gross) - most : 0;
        (_standing.incident, _standing.fell) = (s.report.incident, gross < 0);
        _lastReport = s.report;
        delete _lastSignatures;
        for (uint256 i; i < s.signatures.length; ++i) _lastSignatures.push(s.signatures[i]);
    }

    /// @dev I13: neither submitted nor announced, and nothing changes.
    function _refuse(Sent memory s) private {
        bytes32 before = _state();
        (bool done, bytes memory reason) = address(oracle).call(
            abi.encodeCall(IReportOracle.submitReport, (s.report, s.signatures))
        );
        s.causes.judge(done, reason);
        (done, reason) = address(oracle).call(abi.encodeCall(IReportOracle.announceReport, (s.report, s.signatures)));
        s.causes.judge(done, reason);
        assertEq(_state(), before, "I13: a refused report changed something");
    }

    function _takeOverInVain(ReportOracle by, bytes4 cause) private {
        Refusals.Causes memory causes;
        causes.add(true, cause);
        vm.prank(account("stranger"));
        (bool done, bytes memory reason) = address(by).call(abi.encodeCall(IReportOracle.takeOver, ()));
        causes.judge(done, reason);
    }

    function _spoil(IReportOracle.Report memory r, uint256 wrong, uint256 seed) private view {
        if (wrong == 0)
            r.refSlot += uint64(1 + (seed % (FRAME_SLOTS - 1))); // off the grid
        else if (wrong == 1)
            r.refSlot += FRAME_SLOTS; // in the future
        else if (wrong == 2) r.prevReportHash = keccak256(abi.encode(seed));
        else if (wrong == 3) r.committeeVersion = uint32(version + 1 + (seed % 5));
        else if (wrong == 4) r.validUntil = uint64(block.timestamp - 1);
        else if (wrong == 5) r.withdrawalVaultBalance += uint128(1 + (seed % 1e30));
        else if (wrong == 6) r.rewardsVaultBalance += uint128(1 + (seed % 1e30));
        else if (wrong == 11) r.leavingGwei = r.clBalanceGwei + uint64(1 + (seed % 1e9));
    }

    /// @dev Nothing is swept between a reference and its report but by a report.
    function _honest(uint64 refSlot) private view returns (IReportOracle.Report memory r) {
        r.refSlot = refSlot;
        r.clBalanceGwei = uint64(cl / 1e9);
        r.withdrawalVaultBalance = uint128(pool.withdrawalVault().balance);
        r.rewardsVaultBalance = uint128(pool.rewardsVault().balance);
        r.prevReportHash = _standing.hash;
        r.committeeVersion = version;
        r.validUntil = uint64(block.timestamp + 1 hours);
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
            "Report(uint64 refSlot,bytes32 blockRoot,uint64 clBalanceGwei,uint64 leavingGwei,"
            "uint128 withdrawalVaultBalance,uint128 rewardsVaultBalance,bool incident,bytes32 prevReportHash,uint32 committeeVersion,uint64 validUntil)"
        );
        return keccak256(abi.encode(typeHash, r));
    }
}
