// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Deployment} from "./Deployment.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {RAY, SHARES_PER_UNIT, TOP_UP} from "../../../contracts/shared/Units.sol";
import {Refusals} from "./Refusals.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice The books that the tests keep apart from the protocol's: cash, requests, cover, what the beacon chain holds, what
/// the last report left open. Nothing here is read back from the contracts' own books.
abstract contract ProtocolWorld is Deployment {
    using Refusals for Refusals.Causes;

    /// @dev Wei, ever.
    struct Cash {
        uint256 deposited;
        uint256 bonds; // of operators, credited when a validator is funded
        uint256 recognised; // gains of reports
        uint256 fallen; // losses of reports
        uint256 swept;
        uint256 paid; // pool to queue
        uint256 claimed;
        uint256 forcedToPool;
        uint256 forcedToQueue;
    }

    struct Beacon {
        uint256 cl; // wei at validators
        uint256 funded; // validators, ever
        uint256 received; // wei by both vaults, ever
        uint256 predeposited; // keys, ever
    }

    /// @dev Shares of the queue's account by purpose.
    struct Shares {
        uint256 waiting;
        uint256 remainders; // below a unit, since the last report
        uint256 cover;
        uint256 donatedToQueue;
        uint256 donatedToOperators;
    }

    /// @dev What is open, and until when.
    struct Gate {
        uint256 openUntil; // unix seconds
        uint256 ceiling; // wei
        bool paused; // deposits
        bool requestsPaused;
        bool finalisable; // by the last report
        uint256 slashedEarlier; // that the last report may not have contained
        uint256 executedAt; // the last report, unix seconds
    }

    /// @dev What there was at a reference.
    struct Snapshot {
        uint256 refTime;
        uint256 cl;
        uint256 leaving; // wei of cl on their way out, says the committee
        uint256 withdrawals; // vault balance
        uint256 rewards; // vault balance
        uint256 funded; // validators
        uint256 received; // by both vaults, ever
    }

    enum State {
        Waiting,
        Finalised,
        Claimed
    }

    struct Ticket {
        address owner;
        State state;
        uint256 units;
        uint256 openingRate;
        uint256 endsAt;
        uint256 finalRate;
    }

    struct Round {
        bool open;
        uint256 rate;
        uint256 endsAt;
    }

    error RateMoved(uint256 ether0, uint256 shares0, uint256 ether1, uint256 shares1);

    uint256 internal constant ACTORS = 5;
    address internal constant BOND_RECEIVER = address(0xb0bd);
    address internal constant STAKER = address(0xfeed); // stakes for others and for whoever is tried out

    Cash internal _cash;
    Beacon internal _beacon;
    Shares internal _shares;
    Gate internal _gate = Gate(START + FRAME + GRACE, LOCKED + CAP, false, false, false, 0, 0);
    Round internal _round;
    Snapshot internal _last; // of the last report
    uint256[] internal _slashings; // slot times of those proven since the last report
    address[] public actors; // stakers; the last one is a contract
    address[] internal _people; // actors, and everybody else to whom and from whom shares move freely
    address[] internal _holders; // every account that ever had a share
    mapping(uint256 id => Ticket) internal _tickets;
    uint256 public lastTicket;
    uint256 public lastFinalised;
    mapping(address actor => int256) public credit; // wei an actor may own at most, rounding apart
    mapping(bytes32 action => uint256) public taken;

    constructor() {
        _cash.deposited = LOCKED;
        _last.refTime = START;
        for (uint256 i; i + 1 < ACTORS; ++i) _addActor(account(string.concat("actor ", vm.toString(i))));
        for (uint256 id = 1; id <= OPERATORS; ++id) {
            _addPerson(_owner(id));
            if (_manager(id) != address(0)) _addPerson(_manager(id));
        }
        _addPerson(_c.treasury);
        _addPerson(BOND_RECEIVER);
        _addPerson(account("stranger"));
        address[9] memory others = [
            _c.token.LOCKED(),
            address(_c.pool),
            address(_c.queue),
            address(_c.wrapped),
            address(_c.operators),
            address(_c.validators),
            address(_c.withdrawalVault),
            address(_c.rewardsVault),
            STAKER
        ];
        for (uint256 i; i < 9; ++i) _holders.push(others[i]);
    }

    /// @dev A user's operation lowers the rate never, and raises it by rounding only.
    modifier keepsRate() {
        (uint256 ether0, uint256 shares0) = _c.token.totals();
        _;
        (uint256 ether1, uint256 shares1) = _c.token.totals();
        bool fell = ether1 * shares0 < ether0 * shares1;
        bool rose = (ether1 * shares0) / shares1 > ether0 + 2;
        require(!fell && !rose, RateMoved(ether0, shares0, ether1, shares1));
        slack += 4;
    }

    /// @dev No operation but mint and burn changes the number of shares.
    modifier keepsShares() {
        uint256 before = _c.token.getTotalShares();
        _;
        assertEq(_c.token.getTotalShares(), before, "I2: shares came or went");
    }

    uint256 public slack; // wei of rounding since the last report

    // --- views for the invariants ---

    function cash() external view returns (Cash memory) {
        return _cash;
    }

    function beacon() external view returns (Beacon memory) {
        return _beacon;
    }

    function shares() external view returns (Shares memory) {
        return _shares;
    }

    function gate() external view returns (Gate memory) {
        return _gate;
    }

    function lastSnapshot() external view returns (Snapshot memory) {
        return _last;
    }

    function ticket(uint256 id) external view returns (Ticket memory) {
        return _tickets[id];
    }

    function holders() external view returns (address[] memory) {
        return _holders;
    }

    /// @notice Ether of the pool by what flowed in and out.
    function poolCash() public view returns (uint256) {
        return _cash.deposited + _cash.swept - _cash.paid - _beacon.funded * TOP_UP;
    }

    /// @notice Wei a finalised ticket is paid, or a waiting one would be at `rate`.
    function worthOf(uint256 id, uint256 rate) public view returns (uint256) {
        Ticket storage t = _tickets[id];
        if (t.state == State.Claimed) return 0;
        if (t.state == State.Finalised) rate = t.finalRate;
        return (t.units * (t.openingRate < rate ? t.openingRate : rate)) / RAY;
    }

    /// @notice Wei of everything an actor has.
    function worth(address actor) public view returns (uint256 value) {
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        uint256 held = _c.token.sharesOf(actor) + _c.wrapped.balanceOf(actor) * SHARES_PER_UNIT;
        value = (held * totalEther) / totalShares;
        uint256 rate = _c.token.rate();
        for (uint256 id = 1; id <= lastTicket; ++id) if (_tickets[id].owner == actor) value += worthOf(id, rate);
    }

    /// @notice Wei that waiting requests would get now, rounded up.
    function promised() public view returns (uint256) {
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        return (_shares.waiting * totalEther + totalShares - 1) / totalShares;
    }

    /// @notice Slashings proven since the last report, in states after its reference.
    function slashedSince() public view returns (uint256 count) {
        for (uint256 i; i < _slashings.length; ++i) if (_slashings[i] > _last.refTime) ++count;
    }

    /// @notice Whether requests may be paid by the last report's numbers.
    function mayFinalise() public view returns (bool) {
        bool tolerated = _tolerates(_gate.slashedEarlier + slashedSince(), _c.token.totalSupply());
        return _gate.finalisable && block.timestamp <= _gate.openUntil && tolerated;
    }

    // --- for the roles ---

    function _addActor(address actor) internal {
        actors.push(actor);
        _addPerson(actor);
        vm.prank(actor);
        _c.token.approve(address(_c.wrapped), type(uint256).max);
    }

    function _addPerson(address person) internal {
        _people.push(person);
        _holders.push(person);
    }

    function _actor(uint256 seed) internal view returns (address) {
        return actors[seed % ACTORS];
    }

    /// @dev Mostly an actor.
    function _person(uint256 seed) internal view returns (address) {
        return seed % 3 == 0 ? _people[(seed / 3) % _people.length] : _actor(seed / 3);
    }

    function _took(bytes32 action) internal {
        ++taken[action];
    }

    /// @dev Slashings that no report contains: one for each 1,000 ETH, at most 400.
    function _tolerates(uint256 slashings, uint256 totalEther) internal pure returns (bool) {
        return slashings <= 400 && slashings <= totalEther / 1_000 ether;
    }

    function _canDeposit(uint256 amount) internal view returns (bool) {
        return _depositCauses(amount).count == 0;
    }

    /// @dev Why a deposit must be refused.
    function _depositCauses(uint256 amount) internal view returns (Refusals.Causes memory causes) {
        causes.add(_gate.paused, IStakingPool.DepositsArePaused.selector);
        causes.add(block.timestamp > _gate.openUntil, IStakingPool.ReportOverdue.selector);
        bool above = _c.token.totalSupply() + amount > _gate.ceiling;
        causes.add(above, IStakingPool.DepositCapReached.selector);
    }

    function _give(address vault, uint256 amount) internal {
        vm.deal(vault, vault.balance + amount);
        _beacon.received += amount;
    }

    /// @dev Opens a round as the rules say: at the first request after a report or a cut-off, at the rate of that moment.
    function _addTicket(uint256 id, address owner, uint256 shares_) internal {
        assertEq(id, lastTicket + 1, "ids are given in order");
        if (!_round.open || block.timestamp > _round.endsAt) {
            uint256 cutoff = START + FRAME - MARGIN;
            while (cutoff < block.timestamp) cutoff += FRAME;
            _round = Round(true, _c.token.rate(), cutoff);
        }
        uint256 units = shares_ / SHARES_PER_UNIT;
        _tickets[id] = Ticket(owner, State.Waiting, units, _round.rate, _round.endsAt, 0);
        lastTicket = id;
        _shares.waiting += units * SHARES_PER_UNIT;
        _shares.remainders += shares_ % SHARES_PER_UNIT;
    }

    /// @dev I6 and I5 of one finalisation: in order, only rounds that ended, at this rate, for this sum, as far as the
    /// ether reached.
    function _noteFinalised(
        uint256 rate,
        uint256 cutoff,
        uint256 available,
        uint256 paid
    ) internal returns (uint256 sharesPaid) {
        uint256 last = _c.queue.lastFinalizedId();
        assertGe(last, lastFinalised, "I6: a request is no longer finalised");
        uint256 least;
        uint256 count;
        for (uint256 id = lastFinalised + 1; id <= last; ++id) {
            Ticket storage t = _tickets[id];
            assertLe(t.endsAt, cutoff, "I6: a round was paid before it ended");
            (t.state, t.finalRate) = (State.Finalised, rate);
            least += worthOf(id, 0);
            sharesPaid += t.units * SHARES_PER_UNIT;
            ++count;
        }
        assertGe(paid, least, "I5: the queue was sent too little");
        assertLe(paid, least + count, "I5: the queue was sent too much");
        assertLe(paid, available, "I1: more was paid than was there");
        if (count < 64) _checkNoneLeft(last, rate, cutoff, available - paid);
        lastFinalised = last;
        _shares.waiting -= sharesPaid;
        _cash.paid += paid;
    }

    /// @dev I6: the first request after `last` waits because its round did not end, or for want of ether.
    function _checkNoneLeft(uint256 last, uint256 rate, uint256 cutoff, uint256 available) internal view {
        if (last == lastTicket || _tickets[last + 1].endsAt > cutoff) return;
        assertGt(worthOf(last + 1, rate) + 1, available, "a request was left though there was ether for it");
    }
}
