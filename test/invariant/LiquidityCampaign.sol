// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Attackers} from "../mocks/liquidity/Attackers.sol";
import {InvariantTest} from "../helpers/InvariantTest.sol";
import {LiquidityHandler} from "../mocks/liquidity/LiquidityHandler.sol";
import {LiquidityInvariants} from "./Liquidity.sol";
import {LongCampaign} from "../helpers/LongCampaign.sol";
import {RouterUsers} from "../mocks/liquidity/RouterUsers.sol";
import {Traders} from "../mocks/liquidity/Traders.sol";

/// @notice The handlers of Liquidity.sol through sequences longer than the fuzzer's; and that they do everything they can.
contract LiquidityCampaign is LongCampaign {
    constructor() {
        _offer(Traders.sell.selector, 4);
        _offer(Traders.sellFor.selector, 2);
        _offer(Traders.buy.selector, 5);
        _offer(Traders.enter.selector, 2);
        _offer(Traders.exit.selector, 2);
        _offer(RouterUsers.stake.selector, 3);
        _offer(RouterUsers.leaveNow.selector, 4);
        _offer(RouterUsers.provide.selector, 2);
        _offer(RouterUsers.exitToEther.selector, 2);
        _offer(RouterUsers.tiny.selector, 1);
        _offer(Attackers.attack.selector, 2);
        _offer(Attackers.surround.selector, 1);
        _offer(Attackers.straddle.selector, 1);
        _offer(Attackers.watchAnEntrant.selector, 1);
        _offer(LiquidityHandler.report.selector, 6);
        _offer(LiquidityHandler.ruin.selector, 1);
        _offer(LiquidityHandler.wait.selector, 2);
        _offer(LiquidityHandler.slash.selector, 1);
        _offer(LiquidityHandler.hold.selector, 1);
        _offer(LiquidityHandler.pause.selector, 2);
        _offer(LiquidityHandler.fund.selector, 1);
        _offer(LiquidityHandler.grow.selector, 2);
        _offer(LiquidityHandler.replacePool.selector, 1);
        _offer(LiquidityHandler.strangePool.selector, 1);
        _offer(LiquidityHandler.donate.selector, 1);
        _listActions();
    }

    function _begin() internal override returns (InvariantTest, address) {
        LiquidityInvariants checks = new LiquidityInvariants();
        checks.setUp();
        return (checks, address(checks.handler()));
    }

    function _shape(bytes4 selector, uint256[4] memory args) internal pure override {
        if (selector == RouterUsers.stake.selector) args[2] %= 2;
        if (selector == RouterUsers.leaveNow.selector) args[3] %= 2;
    }

    function _listActions() private {
        bytes32[48] memory actions = [
            bytes32("sell"),
            "sellInPieces",
            "sellInVain",
            "sellFor",
            "sellForInVain",
            "sellAll",
            "buy",
            "buyInPieces",
            "buyInVain",
            "enter",
            "enterNotCalm",
            "exit",
            "exitNotCalm",
            "stakeBoth",
            "stakeOnly",
            "stakeBought",
            "stakeInVain",
            "leaveBoth",
            "leaveSold",
            "leaveQueued",
            "leaveInVain",
            "provide",
            "provideInVain",
            "provideNoDeposits",
            "exitSold",
            "exitQueued",
            "tinyRoom",
            "tinySale",
            "attack",
            "surround",
            "straddle",
            "watchAnEntrant",
            "report",
            "reportHalfBp",
            "reportOverBp",
            "reportFall",
            "reportIncident",
            "ruin",
            "wait",
            "waitNotCalm",
            "slash",
            "slashHalts",
            "hold",
            "pause",
            "fund",
            "grow",
            "replacePool",
            "strangePool"
        ];
        for (uint256 i; i < actions.length; ++i) _actions.push(actions[i]);
        _actions.push("donate");
    }
}
