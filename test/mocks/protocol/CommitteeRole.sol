// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, RAY, SHARES_PER_UNIT, YEAR} from "../../../contracts/shared/Units.sol";
import {BeaconRole} from "./BeaconRole.sol";
import {Funding} from "./Funding.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {PoolBooks} from "../../../contracts/pool/PoolBooks.sol";
import {Refusals} from "./Refusals.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice The committee. Each report is checked against what its books say must come of it: I3, I6, I9, I10, I13 and I15.
abstract contract CommitteeRole is BeaconRole, Funding {
    using Refusals for Refusals.Causes;

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
    uint256 internal _heldBack;
    uint256 internal _topEther; // highest rate after a report, as a fraction
    uint256 internal _topShares;
    uint256 internal _finalRate; // of the last report

    constructor() {
        (_topEther, _topShares) = _c.token.totals();
    }

    function heldBack() external view returns (uint256) {
        return _heldBack;
    }

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
                _leaving(delay / 3),
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

    /// @notice A report waits for approvals: deposits, fundings and payments stop until one is applied.
    function announce(uint256 who, uint256 rarely) external keepsRate keepsShares {
        if (rarely % 4 != 0) return;
        _c.pool.hold();
        _gate.openUntil = block.timestamp - 1;
        assertFalse(mayFinalise(), "held");
        _fund(who, 1);
        _took("announce");
    }

    /// @notice I13: what is refused changes nothing, neither in books nor in totals nor in balances.
    function badReport(uint256 kind, uint256 amount) external keepsRate keepsShares {
        Snapshot memory s = Snapshot(block.timestamp, _beacon.cl, 0, 0, 0, _beacon.funded, _beacon.received);
        s.withdrawals = address(_c.withdrawalVault).balance;
        s.rewards = address(_c.rewardsVault).balance;
        amount = bound(amount, 1, 1e30);
        kind %= 6;
        if (kind == 0) s.withdrawals += amount;
        if (kind == 1) s.rewards += amount;
        if (kind == 2) s.cl = 2 ** 96 + amount;
        if (kind == 4) s.leaving = 2 ** 96 + amount;
        if (kind == 5) s.refTime = _gate.executedAt - (_gate.executedAt == 0 ? 0 : 1);
        if (kind == 5 && _gate.executedAt == 0) return;
        Refusals.Causes memory causes;
        causes.add(kind < 2, IStakingPool.VaultBalanceImpossible.selector);
        causes.add(kind == 2 || kind == 4, SafeCast.SafeCastOverflowedUintDowncast.selector);
        causes.add(kind == 3, IStakingPool.OnlyOracle.selector);
        causes.add(kind == 5, IStakingPool.ReferenceTooOld.selector);
        _refuse(s, causes, kind == 3 ? _actor(amount) : address(this));
        _took("badReport");
    }

    // --- internal ---

    function _report(Snapshot memory s, bool incident) private {
        if (s.refTime < _gate.executedAt) return _reportTooOld(s);
        PoolBooks.Policy memory policy = _c.pool.policy();
        Expected memory e;
        e.elapsed = s.refTime - _last.refTime > 2 * FRAME ? 2 * FRAME : s.refTime - _last.refTime;
        (e.ether0, e.shares0) = _c.token.totals();
        (e.feeBp, e.growth) = (policy.feeBp, policy.maxAprBp * e.elapsed);
        e.operatorsHad = _c.token.sharesOf(address(_c.operators));
        uint256[] memory worthBefore = _worths();
        uint256 queueHad = address(_c.queue).balance;
        _expectGain(s, e);
        _cash.swept += s.received - _last.received; // in the vaults at the reference: none was swept since
        assertEq(s.received - _last.received, s.withdrawals + s.rewards, "I10: what came since the last reference");

        _c.pool.applyReport(_data(s, e.elapsed, incident));

        e.paid = address(_c.queue).balance - queueHad;
        (e.ether1, e.shares1) = _c.token.totals();
        assertEq(e.ether1, e.etherGained - e.paid, "I10: T = before + gain - paid");
        _checkFee(e);
        _checkSettlement(s, e, incident);
        _checkWorths(e, worthBefore);
        if (block.timestamp >= s.refTime + FRAME) _took("reportLate");
        if (s.leaving != 0) _took("reportLeaving");
        if (_gate.openUntil != _last.refTime + FRAME + GRACE) _took("reportAfterHold");
        _last = s;
        (_gate.executedAt, _gate.openUntil) = (block.timestamp, s.refTime + FRAME + GRACE);
        slack = 2;
        _took(
            e.gain < 0
                ? bytes32("reportFall")
                : _heldBack != 0
                    ? bytes32("reportHeldBack")
                    : bytes32("report")
        );
    }

    /// @dev A reference before the last report was executed belongs to a later frame.
    function _reportTooOld(Snapshot memory s) private {
        Refusals.Causes memory causes;
        causes.add(true, IStakingPool.ReferenceTooOld.selector);
        _refuse(s, causes, address(this));
        _took("reportTooOld");
    }

    /// @dev I13: a report that must be refused changes nothing.
    function _refuse(Snapshot memory s, Refusals.Causes memory causes, address sender) private {
        bytes32 before = _state();
        vm.prank(sender);
        (bool done, bytes memory reason) = address(_c.pool).call(
            abi.encodeCall(IStakingPool.applyReport, (_data(s, FRAME, false)))
        );
        causes.judge(done, reason);
        assertEq(_state(), before, "I13: a refused report changed something");
    }

    /// @dev What the committee says of what is on its way: what it is, or anything up to the whole.
    function _leaving(uint256 way) private view returns (uint256 leaving) {
        if (way % 8 == 0) return bound(way / 8, 0, _beacon.cl);
        for (uint256 id; id < _keys.length; ++id) {
            Key storage k = _keys[id];
            bool there = _wasFunded(k.status) && k.withdrawableEpoch > _epochNow();
            if (there && k.exitEpoch != type(uint64).max && !k.chainSlashed) leaving += 32 ether;
        }
        return leaving < _beacon.cl ? leaving : _beacon.cl;
    }

    /// @dev The slashings that a report of this reference contains are counted no more; if one was proven in a later state, it
    /// may lack any of those since the last.
    function _noteSlashingsReported(uint256 refTime) private {
        bool all = true;
        for (uint256 i; i < _slashings.length; ++i) all = all && _slashings[i] <= refTime;
        _gate.slashedEarlier = all ? 0 : slashedSince();
        if (!all) _took("slashedEarlier");
        delete _slashings;
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
        _noteSlashingsReported(s.refTime);
        _gate.finalisable = !incident && !fellOneBp && _tolerates(_gate.slashedEarlier, e.etherGained);
        _finalRate = (e.etherGained * RAY * SHARES_PER_UNIT) / e.sharesGained;
        _round.open = false;
        _shares.cover += _shares.remainders;
        _shares.remainders = 0;
        if (_gate.finalisable) {
            _shares.cover += _noteFinalised(_finalRate, s.refTime - MARGIN, poolCash(), e.paid);
            if (e.paid != 0) _took("paidByReport");
        } else {
            assertEq(e.paid, 0, "I6: paid in a bad moment");
            assertEq(_c.queue.lastFinalizedId(), lastFinalised, "I6: finalised in a bad moment");
        }
        _checkBurn(e);
        bool fellFiveBp = e.etherGained * e.shares0 * BP < e.ether0 * e.sharesGained * (BP - 5);
        _gate.ceiling = fellFiveBp ? 0 : e.ether1 + CAP;
        if (fellFiveBp) _took("fallPausing");
    }

    /// @dev Cover is burned as far as the rate may rise (I15), and no further.
    function _checkBurn(Expected memory e) private {
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
                leaving: s.leaving,
                withdrawalVaultBalance: s.withdrawals,
                rewardsVaultBalance: s.rewards,
                cutoff: s.refTime - MARGIN,
                nextCutoff: s.refTime + FRAME - MARGIN,
                openUntil: s.refTime + FRAME + GRACE,
                incident: incident
            });
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
