// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, RAY, SHARES_PER_UNIT, YEAR} from "../../../contracts/shared/Units.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Operators} from "./Operators.sol";
import {PoolBooks} from "../../../contracts/pool/PoolBooks.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice The beacon chain, the committee, and whoever continues a finalisation. Each report is checked against what its
/// books say must come of it: I3, I6, I9, I10, I13 and I15.
abstract contract CommitteeRole is Operators {
    /// @dev What there was at a reference.
    struct Snapshot {
        uint256 refTime;
        uint256 cl;
        uint256 withdrawals; // vault balance
        uint256 rewards; // vault balance
        uint256 funded; // validators
        uint256 received; // by both vaults, ever
    }

    struct Expected {
        uint256 elapsed;
        uint256 ether0;
        uint256 shares0;
        uint256 etherGained; // T'
        int256 gain;
        uint256 feeBp;
        uint256 growth; // maxAprBp * elapsed
        uint256 feeShares;
        uint256 sharesGained; // S'
        uint256 paid;
        uint256 ether1;
        uint256 shares1;
        uint256 operatorsHad;
    }

    Snapshot[] internal _pending;
    Snapshot internal _last;
    uint256 internal _heldBack;
    uint256 internal _topEther; // highest rate after a report, as a fraction
    uint256 internal _topShares;
    uint256 internal _finalRate; // of the last report
    bool internal _finalisable;
    uint256 internal _lastReportTime;
    uint256 internal _previousReportTime;

    constructor() {
        _last.refTime = START;
        (_topEther, _topShares) = _c.token.totals();
    }

    function heldBack() external view returns (uint256) {
        return _heldBack;
    }

    function lastSnapshot() external view returns (Snapshot memory) {
        return _last;
    }

    // --- the beacon chain ---

    function earn(uint256 amount, uint256 tips, uint256 size) external keepsRate keepsShares {
        uint256 most = size % 9 == 0 ? _beacon.cl : _beacon.cl / 3_000;
        _beacon.cl += bound(amount, 0, most);
        _give(address(_c.rewardsVault), bound(tips, 0, 0.1 ether + most / 3));
    }

    function lose(uint256 amount, uint256 depth) external keepsRate keepsShares {
        uint256 most =
            depth % 8 == 0
                ? _beacon.cl / 2
                : depth % 2 == 0
                    ? _beacon.cl / 100
                    : _beacon.cl / 5_000;
        _beacon.cl -= bound(amount, 0, most);
    }

    function sweep(uint256 amount, bool exits) external keepsRate keepsShares {
        amount = bound(amount, 0, exits ? _beacon.cl : _beacon.cl / 1_000);
        _beacon.cl -= amount;
        _give(address(_c.withdrawalVault), amount);
    }

    function wait(uint256 time) external keepsRate keepsShares {
        vm.warp(block.timestamp + bound(time, 1, 12 hours));
    }

    // --- the committee ---

    /// @notice Time passes a reference of the grid; what the committee will report of it is fixed then. Something may
    /// happen in the reference block itself.
    function passReference(uint256 frames, uint256 delay) public keepsRate {
        uint256 refTime = _nextReference(frames % 8 == 0 ? 1 + (frames % 3) : 1);
        vm.warp(refTime);
        if (delay % 3 == 0) _fund(frames, delay);
        if (_pending.length == 3) _dropFirst();
        _pending.push(
            Snapshot(
                refTime,
                _beacon.cl,
                address(_c.withdrawalVault).balance,
                address(_c.rewardsVault).balance,
                _beacon.funded,
                _beacon.received
            )
        );
        vm.warp(refTime + bound(delay, 1, 3 hours));
    }

    /// @notice The oldest reference not yet reported, perhaps after a later one has passed.
    function report(uint256 incident) public {
        if (_pending.length == 0) return;
        Snapshot memory s = _pending[0];
        _dropFirst();
        _report(s, incident % 8 == 0);
    }

    /// @notice The newest reference; older ones are merged into it.
    function reportLatest(uint256 incident) public {
        if (_pending.length == 0) return;
        Snapshot memory s = _pending[_pending.length - 1];
        delete _pending;
        _report(s, incident % 8 == 0);
    }

    function day(uint256 frames, uint256 delay, uint256 incident) external {
        passReference(frames, delay);
        report(incident);
    }

    /// @notice I13: what is refused changes nothing, neither in books nor in totals nor in balances.
    function badReport(uint256 kind, uint256 amount) external keepsRate keepsShares {
        Snapshot memory s = Snapshot(block.timestamp, _beacon.cl, 0, 0, _beacon.funded, _beacon.received);
        s.withdrawals = address(_c.withdrawalVault).balance;
        s.rewards = address(_c.rewardsVault).balance;
        amount = bound(amount, 1, 1e30);
        if (kind % 4 == 0) s.withdrawals += amount;
        if (kind % 4 == 1) s.rewards += amount;
        if (kind % 4 == 2) s.cl = 2 ** 96 + amount;
        bytes32 before = _state();
        if (kind % 4 == 3) vm.prank(_actor(amount));
        try _c.pool.applyReport(_data(s, FRAME, false)) {
            assertTrue(false, "I13: a bad report was applied");
        } catch {
            assertEq(_state(), before, "I13: a refused report changed something");
        }
        _took("badReport");
    }

    // --- anyone ---

    function continueFinalisation(uint256 who) external keepsRate {
        _continue(who);
    }

    /// @notice A slashing after the last reference: nothing more may be paid until a report knows of it.
    function slashThenContinue(uint256 who) external keepsRate keepsShares {
        uint256 id = _operator(who);
        if (_books[id].active == 0 || block.timestamp == _last.refTime) return;
        _slash(id, block.timestamp);
        uint256 paid = _cash.paid;
        _continue(who);
        assertEq(_cash.paid, paid, "I6: paid though a slashing is not reported yet");
        _took("slashThenContinue");
    }

    /// @notice I12: ether in pieces, with the finalisation continued after each by somebody else, pays as it does at once.
    function inPieces(uint256 amount, uint256 pieces, uint256 who) external keepsRate {
        amount = bound(amount, 10, 2_000 ether);
        pieces = bound(pieces, 2, 4);
        if (lastFinalised == lastTicket || !_finalisable || !_canDeposit(amount)) return;
        (uint256 ether1, uint256 shares1, bytes32 payments1) = _paidIn(1, amount, who);
        (uint256 ether2, uint256 shares2, bytes32 payments2) = _paidIn(pieces, amount, who / 2);
        assertEq(payments1, payments2, "I12: payments depend on who continued, or on the pieces");
        assertGe(ether2, ether1, "I12: T by pieces");
        assertLe(ether2, ether1 + pieces, "I12: T by pieces");
        // a wei that is not paid leaves its shares; beyond that, a share a call, larger by what a deposit multiplies
        uint256 apart =
            (ether2 - ether1) * (shares1 / ether1 + 1) + 3 * pieces * (2 + amount / (ether1 - amount / 2 + 1));
        assertApprox(shares2, shares1, apart * 4, "I12: S by pieces");
        _took("inPieces");
    }

    function setPolicy(uint256 feeBp, uint256 maxAprBp, uint256 rarely) external keepsRate keepsShares {
        if (rarely % 8 != 0) return;
        _c.pool.setPolicy(
            PoolBooks.Policy(_c.treasury, uint16(bound(feeBp, 0, 2000)), uint16(bound(maxAprBp, 1, 3000)), 1e6 * 1e9)
        );
        _divide();
        _fees.feeBp = bound(feeBp, 0, 2000);
    }

    function pause(uint256 rarely) external keepsRate keepsShares {
        _c.pool.pauseDeposits(rarely % 16 == 0);
    }

    // --- internal ---

    function _continue(uint256 who) internal {
        uint256 available = poolCash();
        uint256 queueHad = address(_c.queue).balance;
        (, uint256 shares0) = _c.token.totals();
        vm.prank(_actor(who));
        try _c.pool.continueFinalisation() returns (uint256 paid) {
            assertTrue(_finalisable && _beacon.slashingTime <= _last.refTime, "I6: continued though it must not be");
            assertEq(address(_c.queue).balance - queueHad, paid, "I5: what was paid went to the queue");
            uint256 sharesPaid = _noteFinalised(_finalRate, _last.refTime - MARGIN, available, paid);
            (, uint256 shares1) = _c.token.totals();
            _shares.cover += sharesPaid - (shares0 - shares1);
            _took("continueFinalisation");
        } catch (bytes memory reason) {
            bytes4 name = bytes4(reason);
            bool expected =
                name == IStakingPool.FinalisationNotAllowed.selector || name == IStakingPool.NothingToFinalise.selector;
            require(expected, UnexpectedRefusal(reason));
        }
    }

    function _report(Snapshot memory s, bool incident) private {
        if (s.refTime < _previousReportTime || _isForgotten(s)) return; // too old: merged into a later frame
        PoolBooks.Policy memory policy = _c.pool.policy();
        Expected memory e;
        e.elapsed = s.refTime - _last.refTime > 2 * FRAME ? 2 * FRAME : s.refTime - _last.refTime;
        (e.ether0, e.shares0) = _c.token.totals();
        (e.feeBp, e.growth) = (policy.feeBp, policy.maxAprBp * e.elapsed);
        e.operatorsHad = _c.token.sharesOf(address(_c.operators));
        uint256[] memory worthBefore = _worths();
        uint256 queueHad = address(_c.queue).balance;
        _expectGain(s, e);
        _cash.swept += s.received - _last.received; // in the vaults at the reference, and not taken before

        _c.pool.applyReport(_data(s, e.elapsed, incident));

        e.paid = address(_c.queue).balance - queueHad;
        (e.ether1, e.shares1) = _c.token.totals();
        assertEq(e.ether1, e.etherGained - e.paid, "I10: T = before + gain - paid");
        _checkFee(e);
        _checkSettlement(s, e, incident);
        _checkWorths(e, worthBefore);
        _last = s;
        (_previousReportTime, _lastReportTime) = (_lastReportTime, block.timestamp);
        slack = 2;
        _took(
            e.gain < 0
                ? bytes32("reportFall")
                : _heldBack != 0
                    ? bytes32("reportHeldBack")
                    : bytes32("report")
        );
    }

    /// @dev Fundings before and after a reference that another one followed: the pool keeps one boundary. It says so.
    function _isForgotten(Snapshot memory s) private returns (bool) {
        IStakingPool.Books memory b = _c.pool.books();
        if (s.refTime >= b.fundingBoundary || b.fundedBefore == b.fundedAtLastRef) return false;
        try _c.pool.applyReport(_data(s, FRAME, false)) {
            assertTrue(false, "a forgotten reference was reported");
        } catch (bytes memory reason) {
            assertEq(
                bytes32(bytes4(reason)),
                bytes32(IStakingPool.ReferenceTooOld.selector),
                "refused for another reason"
            );
        }
        _took("forgotten");
        return true;
    }

    /// @dev I10: what is recognised and held back is what there is, less what was there.
    function _expectGain(Snapshot memory s, Expected memory e) private {
        uint256 inflow = s.cl + (s.received - _last.received) + _heldBack;
        int256 gross = int256(inflow) - int256(_last.cl + (s.funded - _last.funded) * 32 ether);
        uint256 most = (e.ether0 * e.growth) / (BP * YEAR);
        e.gain = gross > int256(most) ? int256(most) : gross;
        _heldBack = gross > int256(most) ? uint256(gross) - most : 0;
        e.etherGained = uint256(int256(e.ether0) + e.gain);
        if (e.gain < 0) _cash.fallen += uint256(-e.gain);
        else _cash.recognised += uint256(e.gain);
    }

    /// @dev I9, in shares: fee shares at the new rate are worth feeBp of what rose above the highest rate, no more, and
    /// no less than rounding allows.
    function _checkFee(Expected memory e) private {
        e.feeShares = _c.token.sharesOf(address(_c.operators)) - e.operatorsHad;
        e.sharesGained = e.shares0 + e.feeShares;
        uint256 top = Math.mulDiv(_topEther, e.shares0, _topShares);
        uint256 base = e.gain <= 0 || e.etherGained <= top ? 0 : e.etherGained - top;
        if (e.gain > 0 && base > uint256(e.gain)) base = uint256(e.gain);
        uint256 most = (base * e.feeBp) / BP;
        assertLe(e.feeShares * e.etherGained, most * e.sharesGained, "I9: the fee is too high");
        if (most > 3) {
            assertGe((e.feeShares + 1) * e.etherGained, (most - 3) * e.sharesGained, "I9: the fee is too low");
        }
        _fees.undivided += e.feeShares;
        _fees.minted += e.feeShares;
        if (e.feeShares != 0) _took("fee");
    }

    /// @dev Payments, cover and burn; and how far the rate may rise.
    function _checkSettlement(Snapshot memory s, Expected memory e, bool incident) private {
        bool fellOneBp = e.etherGained * e.shares0 * BP < e.ether0 * e.sharesGained * (BP - 1);
        _finalisable = !incident && _beacon.slashingTime <= s.refTime && !fellOneBp;
        _finalRate = (e.etherGained * RAY * SHARES_PER_UNIT) / e.sharesGained;
        _round.open = false;
        _shares.cover += _shares.remainders;
        _shares.remainders = 0;
        if (_finalisable) {
            _shares.cover += _noteFinalised(_finalRate, s.refTime - MARGIN, poolCash(), e.paid);
            if (e.paid != 0) _took("paidByReport");
        } else {
            assertEq(e.paid, 0, "I6: paid in a bad moment");
            assertEq(_c.queue.lastFinalizedId(), lastFinalised, "I6: finalised in a bad moment");
        }
        uint256 burned = e.sharesGained - e.shares1;
        uint256 y = BP * YEAR;
        assertLe(e.ether1 * e.shares0 * y, e.ether0 * e.shares1 * (y + e.growth), "I15: the rate rose too far");
        if (burned < _shares.cover) {
            bool room = e.ether1 * e.shares0 * y <= e.ether0 * (e.shares1 - 1) * (y + e.growth);
            assertFalse(room && burned < _shares.cover, "cover was left though it could be burned");
            _took("coverLeft");
        }
        _shares.cover -= burned;
        if (e.ether1 * _topShares > _topEther * e.shares1) (_topEther, _topShares) = (e.ether1, e.shares1);
        bool fellFiveBp = e.etherGained * e.shares0 * BP < e.ether0 * e.sharesGained * (BP - 5);
        assertEq(_c.pool.books().depositCeiling == 0, fellFiveBp, "deposits pause after a fall");
    }

    /// @dev I15: nobody gains more than the limit on what he had, and nobody loses more than the rate.
    function _checkWorths(Expected memory e, uint256[] memory before) private {
        for (uint256 i; i < before.length; ++i) {
            address actor = actors[i];
            uint256 had = before[i];
            uint256 now_ = worth(actor);
            uint256 limit = Math.mulDiv(had, BP * YEAR + e.growth, BP * YEAR) + slack + 4 + 2 * lastTicket;
            assertLe(now_, limit, "I15: a holder gained more than the limit");
            if (e.gain < 0) {
                uint256 share = Math.mulDiv(had, e.etherGained * e.shares0, e.ether0 * e.sharesGained);
                assertGe(now_ + slack + 4 + 2 * lastTicket, share, "I15: a holder bore more than his share");
            }
            credit[actor] = int256(now_);
        }
    }

    function _paidIn(
        uint256 pieces,
        uint256 amount,
        uint256 who
    ) private returns (uint256 totalEther, uint256 totalShares, bytes32 payments) {
        uint256 id = vm.snapshotState();
        for (uint256 i; i < pieces; ++i) {
            uint256 piece = i + 1 == pieces ? amount - (amount / pieces) * i : amount / pieces;
            vm.deal(address(0xfeed), piece);
            vm.prank(address(0xfeed));
            _c.pool.deposit{value: piece}(address(0xfeed), address(0));
            vm.prank(_actor(who / (i + 1)));
            try _c.pool.continueFinalisation() {} catch {}
        }
        uint256[] memory ids = new uint256[](lastTicket);
        for (uint256 i; i < ids.length; ++i) ids[i] = i + 1;
        payments = keccak256(abi.encode(_c.queue.getClaimableEther(ids), _c.queue.lastFinalizedId()));
        (totalEther, totalShares) = _c.token.totals();
        vm.revertToState(id);
    }

    function _data(
        Snapshot memory s,
        uint256 elapsed,
        bool incident
    ) internal pure returns (IStakingPool.ReportData memory) {
        return
            IStakingPool.ReportData({
                refTime: s.refTime,
                elapsed: elapsed,
                clBalance: s.cl,
                withdrawalVaultBalance: s.withdrawals,
                rewardsVaultBalance: s.rewards,
                cutoff: s.refTime - MARGIN,
                nextCutoff: s.refTime + FRAME - MARGIN,
                openUntil: s.refTime + FRAME + GRACE,
                incident: incident
            });
    }

    function _nextReference(uint256 frames) private view returns (uint256 refTime) {
        refTime = START + ((block.timestamp - START) / FRAME + frames) * FRAME;
    }

    function _worths() private view returns (uint256[] memory worths) {
        worths = new uint256[](ACTORS);
        for (uint256 i; i < ACTORS; ++i) worths[i] = worth(actors[i]);
    }

    function _state() private view returns (bytes32) {
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        return
            keccak256(
                abi.encode(
                    _c.pool.books(),
                    totalEther,
                    totalShares,
                    _c.token.sharesOf(address(_c.queue)),
                    address(_c.pool).balance,
                    address(_c.queue).balance,
                    address(_c.withdrawalVault).balance,
                    address(_c.rewardsVault).balance,
                    _c.queue.lastFinalizedId()
                )
            );
    }

    function _dropFirst() private {
        for (uint256 i; i + 1 < _pending.length; ++i) _pending[i] = _pending[i + 1];
        _pending.pop();
    }
}
