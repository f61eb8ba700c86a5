/** A report with its signatures, to the contract: first in simulation, which also says how many signatures a fall needs. */
import type { Provider, Signer } from "ethers";
import type { ReportOracle } from "../../typechain-types/contracts/oracle/ReportOracle.ts";
import type { Header } from "../beacon/proofs.ts";
import { ChainError, toChainError } from "../chain/errors.ts";
import { Flight, lost } from "../chain/write/flight.ts";
import { gasLimitFor } from "../chain/write/funds.ts";
import { TooExpensive, dearer, priceWithin, readMarket } from "../chain/write/price.ts";
import type { Price } from "../chain/write/price.ts";
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

/** What was sent and is not mined yet, at which price. */
export interface Unmined {
  readonly flight: Flight;
  readonly price: Price;
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
  /** By a transaction that is none of ours, in a sentence. */
  | { readonly kind: "replaced"; readonly reason: string }
  | { readonly kind: "too dear"; readonly reason: string }
  | { readonly kind: "no funds"; readonly balance: bigint; readonly cost: bigint };

const POLL_SECONDS = 2;

/** @throws AppError (unavailable) where the node or the signer refuses */
export async function send(
  oracle: ReportOracle,
  delivery: Delivery,
  signer: Signer,
  { clock, unmined, maxFeePerGas, timeout, signal }: SendOptions,
): Promise<Sent> {
  const provider = providerOf(oracle);
  try {
    const from = await signer.getAddress();
    const call = { ...(await callOf(oracle, delivery)), value: 0n };
    const [nonce, market, gas, balance] = await Promise.all([
      // the account sends nothing else: what was sent before and not mined is replaced
      provider.getTransactionCount(from, "latest"),
      readMarket(provider),
      provider.estimateGas({ ...call, from }),
      provider.getBalance(from),
    ]);
    const before = unmined?.flight.nonce === nonce ? unmined : undefined;
    const isSame = before?.flight.call.data === call.data;
    const raised =
      before === undefined ? priceWithin(market, maxFeePerGas) : dearer(before.price, market, maxFeePerGas);
    // at the limit already: another delivery can't replace what waits, and the same one has more time
    if (raised === undefined && !isSame) throw new TooExpensive(market.base + market.tip, maxFeePerGas);
    const price = raised ?? before?.price ?? priceWithin(market, maxFeePerGas);
    const flight =
      before !== undefined && isSame
        ? before.flight
        : new Flight({ provider, from, call, nonce, clock, pollSeconds: POLL_SECONDS });
    if (raised !== undefined) {
      const gasLimit = gasLimitFor(gas);
      const cost = gasLimit * price.maxFeePerGas;
      if (balance < cost) return { kind: "no funds", balance, cost };
      try {
        await flight.launch(signer, { gasLimit, price, signal });
      } catch (error) {
        if (error instanceof ChainError && error.kind === "underpriced")
          return { kind: "underpriced", unmined: { flight, price } };
        throw error;
      }
    }
    const settled = await flight.wait({ seconds: timeout, signal });
    if (settled === undefined)
      return { kind: "not mined", hash: flight.hashes.at(-1) ?? "", unmined: { flight, price } };
    if (!("receipt" in settled)) return { kind: "replaced", reason: lost(flight, settled).message };
    const { hash, status, gasUsed, blockNumber: block } = settled.receipt;
    return status === 0 ? { kind: "reverted", hash } : { kind: "mined", hash, gasUsed, block };
  } catch (error) {
    if (isAbort(error)) throw error;
    if (error instanceof TooExpensive) return { kind: "too dear", reason: error.message };
    throw new AppError(EXIT.unavailable, `the ${delivery.kind} was not sent: ${toChainError(error).message}`, {
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
