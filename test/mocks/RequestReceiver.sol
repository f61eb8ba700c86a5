// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";

/// @notice Receives ERC-721 tokens in the manner that the test sets, and shows what it was told.
contract RequestReceiver is IERC721Receiver {
    enum Manner {
        Accept,
        AnswerOther,
        Refuse,
        Panic,
        GiveBack
    }

    Manner private _manner;

    event Received(address operator, address from, uint256 id, bytes data);

    error NotToday(uint256 id);

    function setManner(Manner manner) external {
        _manner = manner;
    }

    /// @inheritdoc IERC721Receiver
    function onERC721Received(
        address operator,
        address from,
        uint256 id,
        bytes calldata data
    ) external override returns (bytes4) {
        if (_manner == Manner.AnswerOther) return 0xffffffff;
        if (_manner == Manner.Refuse) revert NotToday(id);
        if (_manner == Manner.Panic) assert(false);
        if (_manner == Manner.GiveBack) IERC721(msg.sender).transferFrom(address(this), from, id);
        emit Received(operator, from, id, data);
        return IERC721Receiver.onERC721Received.selector;
    }
}
