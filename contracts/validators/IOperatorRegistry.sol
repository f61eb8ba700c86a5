// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IOperatorRegistry
/// @notice Who runs validators: tiers, operators, their bonds (shares, so bonds earn and bear losses) and rewards.
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

    struct Operator {
        address owner;
        address pendingOwner;
        address rewardAddress;
        uint16 tier;
        bool frozen; // a slashing was proven: bond, queue and rewards are frozen until governance says otherwise
        uint32 predeposited; // keys waiting for a proof
        uint32 queued; // proven, not funded
        uint32 active; // funded, not yet proven withdrawn
        uint32 weighted; // funded and earning weight
        uint128 bondShares;
        uint128 rewardShares; // settled, unclaimed
        uint128 debt; // wei: shortfall the bond could not cover
    }

    event TierSet(uint256 indexed tier, Tier values);
    event OperatorAdded(uint256 indexed operatorId, uint256 indexed tier, address indexed owner, address rewardAddress, string name);
    event OwnershipProposed(uint256 indexed operatorId, address indexed pendingOwner);
    event OwnerChanged(uint256 indexed operatorId, address indexed owner);
    event RewardAddressChanged(uint256 indexed operatorId, address indexed rewardAddress);
    event BondAdded(uint256 indexed operatorId, uint256 shares);
    event BondWithdrawn(uint256 indexed operatorId, address indexed to, uint256 shares);
    event RewardsClaimed(uint256 indexed operatorId, address indexed to, uint256 shares);
    event PenaltyTaken(uint256 indexed operatorId, uint256 amount, uint256 shares, uint256 debt);
    event DebtRepaid(uint256 indexed operatorId, uint256 amount, uint256 shares);
    event OperatorFrozen(uint256 indexed operatorId, bool frozen);

    error UnknownTier(uint256 tier);
    error UnknownOperator(uint256 operatorId);
    error NotOperatorOwner(uint256 operatorId, address caller);
    error NotPendingOwner(uint256 operatorId, address caller);
    error OperatorIsFrozen(uint256 operatorId);
    error BondTooSmall(uint256 operatorId, uint256 bond, uint256 required);
    error HasDebt(uint256 operatorId, uint256 debt);
    error NothingToClaim(uint256 operatorId);
    error ZeroAmount();
    error ZeroAddress();
    error TierInvalid(uint256 bondFirst, uint256 feeBp, uint256 targetShareBp, uint256 maxShareBp);
    error OnlyPool(address caller);
    error OnlyValidators(address caller);
    error AlreadyBound(address validators);
    error NotMyValidators(address validators);

    // --- operators ---

    /// @notice Adds the ether sent to the bond, as shares at the current rate.
    function addBond(uint256 operatorId) external payable;
    /// @notice Withdraws free bond shares; what stays covers the full requirement of all proven validators.
    function withdrawBond(uint256 operatorId, uint256 shares, address to) external;
    /// @notice Sends all rewards as estETH, after repaying debt. @return shares sent
    function claimRewards(uint256 operatorId, address to) external returns (uint256 shares);

    function operator(uint256 operatorId) external view returns (Operator memory);
    function tier(uint256 tierId) external view returns (Tier memory);
    function tierCount() external view returns (uint256);
    function operatorCount() external view returns (uint256);
    /// @notice Wei required for `count` validators in `tierId`.
    function requiredBond(uint256 tierId, uint256 count) external view returns (uint256);
    function claimableShares(uint256 operatorId) external view returns (uint256);

    // --- pool only ---

    /// @notice Books the operators' part of `feeShares` (of which feeBp of the gain is `totalFeeBp`) by weight.
    /// @return operatorShares what the pool then mints to this contract; the rest is the treasury's
    function accrueFee(uint256 feeShares, uint256 totalFeeBp) external returns (uint256 operatorShares);

    // --- validator registry only ---

    /// @notice A key was predeposited by `caller`, who must own the operator; not frozen, no debt.
    function onPredeposit(uint256 operatorId, address caller, uint256 count) external;
    /// @notice A predeposited key was proven: checks the bond at 98% of the requirement. @return tierId
    function onProven(uint256 operatorId) external returns (uint256 tierId);
    /// @notice `count` queued keys were funded; `bondShares` are credited and their weight starts.
    function onFunded(uint256 operatorId, uint256 count, uint256 bondShares) external;
    /// @notice A validator stops earning weight.
    function onWeightStopped(uint256 operatorId) external;
    /// @notice A validator was proven withdrawn with `shortfall` wei missing from 32 ETH: moves bond shares to cover.
    function onWithdrawn(uint256 operatorId, uint256 shortfall) external;
    /// @notice A slashing was proven: freezes the operator.
    function onSlashed(uint256 operatorId) external;
    /// @notice A queued key was dropped because a penalty left the bond too small. Reverts if the bond suffices.
    function onDropped(uint256 operatorId) external;
    function tierOf(uint256 operatorId) external view returns (uint256);
    function bind(address validators) external;
}
