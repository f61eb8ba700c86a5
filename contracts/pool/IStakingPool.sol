// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IStakingPool
/// @notice Where ether waits between stakers, validators and withdrawals, and where a report becomes a rebase.
interface IStakingPool {
    /// @notice What the oracle passes on from an accepted report. Times are unix seconds.
    struct ReportData {
        uint256 refTime; // time of the reference slot
        uint256 elapsed; // between the reference slots, at most two frames
        uint256 clBalance; // wei: all validators funded by the reference block
        uint256 leaving; // wei: the part of clBalance that is on its way out
        uint256 withdrawalVaultBalance; // wei, at the reference block
        uint256 rewardsVaultBalance; // wei, at the reference block
        uint256 cutoff; // rounds that ended by then may be finalised
        uint256 nextCutoff; // when the queue's current round ends at the latest
        uint256 openUntil; // deposits pause when the next report is not there by then
        bool incident; // the committee saw one: finalise nothing
    }

    /// @notice What a report did to the rate, for the oracle's bounds. Totals before, and after gain and fee.
    struct Outcome {
        uint256 etherBefore;
        uint256 sharesBefore;
        uint256 etherAfter;
        uint256 sharesAfter;
    }

    /// @notice All the pool's books, as they are handed to its successor.
    struct Books {
        uint256 clLast; // wei at the last reference slot
        uint256 fundedAtLastRef; // wei, cumulative
        uint256 funded; // wei, cumulative: 32 ETH a validator
        uint256 fundedBefore; // wei, cumulative, by `fundingBoundary`
        uint256 fundingBoundary; // the last reference time before the last funding
        uint256 fundedTime; // of the last funding, unix seconds
        uint256 cover; // shares on the queue's account waiting to be burned
        uint256 heldBack; // wei: gains above the limit, not yet recognised
        uint256 highWaterRate; // ray, rounded up
        uint256 finalisationRate; // ray: F of the last report
        uint256 leaving; // wei at the last reference slot: on its way from validators
        uint256 lastRefTime;
        uint256 lastCutoff;
        uint256 lastReportTime; // of the last report's execution
        uint256 slashingTime; // latest slot time at which a slashing was proven
        uint256 slashed; // proven since the last report, in states after its reference
        uint256 slashedEarlier; // those that the last report may not have contained
        uint256 depositCeiling; // wei: T may not exceed it until the next report
        uint256 openUntil;
        bool finalisable; // the last report allowed finalisation
        bool paused; // deposits, by a role
    }

    event Deposited(address indexed sender, address indexed receiver, uint256 amount, uint256 shares, address referral);
    event ReportApplied(
        uint256 indexed refTime,
        int256 gross,
        int256 recognised,
        uint256 heldBack,
        uint256 fee,
        uint256 paid,
        uint256 burned
    );
    event ValidatorsFunded(uint256 count, uint256 bondShares);
    event FinalisationContinued(uint256 paid, uint256 sharesBurned);
    event CoverAdded(uint256 shares);
    event SlashingNoted(uint256 slotTime);
    event DepositsPaused(bool paused);
    event PolicyChanged(address treasury, uint256 feeBp, uint256 maxAprBp, uint256 depositCapGwei);
    event HandedOver(address indexed newPool);
    /// @notice A report waits for signatures or for governance: nothing moves until one is applied.
    event Held();

    error ZeroDeposit();
    /// @notice The queue was asked to pay a claim to the pool.
    error StakesForQueue();
    error DepositsArePaused();
    /// @notice No deposits: the report is overdue (or the pool is not open yet).
    error ReportOverdue(uint256 openUntil);
    error DepositCapReached(uint256 totalEther, uint256 ceiling);
    error OnlyOracle(address caller);
    error OnlyValidators(address caller);
    error OnlyOperators(address caller);
    error OnlyVault(address caller);
    error OnlyToken(address caller);
    error OnlyQueue(address caller);
    error OnlyPredecessor(address caller);
    error NotDepositable(uint256 wanted, uint256 depositable);
    error TotalWouldBeZero(int256 gain);
    /// @notice The vault's reported balance is above what it holds.
    error VaultBalanceImpossible(address vault, uint256 reported, uint256 atMost);
    /// @notice The reference lies before the last report was executed: merge into a later frame.
    error ReferenceTooOld(uint256 refTime, uint256 oldest);
    error WrongValue(uint256 value, uint256 expected);
    error FinalisationNotAllowed();
    error NothingToFinalise();
    error OutOfRange(uint256 value, uint256 limit);
    error TransferFailed(address to, uint256 amount);
    error ZeroAddress();
    error NoDepositContract(address depositContract);

