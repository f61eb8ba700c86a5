// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {OperatorBooks} from "./OperatorBooks.sol";
import {PoolBooks} from "../../../contracts/pool/PoolBooks.sol";

/// @notice What governance and its roles decide.
abstract contract Governance is OperatorBooks {
    function setPolicy(uint256 feeBp, uint256 maxAprBp, uint256 rarely) external keepsRate keepsShares {
        if (rarely % 8 != 0) return;
        uint16 fee = uint16(bound(feeBp, 0, 2000));
        _c.pool.setPolicy(PoolBooks.Policy(_c.treasury, fee, uint16(bound(maxAprBp, 1, 3000)), uint64(CAP / 1e9)));
        _divide();
        _fees.feeBp = fee;
    }

    function pause(uint256 rarely) external keepsRate keepsShares {
        _gate.paused = rarely % 16 == 0;
        _gate.requestsPaused = rarely % 8 == 1;
        _c.pool.pauseDeposits(_gate.paused);
        _c.queue.pauseRequests(_gate.requestsPaused);
    }

    /// @notice Bonds and shares of a tier; nothing that is queued is dropped for it.
    function setTerms(uint256 tier, uint256 target, uint256 bonds, uint256 rarely) external keepsRate keepsShares {
        if (rarely % 4 != 0) return;
        TierBook storage t = _tiers[tier % TIERS];
        t.targetShareBp = bound(target, 500, 6_000);
        t.maxShareBp = bound(target / 7, t.targetShareBp, 10_000);
        t.bondFirst = bound(bonds, 1 ether, 5 ether);
        t.bondNext = bound(bonds / 7, 1 ether, 2 ether);
        _c.operators.setTier(tier % TIERS, _terms(tier % TIERS));
        _took("setTerms");
    }

    function unfreeze(uint256 who) external keepsRate keepsShares {
        uint256 id = _operator(who);
        if (_books[id].frozenAt == 0) return;
        _c.operators.unfreeze(id);
        _books[id].frozenAt = 0;
        _took("unfreeze");
    }
}
