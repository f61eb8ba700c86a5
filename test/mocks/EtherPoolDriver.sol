// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IEtherPool} from "../../contracts/liquidity/IEtherPool.sol";
import {IRouter} from "../../contracts/liquidity/IRouter.sol";

/// @notice One who trades with an EtherPool and its Router, many calls in a transaction: for the differential test.
contract EtherPoolDriver {
    enum Kind {
        Sell,
        SellFor,
        Buy,
        Enter,
        Exit,
        Stake,
        Leave,
        LeaveWrapped,
        Provide,
        ExitToEther
    }

    /// @dev `amount`, `limit` and `limit2` as the call has them; `value` is sent along.
    struct Call {
        Kind kind;
        uint256 value;
        uint256 amount;
        uint256 limit;
        uint256 limit2;
    }

    /// @dev What a call returned or was refused with, and the pool after it.
    struct Result {
        bool done;
        bytes data;
        uint256 ether_;
        uint256 units;
        uint256 supply;
        uint256 own;
    }

    /// @notice The results of `run`.
    event Ran(Result[] results);

    IEtherPool private immutable _pool;
    IRouter private immutable _router;

    constructor(IEtherPool pool, IRouter router) {
        (_pool, _router) = (pool, router);
        pool.token().approve(address(pool), type(uint256).max);
        pool.token().approve(address(router), type(uint256).max);
        router.wrappedToken().approve(address(router), type(uint256).max);
        pool.approve(address(router), type(uint256).max);
    }

    /// @notice Takes ether of trades, and of tests.
    receive() external payable {}

    /// @notice Wraps `amount` of the driver's estETH.
    function wrap(uint256 amount) external {
        _pool.token().approve(address(_router.wrappedToken()), amount);
        _router.wrappedToken().wrap(amount);
    }

    /// @notice Runs all calls, one after the other.
    function run(Call[] calldata calls) external {
        Result[] memory results = new Result[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            Call calldata c = calls[i];
            address target = c.kind < Kind.Stake ? address(_pool) : address(_router);
            (bool done, bytes memory data) = target.call{value: c.value}(_encoded(c));
            (uint256 ether_, uint256 units) = _pool.reserves();
            results[i] = Result(done, data, ether_, units, _pool.totalSupply(), IERC20(_pool).balanceOf(address(this)));
        }
        emit Ran(results);
    }

    function _encoded(Call calldata c) private view returns (bytes memory) {
        address self = address(this);
        uint256 last = block.timestamp;
        if (c.kind == Kind.Sell) return abi.encodeCall(IEtherPool.sell, (c.amount, c.limit, self));
        if (c.kind == Kind.SellFor) return abi.encodeCall(IEtherPool.sellFor, (c.amount, c.limit, self));
        if (c.kind == Kind.Buy) return abi.encodeCall(IEtherPool.buy, (c.limit, self));
        if (c.kind == Kind.Enter) return abi.encodeCall(IEtherPool.enter, (c.amount, c.limit, self));
        if (c.kind == Kind.Exit) return abi.encodeCall(IEtherPool.exit, (c.amount, c.limit, c.limit2, self));
        if (c.kind == Kind.Stake) return abi.encodeCall(IRouter.stake, (self, address(0), c.limit, false, last));
        if (c.kind == Kind.Provide) return abi.encodeCall(IRouter.provide, (c.limit, c.limit2, self, last));
        if (c.kind == Kind.Leave) {
            return abi.encodeCall(IRouter.leaveShares, (c.amount, c.limit2, c.limit, self, last));
        }
        if (c.kind == Kind.LeaveWrapped) {
            return abi.encodeCall(IRouter.leaveWrapped, (c.amount, c.limit2, c.limit, self, last));
        }
        return abi.encodeCall(IRouter.exitToEther, (c.amount, c.limit2, c.limit, self, last));
    }
}
