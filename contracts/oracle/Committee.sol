// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Committee
/// @notice Members, quorum and version. Signatures are judged against the members of now; any change of the set raises
/// the version, so a report signed for an older set must be signed again. The quorum is always more than half.
abstract contract Committee is AccessManaged {
    event MemberAdded(address indexed member, uint256 members, uint256 quorum);
    event MemberRemoved(address indexed member, uint256 members, uint256 quorum);
    event QuorumChanged(uint256 quorum);

    error AlreadyMember(address member);
    error NotMember(address signer);
    error SignaturesNotSorted(address previous, address signer);
    error QuorumOutOfRange(uint256 quorum, uint256 members);
    error LastMember(address member);
    error InvalidMember(address member);

    uint256 public constant MAX_MEMBERS = 64;

    struct Set {
        uint32 version;
        uint16 members;
        uint16 quorum;
    }

    Set internal _set;
    mapping(address member => bool) public isMember;

    constructor(address[] memory members, uint256 quorum_) {
        for (uint256 i; i < members.length; ++i) _add(members[i]);
        _setQuorum(quorum_);
        _set.version = 1;
    }

    /// @notice Adds a member; the quorum rises with the set if it would no longer be more than half.
    function addMember(address member) external restricted {
        _add(member);
        _change();
        emit MemberAdded(member, _set.members, _set.quorum);
    }

    /// @notice Removes a member; the quorum falls with the set if it could no longer be reached.
    function removeMember(address member) external restricted {
        _remove(member);
    }

    /// @notice Sets how many signatures a report needs: more than half of the members.
    function setQuorum(uint256 quorum_) external restricted {
        _setQuorum(quorum_);
        ++_set.version;
        emit QuorumChanged(quorum_);
    }

    /// @notice Version, number of members and quorum in force.
    function committee() external view returns (Set memory) {
        return _set;
    }

    function _remove(address member) internal {
        require(isMember[member], NotMember(member));
        require(_set.members > 1, LastMember(member));
        delete isMember[member];
        --_set.members;
        _change();
        emit MemberRemoved(member, _set.members, _set.quorum);
    }

    /// @dev Every signature must be a current member's, sorted by ascending signer.
    function _countSignatures(bytes32 digest, bytes[] calldata signatures) internal view returns (uint256) {
        address previous;
        for (uint256 i; i < signatures.length; ++i) {
            address signer = ECDSA.recoverCalldata(digest, signatures[i]);
            require(signer > previous, SignaturesNotSorted(previous, signer));
            require(isMember[signer], NotMember(signer));
            previous = signer;
        }
        return signatures.length;
    }

    function _add(address member) private {
        require(member != address(0) && _set.members < MAX_MEMBERS, InvalidMember(member));
        require(!isMember[member], AlreadyMember(member));
        isMember[member] = true;
        ++_set.members;
    }

    function _change() private {
        ++_set.version;
        uint16 least = _set.members / 2 + 1;
        if (_set.quorum < least) _set.quorum = least;
        if (_set.quorum > _set.members) _set.quorum = _set.members;
    }

    function _setQuorum(uint256 quorum_) private {
        require(quorum_ > _set.members / 2 && quorum_ <= _set.members, QuorumOutOfRange(quorum_, _set.members));
        _set.quorum = uint16(quorum_);
    }
}
