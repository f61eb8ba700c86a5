// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IReportOracle} from "./IReportOracle.sol";
import {MemberList} from "./MemberList.sol";

/// @title Committee
/// @notice Members, quorum and version. Signatures are judged against the members of now; any change of the set raises
/// the version, so a report signed for an older set must be signed again. The quorum is always more than half.
/// @dev The members, ascending, are the code of a contract of their own: a report reads them all for the price of one.
abstract contract Committee is AccessManaged, IReportOracle {
    /// @notice `members` and `quorum` are those in force from now on.
    event MemberAdded(address indexed member, uint256 members, uint256 quorum);
    /// @notice By governance, or by a proof of equivocation. `members` and `quorum` are those in force from now on.
    event MemberRemoved(address indexed member, uint256 members, uint256 quorum);
    /// @notice Governance set the quorum. Where a change of the members moves it, their event tells.
    event QuorumChanged(uint256 quorum);

    /// @notice The member to be added has a seat.
    error AlreadyMember(address member);
    /// @notice Whoever signed, or is to be removed, has no seat now.
    error NotMember(address signer);
    /// @notice Not above the signer before: one could count twice. A signature of nobody's has the signer zero.
    error SignaturesNotSorted(address previous, address signer);
    /// @notice A quorum is more than half of the members, and at most all.
    error QuorumOutOfRange(uint256 quorum, uint256 members);
    /// @notice A committee is never empty: whoever takes the last member's seat is added first.
    error LastMember(address member);
    /// @notice The zero address, one member too many, or one given to an oracle that takes its committee over.
    error InvalidMember(address member);

    /// @notice Bounds what a report reads, and the signatures that it can bring.
    uint256 public constant MAX_MEMBERS = 64;
    /// @dev Half the order of secp256k1 (EIP-2): a signature's s is at most that.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @dev Where a list's code, as bytes in memory, has its first member: after the bytes' length, and the encoding's
    /// offset and length.
    uint256 private constant FIRST_MEMBER = 96;

    /// @notice The committee in numbers, as `committee` returns them.
    struct Set {
        uint32 version;
        uint8 members;
        uint8 quorum;
    }

    /// @dev One slot, read and written by every report.
    struct Standing {
        uint32 version;
        uint8 members;
        uint8 quorum;
        address list; // the contract whose code lists the members
        uint32 lastRefSlot;
        bool lastIncident; // the last report said so
        bool lastFell; // the last report lowered the rate
    }

    /// @dev Shared with ReportOracle, whose part are the last three fields: a report reads and writes one slot.
    Standing internal _standing;

    /// @param inherits the committee comes from a predecessor: none is given, and no number of signatures is enough till then
    constructor(address[] memory initial, uint256 quorum_, bool inherits) {
        if (inherits) {
            if (initial.length != 0) revert InvalidMember(initial[0]);
            _standing.quorum = type(uint8).max;
            return;
        }
        address[] memory list = new address[](0);
        for (uint256 i; i < initial.length; ++i) list = _with(list, initial[i]);
        _store(list, quorum_);
    }

    /// @notice Adds a member; the quorum rises with the set if it would no longer be more than half.
    function addMember(address member) external restricted {
        _store(_with(members(), member), _standing.quorum);
        emit MemberAdded(member, _standing.members, _standing.quorum);
    }

    /// @notice Removes a member; the quorum falls with the set if it could no longer be reached.
    function removeMember(address member) external restricted {
        _remove(member);
    }

    /// @notice Sets how many signatures a report needs: more than half of the members.
    function setQuorum(uint256 quorum_) external restricted {
        Standing memory s = _standing;
        require(quorum_ > s.members / 2 && quorum_ <= s.members, QuorumOutOfRange(quorum_, s.members));
        (_standing.quorum, _standing.version) = (uint8(quorum_), s.version + 1);
        emit QuorumChanged(quorum_);
    }

    /// @notice Version and number of members, and the quorum in force.
    function committee() external view returns (Set memory) {
        return Set(_standing.version, _standing.members, _standing.quorum);
    }

    /// @notice All members, ascending.
    function members() public view returns (address[] memory) {
        address list = _standing.list;
        return list == address(0) ? new address[](0) : abi.decode(list.code, (address[]));
    }

    /// @notice Whether `account` has a seat now.
    function isMember(address account) public view returns (bool) {
        address[] memory list = members();
        for (uint256 i; i < list.length; ++i) if (list[i] == account) return true;
        return false;
    }

    /// @dev The set of a predecessor, under the next version.
    function _inherit(address[] memory list, uint256 quorum_, uint32 version) internal {
        _standing.version = version;
        _store(list, quorum_);
    }

    /// @dev Takes the seat of `member`, for governance or after a proof. The quorum stays where it can.
    function _remove(address member) internal {
        require(isMember(member), NotMember(member));
        require(_standing.members > 1, LastMember(member));
        address[] memory old = members();
        address[] memory list = new address[](old.length - 1);
        uint256 kept;
        for (uint256 i; i < old.length; ++i) if (old[i] != member) list[kept++] = old[i];
        _store(list, _standing.quorum);
        emit MemberRemoved(member, _standing.members, _standing.quorum);
    }

    /// @dev Every signature must be a current member's, sorted by ascending signer.
    function _countSignatures(
        bytes32 digest,
        Signature[] calldata signatures,
        address list
    ) internal view returns (uint256) {
        // members and signers ascend, so that one pass over the members finds them all
        bytes memory known = list.code;
        address previous;
        uint256 place = FIRST_MEMBER;
        uint256 count = signatures.length;
        for (uint256 i; i < count;) {
            address signer = _signer(digest, signatures[i]);
            require(signer > previous, SignaturesNotSorted(previous, signer));
            address member;
            do {
                require(place <= known.length, NotMember(signer));
                assembly ("memory-safe") {
                    member := mload(add(known, place))
                }
                unchecked {
                    place += 32;
                }
            } while (member != signer);
            previous = signer;
            unchecked {
                ++i;
            }
        }
        return count;
    }

    /// @dev Zero if the signature is nobody's, which is no member and sorts before all. Refuses the other s of a signature.
    function _signer(bytes32 digest, Signature calldata signature) internal pure returns (address) {
        uint256 vs = uint256(signature.vs);
        uint256 s = (vs << 1) >> 1;
        if (s > HALF_ORDER) revert ECDSA.ECDSAInvalidSignatureS(bytes32(s));
        unchecked {
            return ecrecover(digest, uint8((vs >> 255) + 27), signature.r, bytes32(s));
        }
    }

    /// @dev `list` with `member` in its place.
    function _with(address[] memory list, address member) private pure returns (address[] memory longer) {
        require(member != address(0) && list.length < MAX_MEMBERS, InvalidMember(member));
        longer = new address[](list.length + 1);
        uint256 place;
        while (place < list.length && list[place] < member) {
            longer[place] = list[place];
            ++place;
        }
        longer[place] = member;
        for (uint256 i = place; i < list.length; ++i) {
            require(list[i] != member, AlreadyMember(member));
            longer[i + 1] = list[i];
        }
    }

    /// @dev Keeps the quorum more than half, and within reach.
    function _store(address[] memory list, uint256 quorum_) private {
        uint256 count = list.length;
        uint256 least = count / 2 + 1;
        Standing memory s = _standing;
        // at deployment a wrong quorum is refused; later it follows the number of members
        if (s.version == 0) {
            require(quorum_ >= least && quorum_ <= count, QuorumOutOfRange(quorum_, count));
        } else {
            if (quorum_ < least) quorum_ = least;
            if (quorum_ > count) quorum_ = count;
        }
        (s.version, s.members, s.quorum) = (s.version + 1, uint8(count), uint8(quorum_));
        s.list = address(new MemberList(list));
        _standing = s;
    }
}
