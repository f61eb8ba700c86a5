// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IWithdrawalQueue} from "../../../contracts/withdrawals/IWithdrawalQueue.sol";
import {ProtocolWorld} from "./ProtocolWorld.sol";
import {Refusals} from "./Refusals.sol";
import {SHARES_PER_UNIT} from "../../../contracts/shared/Units.sol";

import {vm} from "../../helpers/Vm.sol";

/// @notice What stakers do: stake, move, wrap, leave, claim.
abstract contract Stakers is ProtocolWorld {
    using Refusals for Refusals.Causes;

    function deposit(uint256 who, uint256 amount, uint256 way) external keepsRate {
        _deposit(_actor(who), bound(amount, 1, way % 37 == 0 ? 900_000 ether : 700 ether), way);
    }

    /// @notice I4: each side of a transfer changes by its amount, a wei at a boundary; one to oneself changes nothing.
    function transfer(uint256 from, uint256 to, uint256 amount, bool full) external keepsRate keepsShares {
        (address sender, address receiver) = (_person(from), _person(to));
        (uint256 had, uint256 hadToo) = (_c.token.balanceOf(sender), _c.token.balanceOf(receiver));
        uint256 held = _c.token.sharesOf(sender);
        amount = full ? had : bound(amount, 0, had);
        vm.prank(sender);
        assertTrue(_c.token.transfer(receiver, amount), "transfer");
        if (sender == receiver) {
            assertEq(_c.token.sharesOf(sender), held, "I4: a transfer to oneself changed something");
            return _took("transferToSelf");
        }
        assertApprox(_c.token.balanceOf(sender), had - amount, 1, "I4: the sender's side");
        assertApprox(_c.token.balanceOf(receiver), hadToo + amount, 1, "I4: the receiver's side");
        if (full) assertEq(_c.token.balanceOf(sender), 0, "I4: a full transfer leaves less than a wei");
        _moveCredit(sender, receiver, amount);
        _took("transfer");
    }

    /// @notice I4: to the share, exactly.
    function transferShares(uint256 from, uint256 to, uint256 amount) external keepsRate keepsShares {
        (address sender, address receiver) = (_person(from), _person(to));
        (uint256 had, uint256 hadToo) = (_c.token.sharesOf(sender), _c.token.sharesOf(receiver));
        amount = bound(amount, 0, had);
        vm.prank(sender);
        uint256 value = _c.token.transferShares(receiver, amount);
        if (sender == receiver) {
            assertEq(_c.token.sharesOf(sender), had, "I4: shares sent to oneself");
            return _took("transferSharesToSelf");
        }
        assertEq(_c.token.sharesOf(sender), had - amount, "I4: the sender's shares");
        assertEq(_c.token.sharesOf(receiver), hadToo + amount, "I4: the receiver's shares");
        _moveCredit(sender, receiver, value);
        _took("transferShares");
    }

    function wrap(uint256 who, uint256 amount) external keepsRate keepsShares {
        address actor = _actor(who);
        uint256 balance = _c.token.balanceOf(actor);
        if (balance < 100) return;
        uint256 sum = _sharesOf(actor);
        vm.prank(actor);
        _c.wrapped.wrap(bound(amount, 100, balance));
        assertEq(_sharesOf(actor), sum, "I4: wrapping kept something");
        _took("wrap");
    }

    function unwrap(uint256 who, uint256 amount) external keepsRate keepsShares {
        address actor = _actor(who);
        uint256 balance = _c.wrapped.balanceOf(actor);
        if (balance == 0) return;
        uint256 sum = _sharesOf(actor);
        vm.prank(actor);
        _c.wrapped.unwrap(bound(amount, 1, balance));
        assertEq(_sharesOf(actor), sum, "I4: unwrapping kept something");
        _took("unwrap");
    }

    /// @notice I4, as for shares.
    function transferWrapped(uint256 from, uint256 to, uint256 amount) external keepsRate keepsShares {
        (address sender, address receiver) = (_person(from), _person(to));
        (uint256 had, uint256 hadToo) = (_c.wrapped.balanceOf(sender), _c.wrapped.balanceOf(receiver));
        amount = bound(amount, 0, had);
        vm.prank(sender);
        _c.wrapped.transfer(receiver, amount);
        if (sender == receiver) {
            assertEq(_c.wrapped.balanceOf(sender), had, "I4: westETH sent to oneself");
            return _took("transferWrappedToSelf");
        }
        assertEq(_c.wrapped.balanceOf(sender), had - amount, "I4: the sender's westETH");
        assertEq(_c.wrapped.balanceOf(receiver), hadToo + amount, "I4: the receiver's westETH");
        _moveCredit(sender, receiver, _c.wrapped.convertToAssets(amount));
        _took("transferWrapped");
    }

    function request(uint256 who, uint256 amount, uint256 way, bool all) external keepsRate keepsShares {
        address actor = _actor(who);
        if (way % 3 == 0) _requestEther(actor, all ? type(uint256).max : amount, way);
        else if (way % 3 == 1) _requestShares(actor, all ? type(uint256).max : amount);
        else _requestWrapped(actor, all ? type(uint256).max : amount);
    }

    /// @notice I6: what is paid depends on neither hints nor batches; a waiting or paid request is refused.
    /// The receiver may stake again from within, so the number of shares may change.
    function claim(uint256 which, uint256 count, uint256 hint, uint256 way) external keepsRate {
        if (lastTicket == 0) return;
        uint256 first = 1 + (which % lastTicket);
        Ticket memory t = _tickets[first];
        if (t.state != State.Finalised) return _claimInVain(first, t);
        if (way % 16 == 15) return _claimToOurs(first, t, hint % 2 == 0 ? address(_c.pool) : address(_c.wrapped));
        uint256[] memory ids = _batch(first, t.owner, 1 + (count % 4));
        uint256[] memory hints = new uint256[](way % 3 == 0 ? 0 : ids.length);
        for (uint256 i; i < hints.length; ++i)
            hints[i] = way % 3 == 1 ? hint % 12 : uint256(keccak256(abi.encode(hint, i)));
        _pay(
            ids,
            hints,
            t.owner,
            way % 2 == 0 ? t.owner : address(uint160(uint256(keccak256(abi.encode("sink", first)))))
        );
    }

    function transferRequest(uint256 which, uint256 to) external keepsRate keepsShares {
        if (lastTicket == 0) return;
        uint256 id = 1 + (which % lastTicket);
        Ticket storage t = _tickets[id];
        address receiver = _actor(to);
        if (t.state == State.Claimed || receiver == t.owner) return;
        _moveCredit(t.owner, receiver, worthOf(id, _c.token.rate()));
        vm.prank(t.owner);
        _c.queue.transferFrom(t.owner, receiver, id);
        t.owner = receiver;
        _took("transferRequest");
    }

    // --- internal ---

    /// @dev Plainly, in westETH, or for somebody else. Refused if and only if the books say that deposits are stopped.
    function _deposit(address actor, uint256 amount, uint256 way) internal {
        Refusals.Causes memory causes = _depositCauses(amount);
        uint256 before = _c.token.balanceOf(actor);
        address sender = way % 4 == 1 ? actor : STAKER;
        vm.deal(sender, sender.balance + amount);
        bool done;
        bytes memory reason;
        bytes memory data = way % 4 == 1 ? bytes("") : abi.encodeCall(_c.pool.deposit, (actor, address(0)));
        if (way % 4 == 0) data = abi.encodeCall(_c.wrapped.stake, (actor, address(0)));
        vm.prank(sender);
        if (way % 4 == 0) (done, reason) = address(_c.wrapped).call{value: amount}(data);
        else (done, reason) = address(_c.pool).call{value: amount}(data);
        if (!causes.judge(done, reason)) return _took("depositInVain");
        uint256 shown = before + (way % 4 == 0 ? 0 : amount);
        assertApprox(_c.token.balanceOf(actor), shown, 1, "a deposit shows what was deposited");
        _cash.deposited += amount;
        credit[actor] += int256(amount);
        _took("deposit");
    }

    function _moveCredit(address from, address to, uint256 value) internal {
        credit[from] -= int256(value);
        credit[to] += int256(value);
    }

    function _requestEther(address actor, uint256 amount, uint256 way) internal {
        if (_gate.requestsPaused) return _requestInVain(actor);
        uint256 balance = _c.token.balanceOf(actor);
        uint256 count = 1 + (way % 2);
        if (balance < 100 * count) return;
        amount = bound(amount, 100 * count, balance);
        uint256[] memory amounts = new uint256[](count);
        amounts[0] = amount - 100 * (count - 1);
        if (count == 2) amounts[1] = 100;
        (uint256 totalEther, uint256 totalShares) = _c.token.totals();
        uint256[] memory moved = new uint256[](count);
        uint256 left = _c.token.sharesOf(actor);
        for (uint256 i; i < count; ++i) {
            moved[i] = (amounts[i] * totalShares) / totalEther;
            if (moved[i] > left) moved[i] = left;
            left -= moved[i];
        }
        vm.prank(actor);
        try _c.queue.requestWithdrawals(amounts, address(0)) returns (uint256[] memory ids) {
            for (uint256 i; i < count; ++i) _addTicket(ids[i], actor, moved[i]);
            assertEq(_c.token.sharesOf(actor), left, "a request moves its shares");
            _took("request");
        } catch (bytes memory reason) {
            // the second amount may be a wei more than the display of what is left
            bool lacks = bytes4(reason) == IERC20Errors.ERC20InsufficientBalance.selector;
            require(lacks && count == 2 && amount + 1 >= balance, Refusals.Refused(reason));
        }
    }

    function _requestShares(address actor, uint256 amount) internal {
        if (_gate.requestsPaused) return _requestInVain(actor);
        uint256 held = _c.token.sharesOf(actor);
        uint256 least = _c.token.getSharesByPooledEth(101);
        if (held < least) return;
        uint256[] memory amounts = new uint256[](1);
        amounts[0] = bound(amount, least, held);
        vm.prank(actor);
        uint256[] memory ids = _c.queue.requestWithdrawalsShares(amounts, address(0));
        _addTicket(ids[0], actor, amounts[0]);
        _took("requestShares");
    }

    function _requestWrapped(address actor, uint256 amount) internal {
        if (_gate.requestsPaused) return _requestInVain(actor);
        uint256 held = _c.wrapped.balanceOf(actor);
        uint256 least = _c.wrapped.convertToShares(101) + 1;
        if (held < least) return;
        uint256[] memory amounts = new uint256[](1);
        amounts[0] = bound(amount, least, held);
        vm.prank(actor);
        uint256[] memory ids = _c.wrapped.requestWithdrawals(amounts, address(0));
        _addTicket(ids[0], actor, amounts[0] * SHARES_PER_UNIT);
        _took("requestWrapped");
    }

    function _batch(uint256 first, address owner, uint256 most) private view returns (uint256[] memory ids) {
        uint256[] memory found = new uint256[](most);
        uint256 count;
        for (uint256 id = first; id <= lastFinalised && count < most; ++id) {
            if (_tickets[id].owner == owner && _tickets[id].state == State.Finalised) found[count++] = id;
        }
        ids = new uint256[](count);
        for (uint256 i; i < count; ++i) ids[i] = found[i];
    }

    function _pay(uint256[] memory ids, uint256[] memory hints, address owner, address receiver) private {
        uint256 owed;
        for (uint256 i; i < ids.length; ++i) {
            owed += worthOf(ids[i], 0);
            _tickets[ids[i]].state = State.Claimed; // before the receiver is called
        }
        _cash.claimed += owed;
        credit[owner] -= int256(owed);
        uint256 queueHad = address(_c.queue).balance;
        uint256 paidBefore = _cash.paid;
        vm.prank(owner);
        if (ids.length == 1 && hints.length == 0 && receiver == owner) _c.queue.claimWithdrawal(ids[0]);
        else _c.queue.claimWithdrawals(ids, hints, receiver);
        uint256 arrived = _cash.paid - paidBefore; // if the receiver had the finalisation continued
        assertEq(queueHad + arrived - address(_c.queue).balance, owed, "I6: paid something else than was owed");
        _took(hints.length == 0 ? bytes32("claim") : bytes32("claimHinted"));
    }

    function _claimInVain(uint256 id, Ticket memory t) private {
        Refusals.Causes memory causes;
        bool claimed = t.state == State.Claimed; // I6: not twice, and not before it is finalised
        causes.add(claimed, IWithdrawalQueue.AlreadyClaimed.selector);
        causes.add(!claimed, IWithdrawalQueue.NotFinalized.selector);
        vm.prank(t.owner);
        (bool done, bytes memory reason) = address(_c.queue).call(
            abi.encodeCall(IWithdrawalQueue.claimWithdrawal, (id))
        );
        causes.judge(done, reason);
        _took("claimInVain");
    }

    /// @dev Claimed ether does not become the queue's own stake.
    function _claimToOurs(uint256 id, Ticket memory t, address receiver) private {
        if (worthOf(id, 0) == 0) return; // the pool refuses nothing for another reason
        uint256[] memory ids = new uint256[](1);
        ids[0] = id;
        Refusals.Causes memory causes;
        causes.add(true, IWithdrawalQueue.ClaimFailed.selector);
        vm.prank(t.owner);
        (bool done, bytes memory reason) = address(_c.queue).call(
            abi.encodeCall(IWithdrawalQueue.claimWithdrawals, (ids, new uint256[](0), receiver))
        );
        causes.judge(done, reason);
        _took("claimToOurs");
    }

    function _requestInVain(address actor) private {
        uint256[] memory amounts = new uint256[](1);
        amounts[0] = 100;
        Refusals.Causes memory causes;
        causes.add(true, IWithdrawalQueue.RequestsArePaused.selector);
        vm.prank(actor);
        (bool done, bytes memory reason) = address(_c.queue).call(
            abi.encodeCall(IWithdrawalQueue.requestWithdrawals, (amounts, actor))
        );
        causes.judge(done, reason);
        _took("requestPaused");
    }

    function _sharesOf(address actor) private view returns (uint256) {
        return _c.token.sharesOf(actor) + _c.wrapped.balanceOf(actor) * SHARES_PER_UNIT;
    }
}
