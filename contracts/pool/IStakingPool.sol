// SPDX-License-Identifier: MIT
pragma solidity >=0.8.20;

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

    /// @notice Ether was staked, be it by an operator for its own key. `amount` in wei; `referral` is kept nowhere.
    event Deposited(address indexed sender, address indexed receiver, uint256 amount, uint256 shares, address referral);
    /// @notice Amounts in wei, `burned` in shares.
    /// @param gross change since the last report, with what was held back by then
    /// @param recognised the part of it that changes T: a gain up to the yearly limit, a fall whole
    /// @param heldBack the rest of a gain, which the next report counts again
    /// @param fee on the recognised gain, minted as shares to the operator registry
    /// @param paid to the queue
    /// @param burned from cover
    event ReportApplied(
        uint256 indexed refTime,
        int256 gross,
        int256 recognised,
        uint256 heldBack,
        uint256 fee,
        uint256 paid,
        uint256 burned
    );
    /// @notice `count` validators got 31 ETH each; for their predeposits of 1 ETH `bondShares` were minted.
    event ValidatorsFunded(uint256 count, uint256 bondShares);
    /// @notice `paid` wei went to the queue between reports, for requests that the last one could not reach.
    event FinalisationContinued(uint256 paid, uint256 sharesBurned);
    /// @notice A penalty, a fine or repaid debt: `shares` moved to the queue's account, to be burned by reports.
    event CoverAdded(uint256 shares);
    /// @notice A slashing was proven in the state of a slot at `slotTime`, unix seconds.
    event SlashingNoted(uint256 slotTime);
    /// @notice A role paused or resumed deposits. A fall, a ceiling or an overdue report stops them without this event.
    event DepositsPaused(bool paused);
    /// @notice Fee and limits apply from the next report on, the treasury at once.
    event PolicyChanged(address treasury, uint256 feeBp, uint256 maxAprBp, uint256 depositCapGwei);
    /// @notice Ether and books went to `newPool`; nothing is left to do here.
    event HandedOver(address indexed newPool);
    /// @notice A report waits for signatures or for governance: nothing moves until one is applied.
    event Held();

    /// @notice A deposit of nothing.
    error ZeroDeposit();
    /// @notice The queue was asked to pay a claim to the pool.
    error StakesForQueue();
    /// @notice A role paused deposits.
    error DepositsArePaused();
    /// @notice No deposits: the report is overdue (or the pool is not open yet).
    error ReportOverdue(uint256 openUntil);
    /// @notice With the deposit T would be `totalEther`, above what the last report allows until the next. Wei; after a
    /// fall of more than 5 bp the ceiling is zero.
    error DepositCapReached(uint256 totalEther, uint256 ceiling);
    // The function is this peer's alone; `caller` is who called instead.
    error OnlyOracle(address caller);
    error OnlyValidators(address caller);
    error OnlyOperators(address caller);
    error OnlyVault(address caller);
    error OnlyToken(address caller);
    error OnlyQueue(address caller);
    error OnlyPredecessor(address caller);
    /// @notice More than the buffer has beyond what is promised to requests. Wei.
    error NotDepositable(uint256 wanted, uint256 depositable);
    /// @notice The report takes all of T, or more. Wei, negative.
    error TotalWouldBeZero(int256 gain);
    /// @notice The vault's reported balance is above what it holds.
    error VaultBalanceImpossible(address vault, uint256 reported, uint256 atMost);
    /// @notice The reference lies before the last report was executed: merge into a later frame.
    error ReferenceTooOld(uint256 refTime, uint256 oldest);
    /// @notice An operator's own funding comes with exactly 31 ETH. Wei.
    error WrongValue(uint256 value, uint256 expected);
    /// @notice The last report forbids it, the next is overdue or held, or too many slashings are in none.
    error FinalisationNotAllowed();
    /// @notice No request of a round that ended in time waits, or the buffer does not reach the next one.
    error NothingToFinalise();
    /// @notice A policy's fee or yearly limit is above what this contract allows. Basis points.
    error OutOfRange(uint256 value, uint256 limit);
    /// @notice The queue did not take the ether of what it finalised.
    error TransferFailed(address to, uint256 amount);
    /// @notice A policy without a treasury.
    error ZeroAddress();
    /// @notice Ether sent to an address without code would be lost.
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
    /// @notice clLast + funded - fundedAtLastRef: balances at the last reference, and 32 ETH for each funded since.
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
    /// @notice Everything that a successor would take over, as it is now.
    function books() external view returns (Books memory);
    /// @notice The validator registry, which alone may ask for fundings and tell of slashings.
    function validators() external view returns (address);
    /// @notice The operator registry, which gets bonds and fees as shares.
    function operators() external view returns (address);
    /// @notice Whose reports are applied here. Another oracle comes with another pool.
    function oracle() external view returns (address);
    /// @notice Takes the part of the fee that is not the operators'.
    function treasury() external view returns (address);
}
