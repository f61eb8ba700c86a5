/** A report with its signatures, to the contract: first in simulation, which also says how many signatures a fall needs. */
import type { Provider, Signer } from "ethers";
import type { ReportOracle } from "../../typechain-types/contracts/oracle/ReportOracle.ts";
import type { Header } from "../beacon/proofs.ts";
import { ChainError, toChainError } from "../chain/errors.ts";
import type { Clock } from "../util/clock.ts";
import { AppError, EXIT, isAbort } from "../util/errors.ts";
import type { Report } from "../protocol/report.ts";
import { layerError } from "./layers.ts";
import { compact } from "./wire.ts";
import type { SignedReport } from "./wire.ts";

/** What goes to the oracle. Signatures are sorted by signer. */
export type Delivery =
  | {
      readonly kind: "submission";
      readonly report: Report;
      readonly signed: readonly SignedReport[];
      /** Of the reported block and of those without a payload that follow it: more than one where there are such. */
      readonly headers?: readonly Header[] | undefined;
    }
  | { readonly kind: "announcement"; readonly report: Report; readonly signed: readonly SignedReport[] };

export type Simulation =
  | { readonly kind: "accepted" }
  | { readonly kind: "too few"; readonly needed: number }
  | { readonly kind: "governance"; readonly reportHash: string }
  /** A report for this slot or a later one is there. */
  | { readonly kind: "superseded" }
  /** EIP-4788 has another root first after the reference. */
  | { readonly kind: "wrong root"; readonly reason: string }
  /** For any other reason, of whichever contract, in a sentence. */
  | { readonly kind: "refused"; readonly reason: string };

/** @throws LayerError */
export async function simulate(oracle: ReportOracle, delivery: Delivery, from: string): Promise<Simulation> {
  try {
    await providerOf(oracle).call({ ...(await callOf(oracle, delivery)), from });
    return { kind: "accepted" };
  } catch (error) {
    const failure = toChainError(error);
    if (!(failure instanceof ChainError) || failure.kind !== "reverted") throw layerError("execution", error);
    const { name, args = {}, message } = failure.revert ?? {};
    if (name === "NotEnoughSignatures") return { kind: "too few", needed: Number(args["required"]) };
    if (name === "FallNeedsGovernance") return { kind: "governance", reportHash: String(args["reportHash"]) };
    if (name === "ReferenceNotNewer") return { kind: "superseded" };
    const reason = name === undefined ? failure.message : `${message} (${name})`;
    return { kind: name === "WrongBlockRoot" || name === "WrongHeader" ? "wrong root" : "refused", reason };
  }
}

/** A place of the account, and how often a transaction was sent for it. */
export interface Unmined {
  readonly nonce: number;
  readonly attempts: number;
}

export interface SendOptions {
  readonly clock: Clock;
  /** What was sent before and not mined: each time the fee rises, in the same place of the account. */
  readonly unmined?: Unmined | undefined;
  /** Wei a unit of gas, at most. */
  readonly maxFeePerGas: bigint;
  /** Seconds to wait for the receipt. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

export type Sent =
  | { readonly kind: "mined"; readonly hash: string; readonly gasUsed: bigint; readonly block: number }
  | { readonly kind: "reverted"; readonly hash: string }
  | { readonly kind: "not mined"; readonly hash: string; readonly unmined: Unmined }
  /** A transaction of an earlier run, perhaps, waits in that place. */
  | { readonly kind: "underpriced"; readonly unmined: Unmined }
  | { readonly kind: "too dear"; readonly feePerGas: bigint }
  | { readonly kind: "no funds"; readonly balance: bigint; readonly cost: bigint };

/** @throws AppError (unavailable) where the node or the signer refuses */
export async function send(
  oracle: ReportOracle,
  delivery: Delivery,
  signer: Signer,
  { clock, unmined, maxFeePerGas, timeout, signal }: SendOptions,
): Promise<Sent> {
  const provider = providerOf(oracle);
  let again: Unmined | undefined;
  try {
    const from = await signer.getAddress();
    const call = await callOf(oracle, delivery);
    const [nonce, fees, gas, balance] = await Promise.all([
      // the account sends nothing else: what was sent before and not mined is replaced
      provider.getTransactionCount(from, "latest"),
      provider.getFeeData(),
      provider.estimateGas({ ...call, from }),
      provider.getBalance(from),
    ]);
    const attempt = unmined?.nonce === nonce ? unmined.attempts : 0;
    again = { nonce, attempts: attempt + 1 };
    const gasLimit = (gas * 6n) / 5n;
    const raise = (fee: bigint): bigint => (fee * 5n ** BigInt(attempt)) / 4n ** BigInt(attempt);
    const feePerGas = raise(fees.maxFeePerGas ?? fees.gasPrice ?? 0n);
    if (feePerGas > maxFeePerGas) return { kind: "too dear", feePerGas };
    if (balance < gasLimit * feePerGas) return { kind: "no funds", balance, cost: gasLimit * feePerGas };
    const tip = raise(fees.maxPriorityFeePerGas ?? 0n);
    const { hash } = await signer.sendTransaction({
      ...call,
      from,
      nonce,
      gasLimit,
      maxFeePerGas: feePerGas,
      maxPriorityFeePerGas: tip < feePerGas ? tip : feePerGas,
    });
    const until = clock.now() + timeout;
    for (;;) {
      const receipt = await provider.getTransactionReceipt(hash);
      if (receipt?.status === 0) return { kind: "reverted", hash };
      if (receipt !== null) return { kind: "mined", hash, gasUsed: receipt.gasUsed, block: receipt.blockNumber };
      if (clock.now() >= until) return { kind: "not mined", hash, unmined: again };
      await clock.sleep(2, signal);
    }
  } catch (error) {
    if (isAbort(error)) throw error;
    const failure = toChainError(error);
    if (again !== undefined && failure instanceof ChainError && failure.kind === "underpriced")
      return { kind: "underpriced", unmined: again };
    throw new AppError(EXIT.unavailable, `the ${delivery.kind} was not sent: ${failure.message}`, {
      cause: error,
    });
  }
}

async function callOf(oracle: ReportOracle, delivery: Delivery): Promise<{ to: string; data: string }> {
  const { report, signed } = delivery;
  const signatures = signed.map(({ signature }) => compact(signature));
  const { interface: abi } = oracle;
  const to = await oracle.getAddress();
  if (delivery.kind === "announcement")
    return { to, data: abi.encodeFunctionData("announceReport", [report, signatures]) };
  const { headers = [] } = delivery;
  if (headers.length < 2) return { to, data: abi.encodeFunctionData("submitReport", [report, signatures]) };
  return { to, data: abi.encodeFunctionData("submitReportOver", [report, signatures, [...headers]]) };
}

function providerOf(oracle: ReportOracle): Provider {
  const provider = oracle.runner?.provider;
  if (provider === null || provider === undefined) throw new Error("the oracle has no provider");
  return provider;
}
