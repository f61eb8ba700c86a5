/** A report with its signatures, to the contract: first in simulation, which also says how many signatures a fall needs. */
import type { Signer } from "ethers";
import type { ReportOracle } from "../../typechain-types/contracts/oracle/ReportOracle.ts";
import { ChainError, toChainError } from "../chain/errors.ts";
import type { Clock } from "../util/clock.ts";
import { AppError, EXIT, isAbort } from "../util/errors.ts";
import type { Report } from "../protocol/report.ts";
import { layerError } from "./layers.ts";
import { compact } from "./wire.ts";
import type { SignedReport } from "./wire.ts";

export type Simulation =
  | { readonly kind: "accepted" }
  | { readonly kind: "too few"; readonly needed: number }
  | { readonly kind: "governance"; readonly reportHash: string }
  /** A report for this slot or a later one is there. */
  | { readonly kind: "superseded" }
  /** For any other reason, of whichever contract, in a sentence. */
  | { readonly kind: "refused"; readonly reason: string };

/** @param signed sorted by signer @throws LayerError */
export async function simulate(
  oracle: ReportOracle,
  report: Report,
  signed: readonly SignedReport[],
  from: string,
): Promise<Simulation> {
  try {
    await oracle.submitReport.staticCall(report, signaturesOf(signed), { from });
    return { kind: "accepted" };
  } catch (error) {
    const failure = toChainError(error);
    if (!(failure instanceof ChainError) || failure.kind !== "reverted") throw layerError("execution", error);
    const { name, args = {}, message } = failure.revert ?? {};
    if (name === "NotEnoughSignatures") return { kind: "too few", needed: Number(args["required"]) };
    if (name === "FallNeedsGovernance") return { kind: "governance", reportHash: String(args["reportHash"]) };
    if (name === "ReferenceNotNewer") return { kind: "superseded" };
    return { kind: "refused", reason: name === undefined ? failure.message : `${message} (${name})` };
  }
}

export interface SendOptions {
  readonly clock: Clock;
  /** How often this report was sent before without being mined: each time the fee rises, in the same place of the account. */
  readonly attempt: number;
  /** Wei a unit of gas, at most. */
  readonly maxFeePerGas: bigint;
  /** Seconds to wait for the receipt. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

export type Sent =
  | { readonly kind: "mined"; readonly hash: string; readonly gasUsed: bigint; readonly block: number }
  | { readonly kind: "reverted"; readonly hash: string }
  | { readonly kind: "not mined"; readonly hash: string }
  | { readonly kind: "too dear"; readonly feePerGas: bigint }
  | { readonly kind: "no funds"; readonly balance: bigint; readonly cost: bigint };

/** @throws AppError (unavailable) where the node or the signer refuses */
export async function send(
  oracle: ReportOracle,
  report: Report,
  signed: readonly SignedReport[],
  signer: Signer,
  { clock, attempt, maxFeePerGas, timeout, signal }: SendOptions,
): Promise<Sent> {
  const provider = oracle.runner?.provider;
  if (provider === null || provider === undefined) throw new Error("the oracle has no provider");
  try {
    const from = await signer.getAddress();
    const [nonce, fees, gas, balance] = await Promise.all([
      // the account sends reports only: what was sent before and not mined is replaced
      provider.getTransactionCount(from, "latest"),
      provider.getFeeData(),
      oracle.submitReport.estimateGas(report, signaturesOf(signed), { from }),
      provider.getBalance(from),
    ]);
    const gasLimit = (gas * 6n) / 5n;
    const raise = (fee: bigint): bigint => (fee * 5n ** BigInt(attempt)) / 4n ** BigInt(attempt);
    const feePerGas = raise(fees.maxFeePerGas ?? fees.gasPrice ?? 0n);
    if (feePerGas > maxFeePerGas) return { kind: "too dear", feePerGas };
    if (balance < gasLimit * feePerGas) return { kind: "no funds", balance, cost: gasLimit * feePerGas };
    const tip = raise(fees.maxPriorityFeePerGas ?? 0n);
    const transaction = await oracle.submitReport.populateTransaction(report, signaturesOf(signed), {
      from,
      nonce,
      gasLimit,
      maxFeePerGas: feePerGas,
      maxPriorityFeePerGas: tip < feePerGas ? tip : feePerGas,
    });
    const { hash } = await signer.sendTransaction(transaction);
    const until = clock.now() + timeout;
    for (;;) {
      const receipt = await provider.getTransactionReceipt(hash);
      if (receipt?.status === 0) return { kind: "reverted", hash };
      if (receipt !== null) return { kind: "mined", hash, gasUsed: receipt.gasUsed, block: receipt.blockNumber };
      if (clock.now() >= until) return { kind: "not mined", hash };
      await clock.sleep(2, signal);
    }
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new AppError(EXIT.unavailable, `the report was not sent: ${toChainError(error).message}`, { cause: error });
  }
}

function signaturesOf(signed: readonly SignedReport[]): { r: string; vs: string }[] {
  return signed.map(({ signature }) => compact(signature));
}
