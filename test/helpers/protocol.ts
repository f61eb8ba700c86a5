/** The fixture of everything that tests the deployed protocol. */
import type { ContractTransactionReceipt } from "ethers";
import type { CompactSignature } from "../../devnet/committee.ts";
import { fundValidators, startLocalProtocol } from "../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../devnet/simulated/localProtocol.ts";
import type { ValidatorKey } from "../../devnet/keys.ts";
import type { Report } from "../../offchain/protocol/report.ts";
import { connection } from "./network.ts";

export interface Protocol extends LocalProtocol {
  /** The next report as the committee would read it; advances the beacon until its reference slot is final. */
  readReport(overrides?: Partial<Report>, frames?: number): Promise<Report>;
  sign(report: Report, count?: number): Promise<CompactSignature[]>;
  report(overrides?: Partial<Report>, count?: number, frames?: number): Promise<ContractTransactionReceipt>;
  /** Keys of operator 1, from key to funded; `first` is the index of the first key (0 unless told). */
  fundValidator(count: number, first?: number): Promise<ValidatorKey[]>;
}

/** Deploys the protocol beside a fresh beacon. Pass it to `loadFixture`. */
export async function protocol(): Promise<Protocol> {
  const local = await startLocalProtocol(connection);
  return {
    ...local,
    readReport: (overrides, frames) => local.committee.read(overrides, frames),
    sign: (report, count) => local.committee.sign(report, count),
    report: (overrides, count, frames) => local.committee.report(overrides, count, frames),
    fundValidator: (count, first = 0) => fundValidators(local, count, first),
  };
}
