// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

import {IStakedEther} from "../token/IStakedEther.sol";
import {IWrappedStakedEther} from "../token/IWrappedStakedEther.sol";

/// @title IOperatorRegistry
/// @notice Who runs validators: tiers, operators, their bonds (shares, so bonds earn and bear losses) and rewards.
/// Tier ids count from 0, operator ids from 1. Amounts are wei; shares have 27 decimals.
interface IOperatorRegistry {
    /// @notice A row of the table of tiers. Bonds are wei: `bondFirst` for the first validator, `bondNext` for each
    /// further one. Shares of the validator set are basis points.
    struct Tier {
        uint96 bondFirst;
        uint96 bondNext;
        uint16 feeBp; // of the rewards of the pool's validators: weight of one active validator
        uint16 targetShareBp;
        uint16 maxShareBp;
        bool open; // anyone may join; otherwise governance invites
    }

    /// @notice What an operator owes, has at stake and earned. Fields that are needed together share a slot.
    struct Operator {
        // what may block an operator, in one slot
        address owner;
        bool frozen; // a slashing was proven: bond, queue and rewards are frozen until governance says otherwise
        uint88 debt; // wei: shortfall the bond could not cover
        // what proving and funding touch, in one slot
        uint128 bondShares;
        uint32 queued; // proven, not funded
        uint32 active; // funded, not yet proven withdrawn
        uint32 weighted; // funded and earning weight
        uint16 feeBp; // the tier's when the operator joined: its weight for each weighted validator
        uint8 tier;
        bool inDoubt; // a penalty, a freeze or a fine came: funding looks at debt, freeze and bond again
        // rewards
        uint128 rewardShares; // settled, unclaimed
        uint128 settledAt; // accumulated shares per weight up to which rewardShares is settled
        address pendingOwner;
        uint40 frozenAt; // unix seconds of the first slashing proven since `frozen` is set; 0: not frozen
        address rewardAddress;
        address manager; // may predeposit keys
    }

    /// @notice Bond shares that a guardian locked.
    struct Fine {
        uint128 shares;
        uint40 expiresAt; // unix seconds
    }

    /// @notice A tier was added or changed.
    event TierSet(uint256 indexed tier, Tier values);
    /// @notice An operator joined, or governance added it. The name is nowhere else.
    event OperatorAdded(
        uint256 indexed operatorId,
        uint256 indexed tier,
        address indexed owner,
        address rewardAddress,
        string name
    );
    /// @notice Nothing changes until `pendingOwner` accepts; zero: the proposal is withdrawn.
    event OwnershipProposed(uint256 indexed operatorId, address indexed pendingOwner);
    /// @notice The proposed owner accepted.
    event OwnerChanged(uint256 indexed operatorId, address indexed owner);
    /// @notice `manager` may predeposit, requeue and fund keys; zero: nobody beside the owner.
    event ManagerChanged(uint256 indexed operatorId, address indexed manager);
    /// @notice Names are in events alone.
    event OperatorRenamed(uint256 indexed operatorId, string name);
    /// @notice From now on `rewardAddress` may claim, as the owner may.
    event RewardAddressChanged(uint256 indexed operatorId, address indexed rewardAddress);
    /// @notice What came to the bond: predeposits of funded keys; ether, shares, rewards or a fine, less repaid debt.
    event BondAdded(uint256 indexed operatorId, uint256 shares);
    /// @notice `shares` of the free bond went to `to`, as estETH or westETH.
    event BondWithdrawn(uint256 indexed operatorId, address indexed to, uint256 shares);
    /// @notice `shares` of rewards, once debt was repaid, went to `to`; to this contract: into the bond.
    event RewardsClaimed(uint256 indexed operatorId, address indexed to, uint256 shares);
    /// @notice Of `amount` wei the bond paid `shares`; `debt` wei of it are owed from now on.
    event PenaltyTaken(uint256 indexed operatorId, uint256 amount, uint256 shares, uint256 debt);
    /// @notice `amount` wei of debt were repaid with `shares`, which became cover.
    event DebtRepaid(uint256 indexed operatorId, uint256 amount, uint256 shares);
    /// @notice `amount` wei of the bond, as `shares`, wait for governance; `evidence`: the hash of what was seen.
    event FineLocked(uint256 indexed operatorId, uint256 amount, uint256 shares, bytes32 evidence);
    /// @notice The locked shares became cover.
    event FineConfirmed(uint256 indexed operatorId, uint256 shares);
    /// @notice The fine was cancelled or lapsed: its shares went back to debt and bond.
    event FineReleased(uint256 indexed operatorId, uint256 shares);
    /// @notice A slashing was proven, also of one that is frozen; or governance ended the freeze.
    event OperatorFrozen(uint256 indexed operatorId, bool frozen);
    /// @notice The treasury's part of the fees so far, as estETH.
    event TreasuryPaid(address indexed treasury, uint256 shares);

