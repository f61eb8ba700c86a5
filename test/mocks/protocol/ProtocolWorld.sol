// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {RAY, SHARES_PER_UNIT, TOP_UP} from "../../../contracts/shared/Units.sol";
import {IOperatorRegistry} from "../../../contracts/validators/IOperatorRegistry.sol";
import {IPointsToPool} from "../../../contracts/shared/IEtherVault.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {OperatorRegistry} from "../../../contracts/validators/OperatorRegistry.sol";
import {RewardsVault} from "../../../contracts/pool/RewardsVault.sol";
import {StakedEther} from "../../../contracts/token/StakedEther.sol";
import {PoolBooks} from "../../../contracts/pool/PoolBooks.sol";
import {StakingPool} from "../../../contracts/pool/StakingPool.sol";
import {Test} from "../../helpers/Test.sol";
import {DepositContractStub} from "../DepositContractStub.sol";
import {ValidatorRegistryMock} from "../ValidatorRegistryMock.sol";
import {WithdrawalQueue} from "../../../contracts/withdrawals/WithdrawalQueue.sol";
import {WithdrawalVault} from "../../../contracts/withdrawals/WithdrawalVault.sol";
import {WrappedStakedEther} from "../../../contracts/token/WrappedStakedEther.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice The deployed protocol and the books that its tests keep apart from it: cash, requests, cover, what the beacon
/// chain holds. Nothing here is read back from the contracts' own books.
abstract contract ProtocolWorld is Test {
    struct Contracts {
        AccessManager authority;
        StakedEther token;
        WrappedStakedEther wrapped;
        StakingPool pool;
        WithdrawalQueue queue;
        WithdrawalVault withdrawalVault;
        RewardsVault rewardsVault;
        OperatorRegistry operators;
        ValidatorRegistryMock validators;
        DepositContractStub deposits;
        address treasury;
    }

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
        uint256 slashingTime; // latest proven
    }

    /// @dev Shares of the queue's account by purpose.
    struct Shares {
        uint256 waiting;
        uint256 remainders; // below a unit, since the last report
        uint256 cover;
        uint256 donatedToQueue;
        uint256 donatedToOperators;
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
    error UnexpectedRefusal(bytes reason);

    uint256 public constant START = 1_800_000_000;
    uint256 internal constant FRAME = 1 days;
    uint256 internal constant MARGIN = 1 hours;
    uint256 internal constant GRACE = 6 hours;
    uint256 internal constant LOCKED = 1 ether;
    uint256 internal constant ACTORS = 5;
    uint256 internal constant OPERATORS = 3;

    Contracts internal _c;
    Cash internal _cash;
    Beacon internal _beacon;
    Shares internal _shares;
    Round internal _round;
    address[] public actors; // stakers; the last one is a contract
    mapping(uint256 id => Ticket) internal _tickets;
    uint256 public lastTicket;
    uint256 public lastFinalised;
    mapping(address actor => int256) public credit; // wei an actor may own at most, rounding apart
    uint256 public slack; // wei of rounding since the last report
    mapping(bytes32 action => uint256) public taken;

    constructor() {
        vm.warp(START);
        _deploy();
        _cash.deposited = LOCKED;
        for (uint256 i; i + 1 < ACTORS; ++i) _addActor(account(string.concat("actor ", vm.toString(i))));
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

    // --- views for the invariants ---

    function contracts() external view returns (Contracts memory) {
        return _c;
    }

    function cash() external view returns (Cash memory) {
        return _cash;
    }

    function beacon() external view returns (Beacon memory) {
        return _beacon;
    }

    function shares() external view returns (Shares memory) {
        return _shares;
    }

    function ticket(uint256 id) external view returns (Ticket memory) {
        return _tickets[id];
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

    // --- for the roles ---

    function _addActor(address actor) internal {
        actors.push(actor);
        vm.prank(actor);
        _c.token.approve(address(_c.wrapped), type(uint256).max);
    }

    function _actor(uint256 seed) internal view returns (address) {
        return actors[seed % ACTORS];
    }

    function _took(bytes32 action) internal {
        ++taken[action];
    }

    function _canDeposit(uint256 amount) internal view returns (bool) {
        IStakingPool.Books memory b = _c.pool.books();
        return
            !_c.pool.depositsPaused() &&
            block.timestamp <= b.openUntil &&
            _c.token.totalSupply() + amount <= b.depositCeiling;
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
        if (last < lastTicket && _tickets[last + 1].endsAt <= cutoff && count < 64) {
            assertGt(paid + worthOf(last + 1, rate) + 1, available, "a request was left though there was ether for it");
        }
        lastFinalised = last;
        _shares.waiting -= sharesPaid;
        _cash.paid += paid;
    }

    // --- internal ---

    function _deploy() private {
        _c.authority = new AccessManager(address(this));
        address authority = address(_c.authority);
        _c.treasury = account("treasury");
        _c.queue = new WithdrawalQueue(authority, FRAME);
        _c.token = new StakedEther(authority, address(_c.queue));
        _c.queue.bind(address(_c.token));
        _c.wrapped = new WrappedStakedEther(_c.token);
        _c.withdrawalVault = new WithdrawalVault(IPointsToPool(address(_c.token)));
        _c.rewardsVault = new RewardsVault(IPointsToPool(address(_c.token)));
        bytes memory initialize = abi.encodeCall(OperatorRegistry.initialize, (authority));
        _c.validators = new ValidatorRegistryMock();
        address code = address(new OperatorRegistry(_c.token, _c.wrapped, address(_c.validators)));
        _c.operators = OperatorRegistry(address(new ERC1967Proxy(code, initialize)));
        _c.deposits = new DepositContractStub(address(_c.withdrawalVault));
        _deployPool(authority);
        _c.validators.bind(_c.operators, _c.pool);
        _addOperators();
    }

    function _deployPool(address authority) private {
        _c.pool = new StakingPool(
            authority,
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
            PoolBooks.Policy({treasury: _c.treasury, feeBp: 1000, maxAprBp: 1000, depositCapGwei: 1e6 * 1e9})
        );
        _c.token.replacePool(address(_c.pool));
        vm.deal(address(this), LOCKED);
        _c.pool.bootstrap{value: LOCKED}(START, START + FRAME + GRACE, START + FRAME - MARGIN);
    }

    /// @dev Of different weight and bond; together they may be entitled to more than the whole fee.
    function _addOperators() private {
        uint16[3] memory fees = [uint16(500), 700, 1500];
        uint96[3] memory firsts = [uint96(1 ether), 2.4 ether, 4 ether];
        for (uint256 i; i < OPERATORS; ++i) {
            uint256 tier = _c.operators.addTier(
                IOperatorRegistry.Tier(firsts[i], uint96(1 ether + i * 0.3 ether), fees[i], 5_000, 10_000, true)
            );
            address owner = account(string.concat("operator ", vm.toString(i + 1)));
            vm.prank(owner);
            _c.operators.join(tier, owner, "");
        }
    }
}
