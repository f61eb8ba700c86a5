// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EtherPool} from "../../contracts/liquidity/EtherPool.sol";
import {InvariantTest} from "../helpers/InvariantTest.sol";
import {LiquidityHandler} from "../mocks/liquidity/LiquidityHandler.sol";
import {LiquidityWorld} from "../mocks/liquidity/LiquidityWorld.sol";
import {SHARES_PER_UNIT} from "../../contracts/shared/Units.sol";

/// @notice Invariants L and R of docs/invariants.md over EtherPool and Router on the real protocol. What happens within one
/// operation or one block (L2 to L8, R4) the handlers assert as they act; here is what holds between.
contract LiquidityInvariants is InvariantTest {
    LiquidityHandler public handler;
    LiquidityWorld.Contracts internal c;

    function setUp() public {
        handler = new LiquidityHandler();
        c = handler.contracts();
        targetContract(address(handler));
    }

    /// @notice The invariants, each a function of its own.
    function checks() public pure override returns (bytes4[] memory list) {
        bytes4[5] memory all = [
            this.check_L1_thePoolHoldsItsBooks.selector,
            this.check_L1_theBooksAreWhatMoved.selector,
            this.check_L3_somethingIsAlwaysThere.selector,
            this.check_L7_closedWhileNotCalm.selector,
            this.check_R1_theRouterHoldsNothing.selector
        ];
        list = new bytes4[](all.length);
        for (uint256 i; i < all.length; ++i) list[i] = all[i];
    }

    function check_L1_thePoolHoldsItsBooks() public view {
        EtherPool pool = handler.etherPool();
        (uint256 ether_, uint256 units) = pool.reserves();
        assertEq(address(pool).balance, ether_ + handler.forcedEther(), "ether = booked + forced");
        uint256 shares = c.token.sharesOf(address(pool));
        // what provide cannot return: less than what a wei stands for, each time
        uint256 spare = handler.taken("provide") + handler.taken("attack") * 8;
        assertGe(shares, units * SHARES_PER_UNIT + handler.donatedShares(), "shares >= booked + donated");
        assertLe(shares, units * SHARES_PER_UNIT + handler.donatedShares() + spare * 1e10, "shares = booked + donated");
    }

    function check_L1_theBooksAreWhatMoved() public view {
        (uint256 ether_, uint256 units) = handler.etherPool().reserves();
        LiquidityWorld.Sight memory books = handler.books();
        assertEq(ether_, books.reserve, "ether");
        assertEq(units, books.units, "units");
        assertEq(handler.etherPool().totalSupply(), books.lp, "lp");
    }

    function check_L3_somethingIsAlwaysThere() public view {
        EtherPool pool = handler.etherPool();
        assertGe(pool.totalSupply(), pool.MIN_SEED(), "locked lp");
        assertGt(pool.value(), 0, "worth something");
        assertGt(pool.targetEther(), 0, "a target");
    }

    function check_L7_closedWhileNotCalm() public view {
        EtherPool pool = handler.etherPool();
        (bool calm, ) = c.token.pool() == address(c.pool) ? c.pool.calm() : handler.contracts().pool.calm();
        if (calm) return;
        assertEq(pool.sellableWithin(10_000), 0, "sellable");
        assertEq(pool.buyable(), 0, "buyable");
    }

    function check_R1_theRouterHoldsNothing() public view {
        address router = address(handler.router());
        assertEq(router.balance, handler.forcedToRouter(), "ether");
        assertEq(c.token.sharesOf(router), handler.donatedToRouter(), "estETH");
        assertEq(c.wrapped.balanceOf(router), 0, "westETH");
        assertEq(handler.etherPool().balanceOf(router), 0, "lp");
        assertEq(c.queue.balanceOf(router), 0, "requests");
    }
}
