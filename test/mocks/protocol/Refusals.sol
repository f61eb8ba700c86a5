// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Refusals
/// @notice Why a call must be refused, by the books of whoever makes it. It is refused if and only if there is a cause, and
/// with one of the causes: which of several comes first is left to the contracts.
library Refusals {
    struct Causes {
        bytes4[24] names;
        uint256 count;
    }

    error Refused(bytes reason);
    error MustBeRefused(bytes4 cause);
    error RefusedForAnother(bytes reason, bytes4 cause, uint256 causes);

    function add(Causes memory self, bool applies, bytes4 name) internal pure {
        if (!applies || has(self, name)) return;
        self.names[self.count++] = name;
    }

    function has(Causes memory self, bytes4 name) internal pure returns (bool) {
        for (uint256 i; i < self.count; ++i) if (self.names[i] == name) return true;
        return false;
    }

    /// @return done whether the call was made, as it had to be
    function judge(Causes memory self, bool done, bytes memory reason) internal pure returns (bool) {
        if (self.count == 0) require(done, Refused(reason));
        else if (done) revert MustBeRefused(self.names[0]);
        else require(has(self, bytes4(reason)), RefusedForAnother(reason, self.names[0], self.count));
        return done;
    }
}
