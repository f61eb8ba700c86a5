// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BP, SHARES_PER_UNIT, TOP_UP} from "../../../contracts/shared/Units.sol";
import {Deployment} from "../protocol/Deployment.sol";
import {EtherPool} from "../../../contracts/liquidity/EtherPool.sol";
import {IEtherPool} from "../../../contracts/liquidity/IEtherPool.sol";
import {IStakingPool} from "../../../contracts/pool/IStakingPool.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Router} from "../../../contracts/liquidity/Router.sol";
import {vm} from "../../helpers/Vm.sol";

/// @notice An EtherPool and a Router on the deployed protocol, those who use them, and what their books must be: kept here by what
/// moved, never read back from the pool.
abstract contract LiquidityWorld is Deployment {
    /// @dev The pool's books and the token's totals.
    struct Sight {
        uint256 reserve; // R, wei
        uint256 units; // L
        uint256 lp;
        uint256 totalEther; // T
        uint256 totalShares; // S
    }

    /// @dev What an actor has.
    struct Purse {
        uint256 ether_;
        uint256 shares;
        uint256 wrapped;
        uint256 lp;
    }

    uint256 internal constant MIN = 10;
    uint256 internal constant MAX = 300;
    uint256 internal constant TARGET = 3000;
    uint256 internal constant BETA = 5000;
    uint256 internal constant ENTRY = 2;
    uint256 internal constant ACTORS = 4;
    uint256 internal constant NEVER = type(uint64).max;
    uint256 internal constant RICH = 1e7 ether;
    bytes private constant STOP = hex"00";

    EtherPool public etherPool;
    Router public router;
    address[] public actors;
    mapping(bytes32 action => uint256) public taken;
    Sight internal _books; // reserve, units and lp as they must be
    uint256 public forcedEther; // into the pool, wei
    uint256 public donatedShares; // into the pool
    uint256 public forcedToRouter; // wei
    uint256 public donatedToRouter; // shares

    constructor() {
        vm.etch(address(_c.deposits), STOP); // takes the ether of any key
        for (uint256 i; i < ACTORS; ++i) {
            actors.push(account(string.concat("trader ", vm.toString(i))));
            vm.deal(actors[i], RICH);
            vm.prank(actors[i]);
            _c.pool.deposit{value: 5_000 ether}(actors[i], actors[i]);
        }
        _fund();
        vm.warp(block.timestamp + FRAME);
        _report(1 ether, false);
        vm.deal(address(this), 1 ether);
        etherPool = new EtherPool{value: 0.1 ether}(_c.token, IEtherPool.Parameters(MIN, MAX, TARGET, BETA, ENTRY));
        router = new Router(etherPool, _c.wrapped);
        _books = Sight(0.1 ether, 0, 0.1 ether, 0, 0);
        for (uint256 i; i < ACTORS; ++i) _approve(actors[i]);
        _open();
    }

    // --- the protocol ---

    /// @notice Now, of all that is funded: a change of what validators have, and nothing that was not asked for.
    function _report(int256 change, bool incident) internal {
        IStakingPool.Books memory b = _c.pool.books();
        int256 had = int256(b.clLast + b.funded - b.fundedAtLastRef);
        uint256 cl = uint256(had + (change < -had ? -had : change));
        uint256 elapsed = block.timestamp - b.lastRefTime;
        uint256 promised = Math.min(_c.pool.promised(), cl / 2);
        // what requests need comes in time
        vm.deal(address(_c.withdrawalVault), promised);
        _c.pool.applyReport(
            IStakingPool.ReportData({
                refTime: block.timestamp,
                elapsed: elapsed > 2 * FRAME ? 2 * FRAME : elapsed,
                clBalance: cl - promised,
                leaving: 0,
                withdrawalVaultBalance: promised,
                rewardsVaultBalance: 0,
                cutoff: block.timestamp,
                nextCutoff: block.timestamp + FRAME,
                openUntil: block.timestamp + FRAME + GRACE,
                incident: incident
            })
        );
    }

    /// @notice Funds validators with all that is in the buffer.
    function _fund() internal {
        uint256 count = Math.min(_c.pool.depositable() / TOP_UP, 200);
        bytes[] memory keys = new bytes[](count);
        for (uint256 i; i < count; ++i) keys[i] = new bytes(48);
        vm.prank(address(_c.validators));
        _c.pool.fundValidators(keys);
    }

    function _calm() internal view returns (bool isCalm) {
        (isCalm, ) = _c.pool.calm();
    }

    // --- books ---

    /// @dev What the pool says.
    function _see() internal view returns (Sight memory s) {
        (s.reserve, s.units) = etherPool.reserves();
        s.lp = etherPool.totalSupply();
        (s.totalEther, s.totalShares) = _c.token.totals();
    }

    function _purse(address who) internal view returns (Purse memory) {
        return Purse(who.balance, _c.token.sharesOf(who), _c.wrapped.balanceOf(who), etherPool.balanceOf(who));
    }

    /// @dev Wei of `shares`, rounded down.
    function _worth(Sight memory s, uint256 shares) internal pure returns (uint256) {
        return Math.mulDiv(shares, s.totalEther, s.totalShares);
    }

    /// @dev N: ether and what the units are worth, rounded down.
    function _value(Sight memory s) internal pure returns (uint256) {
        return s.reserve + _worth(s, s.units * SHARES_PER_UNIT);
    }

    /// @dev A: rebates that may still be had, rounded up.
    function _rebates(Sight memory s) internal pure returns (uint256) {
        uint256 t = (s.lp * TARGET) / BP;
        uint256 missing = t > s.reserve ? t - s.reserve : 0;
        return Math.ceilDiv(BETA * (MAX - MIN) * missing * missing, 2 * t * BP * BP);
    }

    /// @dev Of one account, with its lp at their part of the pool, at the rate of `s`.
    function _worthOf(Sight memory s, Purse memory purse) internal pure returns (uint256) {
        uint256 shares = purse.shares + (purse.wrapped + Math.mulDiv(s.units, purse.lp, s.lp)) * SHARES_PER_UNIT;
        return purse.ether_ + Math.mulDiv(s.reserve, purse.lp, s.lp) + _worth(s, shares);
    }

    // --- internal ---

    function _took(bytes32 action) internal {
        ++taken[action];
    }

    function _actor(uint256 seed) internal view returns (address) {
        return actors[seed % ACTORS];
    }

    function _approve(address who) private {
        address[2] memory spenders = [address(etherPool), address(router)];
        for (uint256 i; i < 2; ++i) {
            vm.prank(who);
            _c.token.approve(spenders[i], type(uint256).max);
            vm.prank(who);
            _c.wrapped.approve(spenders[i], type(uint256).max);
            vm.prank(who);
            etherPool.approve(spenders[i], type(uint256).max);
        }
    }

    /// @dev Brings the pool to its target and an LP into it; the others have westETH too.
    function _open() private {
        address who = actors[0];
        vm.prank(who);
        uint256 units = etherPool.sellFor(0.07 ether, type(uint256).max, who);
        (_books.reserve, _books.units) = (0.03 ether, units);
        vm.prank(who);
        (uint256 ether_, uint256 more) = etherPool.enter{value: 1_000 ether}(1_000 ether, type(uint256).max, who);
        (_books.reserve, _books.units, _books.lp) = (0.03 ether + ether_, units + more, 1_000.1 ether);
        for (uint256 i = 1; i < ACTORS; ++i) {
            vm.prank(actors[i]);
            _c.wrapped.stake{value: 1_000 ether}(actors[i], actors[i]);
        }
    }
}
