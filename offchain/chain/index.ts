/** The SDK: what integrators, the command line, the daemons and the web app use (docs/integrators.md). */
export {
  connect,
  connectAt,
  ConnectError,
  deploymentSchema,
  formatDeployment,
  hasMulticall,
  namedProtocol,
  parseDeployment,
} from "./connect.ts";
export type { ConnectErrorKind, Deployment, Liquidity, Protocol } from "./connect.ts";
export { ExecutionProvider, openProvider } from "./provider.ts";
export type { ExecutionOptions } from "./provider.ts";
export { ChainError, ERRORS, decodeRevert, readable, toChainError } from "./errors.ts";
export type { ChainErrorKind, Revert } from "./errors.ts";
export { argsOf, decodeEvents } from "./events.ts";
export type { ChainEvent, ContractName } from "./events.ts";
export { call, etherOf, headOf, orElse, readAll } from "./multicall.ts";
export type { BlockRef, Call, Head, ReadOptions, Source } from "./multicall.ts";
export { readLogs } from "./logs.ts";
export { EventsMissing } from "./feed.ts";
export { NodeFailure } from "./answers.ts";
export type { RangeOptions } from "./logs.ts";
export { NOTHING_KEPT, readOn } from "./feed.ts";
export type { Cursor, Feed, Kept, Mark } from "./feed.ts";
export { aprOver, aprSummary, monthAgo, readHistory, readRewards, rewardsFrom, rewardsOf } from "./history.ts";
export type {
  Apr,
  AprSummary,
  HistoryOptions,
  Movements,
  RebaseEntry,
  RebaseHistory,
  Reward,
  RewardHistory,
  RewardReading,
} from "./history.ts";
export { fundedKeys, validatorBook } from "./validatorBook.ts";
export type { ValidatorBook, ValidatorEntry, ValidatorEvent, ValidatorStatus } from "./validatorBook.ts";
export { ValidatorReader, keyRootOf } from "./validatorReader.ts";

export { readAccount } from "./read/account.ts";
export type { AccountStatus } from "./read/account.ts";
export { liquidityOf, readEtherPool, readEtherPoolAccount } from "./read/etherPool.ts";
export type { EtherPoolAccount, EtherPoolStatus } from "./read/etherPool.ts";
export { NOTHING_LENT, ownLending, poolRecord, readLending } from "./read/lending.ts";
export type { Lending, LendingKept, OwnLending, PoolRecord } from "./read/lending.ts";
export { readProtocol } from "./read/protocol.ts";
export type { DepositBlock, ProtocolStatus, TierQueue, TierStatus, Unrest } from "./read/protocol.ts";
export { readInflow, towardsFunding, towardsQueue } from "./read/inflow.ts";
export type { Inflow } from "./read/inflow.ts";
export {
  fundingPositions,
  fundingTime,
  moreKeys,
  readOperator,
  readOperatorNames,
  readOperatorValidators,
  readOperatorsOf,
} from "./read/operator.ts";
export type { Ejection, OperatorStatus, OperatorValidator, Page, QueuedKey, ValidatorQuery } from "./read/operator.ts";
export { CLEAN_RECORD, readOperatorRecords } from "./read/record.ts";
export type { OperatorRecord } from "./read/record.ts";
export { readOutlook } from "./read/outlook.ts";
export type { Outlook } from "./read/outlook.ts";
export { firstOperators, readOperators } from "./read/operators.ts";
export type { NamedOperator, OperatorList, OperatorListOptions } from "./read/operators.ts";
export { firstWithdrawals, readWithdrawals } from "./read/withdrawals.ts";
export type { OwnerRequests, RequestState, WithdrawalRequest } from "./read/withdrawals.ts";
export { estimateWait } from "../protocol/waiting.ts";
export type { WaitEstimate, WaitInputs, WaitReason } from "../protocol/waiting.ts";

export type { Amount, Context, Cost, Flow, Prepared, SendOptions, Sent } from "./write/prepare.ts";
export { approvalFor } from "./write/permit.ts";
export { stake, stakeAndWrap, unwrap, wrap, wrapWithPermit } from "./write/stake.ts";
export { isWorthRouting, stakeBest } from "./write/stakeBest.ts";
export type { StakeBestOptions, StakedBest } from "./write/stakeBest.ts";
export { leave, leaveApproval, leftBy } from "./write/leave.ts";
export type { LeaveOptions, Leaving, Left } from "./write/leave.ts";
export { buy, enter, enterApproval, exit, exitApproval, exitToEther, provide } from "./write/provide.ts";
export type { ExitOptions, Moved, ProvideOptions, Purchase } from "./write/provide.ts";
export { USUAL_FEE, mostOf } from "./write/limits.ts";
export type { Limits } from "./write/limits.ts";
export {
  curveOf,
  marginalFee,
  quoteBuy,
  quoteEnter,
  quoteExit,
  quoteSell,
  quoteSellFor,
  sellableWithin,
} from "../protocol/etherPool.ts";
export type { Both, EtherPool, EtherPoolTerms } from "../protocol/etherPool.ts";
export { toEtherDown, toEtherUp, toSharesDown, toSharesUp } from "../protocol/shares.ts";
export type { Totals } from "../protocol/shares.ts";
export { afterExit, limitsOf, lpFor, splitExit, splitLeave, splitProvide, splitStake } from "../protocol/router.ts";
export type { LeaveSplit, Market, Provision, StakeSplit } from "../protocol/router.ts";
export {
  MOST_CLAIMS,
  claim,
  continueFinalisation,
  requestWithdrawals,
  requestWrappedWithdrawals,
  splitAmount,
} from "./write/withdraw.ts";
export {
  MOST_KEYS,
  addBond,
  addBondShares,
  addBondWrapped,
  claimRewards,
  compoundRewards,
  dropQueued,
  fundOwn,
  fundValidators,
  join,
  predeposit,
  proveValidators,
  requeue,
  setManager,
  setRewardAddress,
  withdrawBond,
} from "./write/operator.ts";
export type { BondChange, KeyDeposit } from "./write/operator.ts";
export { announceReport, proveEquivocation, submitReport } from "./write/committee.ts";
export type { ReportApplied, ReportSignature } from "./write/committee.ts";
