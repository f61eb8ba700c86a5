/** `@estuary/sdk/protocol`: the formulas and the whole ledger in bigints, without a chain. */
export * from "../../../offchain/protocol/apr.ts";
export * from "../../../offchain/protocol/bond.ts";
export * from "../../../offchain/protocol/books.ts";
export * from "../../../offchain/protocol/errors.ts";
export * from "../../../offchain/protocol/frames.ts";
export * from "../../../offchain/protocol/leaving.ts";
export * from "../../../offchain/protocol/queue.ts";
export * from "../../../offchain/protocol/rails.ts";
export * from "../../../offchain/protocol/rebase.ts";
export * from "../../../offchain/protocol/report.ts";
export * from "../../../offchain/protocol/shares.ts";
export * from "../../../offchain/protocol/units.ts";
export * from "../../../offchain/protocol/waiting.ts";
export * from "../../../offchain/protocol/wrapped.ts";
export { ProtocolModel } from "../../../offchain/protocol/model.ts";
export type { Settings } from "../../../offchain/protocol/model.ts";
export type { ReportInput, ReportOutcome, VaultBalance } from "../../../offchain/protocol/applyReport.ts";