    /// @notice The table has no such row.
    error UnknownTier(uint256 tier);
    /// @notice Governance alone adds operators to this tier.
    error TierClosed(uint256 tier);
    /// @notice There are at most `limit`: the order of fundings and exits goes through all of them.
    error TooManyTiers(uint256 limit);
    /// @notice A bond (either) below 1 ETH, basis points above 10,000, or a target above its maximum.
    error TierInvalid(uint256 bondFirst, uint256 feeBp, uint256 targetShareBp, uint256 maxShareBp);
    /// @notice Nobody added an operator of this id.
    error UnknownOperator(uint256 operatorId);
    /// @notice More keys funded than the operator has `queued`.
    error NotQueued(uint256 queued, uint256 count);
    /// @notice `caller` is not the owner, nor who else may do this: the manager keys, the reward address claims.
    error NotOperatorOwner(uint256 operatorId, address caller);
    /// @notice The owner proposed somebody else, or nobody.
    error NotPendingOwner(uint256 operatorId, address caller);
    /// @notice After a slashing bond, rewards and new keys wait for governance.
    error OperatorIsFrozen(uint256 operatorId);
    /// @notice There is no freeze to end.
    error OperatorNotFrozen(uint256 operatorId);
    /// @notice Wei at stake, rounded down, and required: 98% where a key is proven or funded, all where bond leaves.
    error BondTooSmall(uint256 operatorId, uint256 bond, uint256 required);
    /// @notice No penalty, freeze or fine came since its keys were proven: they are funded under the terms of then.
    error NotInDoubt(uint256 operatorId);
    /// @notice No cause to drop a key: the bond has 98% of what is required. Wei; `required` is the whole.
    error BondSuffices(uint256 operatorId, uint256 bond, uint256 required);
    /// @notice The bond has fewer shares than are to be withdrawn.
    error SharesExceedBond(uint256 operatorId, uint256 shares, uint256 bondShares);
    /// @notice `debt` wei must be repaid first.
    error HasDebt(uint256 operatorId, uint256 debt);
    /// @notice No rewards since the last claim.
    error NothingToClaim(uint256 operatorId);
    /// @notice One fine at a time, and until `expiresAt`, unix seconds, only governance ends it.
    error FineOpen(uint256 operatorId, uint256 expiresAt);
    /// @notice A fine takes at most the bond. Wei, the bond rounded down.
    error FineAboveBond(uint256 operatorId, uint256 amount, uint256 bond);
    /// @notice Governance did not confirm the fine by `expiresAt`, unix seconds.
    error FineLapsed(uint256 operatorId, uint256 expiresAt);
    /// @notice No shares of the operator are locked.
    error NoFine(uint256 operatorId);
    /// @notice A bond, withdrawal or fine of nothing.
    error ZeroAmount();
    /// @notice An operator has an owner and a reward address.
    error ZeroAddress();
    /// @notice Only the live pool sets the fee.
    error OnlyPool(address caller);
    /// @notice Only the validator registry tells of validators.
    error OnlyValidators(address caller);

    // --- governance ---

    /// @notice Adds a row to the table of tiers. @return tierId
    function addTier(Tier calldata values) external returns (uint256 tierId);
    /// @notice Changes a tier. A new `feeBp` applies to operators who join from then on; bonds apply to all, when a key
    /// is proven and when bond is withdrawn.
    function setTier(uint256 tierId, Tier calldata values) external;
    /// @notice Adds an operator to any tier, open or not. @return operatorId
    function addOperator(
        uint256 tierId,
        address owner,
        address rewardAddress,
        string calldata name
    ) external returns (uint256 operatorId);
    /// @notice Governance: ends the freeze that a slashing began. Debt stays; a further slashing freezes again.
    function unfreeze(uint256 operatorId) external;
    /// @notice Guardian: locks `amount` wei of an operator's bond for at most thirty days, within which a vote can confirm it.
    /// `evidence` is the hash of what it saw. One fine at a time.
    function lockFine(uint256 operatorId, uint256 amount, bytes32 evidence) external;
    /// @notice Governance: the locked shares become cover.
    function confirmFine(uint256 operatorId) external;
    /// @notice Governance: the locked shares go back to the bond, debt repaid first.
    function cancelFine(uint256 operatorId) external;
    /// @notice As cancelFine, by anyone, once the fine lapsed.
    function releaseFine(uint256 operatorId) external;

    // --- operators ---