    /// @notice Stakes msg.value for `receiver`. @return shares minted, rounded down.
    function deposit(address receiver, address referral) external payable returns (uint256 shares);
    /// @notice Governance only, once: opens the pool; locks the ether sent (at least 0.01 ETH) for ever.
    /// Reference times are whole frames after `refTime`, which counts as reported. Deposits stay open until `openUntil`; the
    /// queue's first round ends by `firstCutoff`.
    function bootstrap(uint256 refTime, uint256 openUntil, uint256 firstCutoff) external payable;
    /// @notice Continues the last report's finalisation as far as the buffer now reaches. Anyone.
    function continueFinalisation() external returns (uint256 paid);

    /// @notice Oracle only.
    function applyReport(ReportData calldata report) external returns (Outcome memory);
    /// @notice Oracle only: a report waits for approvals. No deposits, fundings or payments until one is applied.
    function hold() external;
    /// @notice Queue only: takes `amount` for requests that it finalises.
    function payQueue(uint256 amount) external;
    /// @notice Vaults only: ether that a report swept.
    function receiveFromVault() external payable;
    /// @notice Validator registry only: deposits 31 ETH for each of these proven validators (public keys of 48 bytes), with
    /// the withdrawal vault's credentials, and credits the operators' 1 ETH each as bond. Refused while a report is overdue.
    /// @return bondShares minted to the operator registry for all of them, rounded down
    function fundValidators(bytes[] calldata pubkeys) external returns (uint256 bondShares);
    /// @notice Validator registry only: as fundValidators, one proven validator with 31 ETH of `staker`, which come along and
    /// are an ordinary deposit, under the same limits. @return bondShares as in fundValidators
    function fundOwn(bytes calldata pubkey, address staker) external payable returns (uint256 bondShares);
    /// @notice Validator registry only: a slashing was proven in the state of a slot at `slotTime`.
    function noteSlashing(uint256 slotTime) external;
    /// @notice Operator registry only: `shares` were moved to the queue's account and are to be burned by reports.
    function addCover(uint256 shares) external;
    /// @notice Token only: sends ether and books to the successor.
    function handOver(address newPool) external;
    /// @notice The old pool only, within replacePool.
    function takeOver(Books calldata books) external payable;

    /// @notice T + heldBack - etherAtValidators: the booked ether here.
    function buffer() external view returns (uint256);
    function etherAtValidators() external view returns (uint256);
    /// @notice What unfinalised requests would get at the current rate, rounded up.
    function promised() external view returns (uint256);
    /// @notice max(0, buffer - promised).
    function depositable() external view returns (uint256);
    /// @notice Ether promised to requests that is neither here nor on its way, when `asked` validators were asked to exit
    /// since an hour before the last reference: max(0, promised - buffer - leaving - 32 ETH * asked).
    function exitDemand(uint256 asked) external view returns (uint256);
    /// @notice Whether requests are open and the last report's finalisation may go on: the report allowed it, none is overdue
    /// or held, and slashings that no report contains are few (decision 014). What pays or prices at the rate asks this.
    /// @return isCalm the answer
    /// @return refTime reference time of the last report, unix seconds; never goes back
    function calm() external view returns (bool isCalm, uint256 refTime);
    function books() external view returns (Books memory);
    function validators() external view returns (address);
    function operators() external view returns (address);
    function oracle() external view returns (address);
    /// @notice Takes the part of the fee that is not the operators'.
    function treasury() external view returns (address);
}
