// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC721Utils} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Utils.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/// @title RequestToken
/// @notice ERC-721 whose owner shares a slot with the request's place in the queue. A burned id keeps its place and is
/// never minted again. Errors are those of ERC-6093.
/// @dev OpenZeppelin's and solady's ERC-721 read one slot more on a burn, and OpenZeppelin's writes one more on a mint.
abstract contract RequestToken is IERC721Metadata, IERC721Errors {
    /// @dev One slot.
    struct Request {
        address owner; // zero once claimed
        uint96 endUnits; // cumulative units of 1e9 shares up to and including this request
    }

    /// @inheritdoc IERC721Metadata
    string public constant override name = "Estuary Withdrawal Request";
    /// @inheritdoc IERC721Metadata
    string public constant override symbol = "estWR";

    /// @dev From 1 on. The empty one before the first ends at 0, where the first begins.
    mapping(uint256 id => Request) internal _requests;
    /// @dev How many requests an account owns: ERC-721 asks for it, nothing here does.
    mapping(address owner => uint256) private _balances;
    /// @dev Of one request, until it is transferred.
    mapping(uint256 id => address) private _approvals;
    /// @dev Of all requests of an owner, later ones included.
    mapping(address owner => mapping(address operator => bool)) private _operatorApprovals;

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure override returns (bool) {
        return
            id == type(IERC721).interfaceId ||
            id == type(IERC721Metadata).interfaceId ||
            id == type(IERC165).interfaceId;
    }

    /// @inheritdoc IERC721
    function balanceOf(address owner) external view override returns (uint256) {
        require(owner != address(0), ERC721InvalidOwner(owner));
        return _balances[owner];
    }

    /// @inheritdoc IERC721
    function ownerOf(uint256 id) public view override returns (address owner) {
        owner = _requests[id].owner;
        require(owner != address(0), ERC721NonexistentToken(id));
    }

    /// @inheritdoc IERC721Metadata
    function tokenURI(uint256 id) external view override returns (string memory) {
        ownerOf(id);
        // solhint-disable-next-line quotes
        return string.concat('data:application/json,{"name":"Estuary withdrawal request ', Strings.toString(id), '"}');
    }

    /// @inheritdoc IERC721
    function getApproved(uint256 id) external view override returns (address) {
        ownerOf(id);
        return _approvals[id];
    }

    /// @inheritdoc IERC721
    function isApprovedForAll(address owner, address operator) public view override returns (bool) {
        return _operatorApprovals[owner][operator];
    }

    /// @inheritdoc IERC721
    function approve(address to, uint256 id) external override {
        address owner = ownerOf(id);
        require(msg.sender == owner || isApprovedForAll(owner, msg.sender), ERC721InvalidApprover(msg.sender));
        _approvals[id] = to;
        emit Approval(owner, to, id);
    }

    /// @inheritdoc IERC721
    function setApprovalForAll(address operator, bool approved) external override {
        require(operator != address(0), ERC721InvalidOperator(operator));
        _operatorApprovals[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    /// @inheritdoc IERC721
    function transferFrom(address from, address to, uint256 id) public override {
        address owner = ownerOf(id);
        require(owner == from, ERC721IncorrectOwner(from, id, owner));
        require(to != address(0), ERC721InvalidReceiver(to));
        require(
            msg.sender == owner || isApprovedForAll(owner, msg.sender) || msg.sender == _approvals[id],
            ERC721InsufficientApproval(msg.sender, id)
        );
        delete _approvals[id];
        unchecked {
            --_balances[from];
            ++_balances[to];
        }
        _requests[id].owner = to;
        emit Transfer(from, to, id);
    }

    /// @inheritdoc IERC721
    function safeTransferFrom(address from, address to, uint256 id) external override {
        safeTransferFrom(from, to, id, "");
    }

    /// @inheritdoc IERC721
    function safeTransferFrom(address from, address to, uint256 id, bytes memory data) public override {
        transferFrom(from, to, id);
        ERC721Utils.checkOnERC721Received(msg.sender, from, to, id, data);
    }

    /// @dev Calls nobody: a receiver that is a contract is not asked (onERC721Received).
    function _mint(address to, uint256 id, uint96 endUnits) internal {
        _requests[id] = Request(to, endUnits);
        unchecked {
            ++_balances[to];
        }
        emit Transfer(address(0), to, id);
    }

    /// @dev The approval stays behind: a burned id has no owner, so nobody can use it.
    function _burn(address owner, uint256 id) internal {
        _requests[id].owner = address(0);
        unchecked {
            --_balances[owner];
        }
        emit Transfer(owner, address(0), id);
    }
}