    /// @notice Joins an open tier; the caller owns the operator. @return operatorId
    function join(uint256 tierId, address rewardAddress, string calldata name) external returns (uint256 operatorId);
    /// @notice Owner only. The proposed owner must accept; zero withdraws the proposal.
    function proposeOwner(uint256 operatorId, address pendingOwner) external;
    /// @notice The proposed owner only.
    function acceptOwnership(uint256 operatorId) external;
    /// @notice Owner only.
    function setRewardAddress(uint256 operatorId, address rewardAddress) external;
    /// @notice Owner only. Zero: nobody.
    function setManager(uint256 operatorId, address manager) external;
    /// @notice Owner only. Names are in the events alone.
    function rename(uint256 operatorId, string calldata name) external;
    /// @notice Adds the ether sent to the bond, as shares at the current rate; debt is repaid from them first. Anyone.
    function addBond(uint256 operatorId) external payable;
    /// @notice As addBond, of the caller's estETH, exactly `shares` (needs allowance).
    function addBondShares(uint256 operatorId, uint256 shares) external;
    /// @notice As addBond, of the caller's westETH (needs allowance).
    function addBondWrapped(uint256 operatorId, uint256 amount) external;
    /// @notice Owner only. Withdraws free bond shares; what stays covers the full requirement of all proven validators.
    function withdrawBond(uint256 operatorId, uint256 shares, address to) external;
    /// @notice As withdrawBond, as `amount` westETH.
    function withdrawBondWrapped(uint256 operatorId, uint256 amount, address to) external;
    /// @notice Sends all rewards as estETH, after repaying debt. The owner or the reward address. @return shares sent
    function claimRewards(uint256 operatorId, address to) external returns (uint256 shares);
    /// @notice As claimRewards, as westETH; less than 1e9 shares stay. @return amount westETH sent
    function claimRewardsWrapped(uint256 operatorId, address to) external returns (uint256 amount);
    /// @notice As claimRewards, into the operator's own bond. @return shares added
    function compoundRewards(uint256 operatorId) external returns (uint256 shares);

    // --- anyone ---

    /// @notice Sends the treasury its part of the fees as estETH. @return shares sent, possibly zero
    function payTreasury() external returns (uint256 shares);

    // --- views ---

    /// @notice Reverts with UnknownOperator. Rewards since `settledAt` are not in it: see claimableShares.
    function operator(uint256 operatorId) external view returns (Operator memory);
    /// @notice Operators have the ids from 1 to this; none is ever removed.
    function operatorCount() external view returns (uint256);
    /// @notice A row of the table. Reverts with UnknownTier.
    function tier(uint256 tierId) external view returns (Tier memory);
    /// @notice Tiers have the ids from 0 on, below this; none is ever removed.
    function tierCount() external view returns (uint256);
    /// @notice Wei required for `count` validators in `tierId`.
    function requiredBond(uint256 tierId, uint256 count) external view returns (uint256);
    /// @notice What the operator has at stake, in wei rounded down: its bond, and 1 ETH for each queued key; and what
    /// its queued and active validators require.
    function bondOf(uint256 operatorId) external view returns (uint256 bond, uint256 required);
    /// @notice Shares that withdrawBond would let go.
    function freeBond(uint256 operatorId) external view returns (uint256);
    /// @notice The fine that is locked; zero shares if none.
    function fineOf(uint256 operatorId) external view returns (Fine memory);
    /// @notice What rewards are shared by: shares for each unit of weight so far, the weight of all operators, and their
    /// active validators.
    function rewardTotals() external view returns (uint128 sharesPerWeight, uint64 weight, uint64 active);
    /// @notice What payTreasury would send now.
    function treasuryShares() external view returns (uint256);
    /// @notice What a claim would send now.
    function claimableShares(uint256 operatorId) external view returns (uint256);
    /// @notice Why a validator of the operator may be asked to exit: out of turn where it has debt or is frozen; and without
    /// demand where it has debt, or was frozen seven days ago and governance did not unfreeze it.
    function exitCause(uint256 operatorId) external view returns (bool outOfTurn, bool withoutDemand);
    /// @notice The validator registry.
    function validators() external view returns (address);
    /// @notice estETH; it names the live pool.
    function token() external view returns (IStakedEther);
    /// @notice westETH, in which bonds and rewards may be paid too.
    function wrapped() external view returns (IWrappedStakedEther);

    // --- pool only ---

    /// @notice From now on fees are `totalFeeBp` of the gain; those minted so far are divided first.
    function setTotalFee(uint256 totalFeeBp) external;

    // --- validator registry only ---

    /// @notice Reverts unless `caller` owns or manages the operator, and it is not frozen and has no debt.
    function checkPredeposit(uint256 operatorId, address caller) external view;
    /// @notice A key was proven or put back: checks the bond at 98% of the requirement. @return tierId
    function onProven(uint256 operatorId) external returns (uint256 tierId);
    /// @notice `count` queued keys were funded; `bondShares` are credited and their weight starts.
    function onFunded(uint256 operatorId, uint256 count, uint256 bondShares) external;
    /// @notice A validator stops earning weight.
    function onWeightStopped(uint256 operatorId) external;
    /// @notice A validator was proven withdrawn with `shortfall` wei missing: moves bond shares to cover.
    function onWithdrawn(uint256 operatorId, uint256 shortfall) external;
    /// @notice A validator that was proven withdrawn before turned out to lack `shortfall` wei more: moves bond shares to cover.
    function onLateShortfall(uint256 operatorId, uint256 shortfall) external;
    /// @notice A slashing was proven: freezes the operator.
    function onSlashed(uint256 operatorId) external;
    /// @notice A queued key is dropped: the operator is frozen, has debt, or is in doubt and its bond too small. Reverts
    /// otherwise.
    function onDropped(uint256 operatorId) external;
}
