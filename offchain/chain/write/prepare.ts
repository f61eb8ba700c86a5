/**
 * A transaction before it is sent: simulate it, see what it costs and what comes back, send it. Reads, estimates and waiting go through the
 * protocol's own provider; the signer only signs and sends.
 */
import type { Interface, Provider, Signer, TransactionReceipt } from "ethers";
import { formatEther } from "ethers";
import type { TypedContractMethod } from "../../../typechain-types/common.ts";
import { systemClock } from "../../util/clock.ts";
import type { Hex } from "../../util/hex.ts";
import { wei } from "../../protocol/units.ts";
import type { Wei } from "../../protocol/units.ts";
import type { Protocol } from "../connect.ts";
import { ChainError, readable, toChainError } from "../errors.ts";
import { decodeEvents } from "../events.ts";
import type { ChainEvent } from "../events.ts";
import { Flight, lost } from "./flight.ts";
import { expectFunds, gasDespiteBalance, gasLimitFor } from "./funds.ts";
import { priceWithin, readMarket } from "./price.ts";

/** All in wei; gas in units of gas. */
export interface Cost {
  /** What the transaction is expected to use. */
  readonly gas: bigint;
  /** What it may use: a fifth more. */
  readonly gasLimit: bigint;
  readonly maxFeePerGas: Wei;
  readonly maxPriorityFeePerGas: Wei;
  /** At the present base fee. */
  readonly expectedFee: Wei;
  /** gasLimit * maxFeePerGas */
  readonly maxFee: Wei;
  /** The ether that is sent along. */
  readonly value: Wei;
  /** value + maxFee: what the account must have. */
  readonly total: Wei;
}

/** An amount with 18 decimals. */
export interface Amount {
  readonly asset: "ETH" | "estETH" | "westETH" | "LP";
  readonly amount: Wei;
}

/**
 * For a preview: what leaves the account beside the fee, and what comes back in the same transaction, to the receiver where there is another. What is
 * paid later is in neither.
 */
export interface Flow {
  readonly gives: readonly Amount[];
  readonly gets: readonly Amount[];
}

export interface SendOptions {
  /** Refuses, before anything is signed, where the fee may become more than this. */
  readonly maxFee?: Wei | undefined;
  /** Blocks to wait for, this one included. Default 1. */
  readonly confirmations?: number;
  readonly nonce?: number;
  /** Seconds to wait, half an hour by default: then ChainError (pending) names hash and nonce. */
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
  /** As soon as the node has it. */
  readonly onSent?: (hash: Hex) => void;
}

export interface Sent<Outcome> {
  /** Of the transaction that was mined: another than `onSent` told where it was repriced in the wallet. */
  readonly hash: Hex;
  readonly receipt: TransactionReceipt;
  readonly events: readonly ChainEvent[];
  readonly outcome: Outcome;
}

/** @typeParam Result what the call returns; @typeParam Outcome what its events say */
export interface Prepared<Result, Outcome> {
  /** What it does, for people. */
  readonly label: string;
  readonly transaction: { readonly from: string; readonly to: string; readonly data: string; readonly value: Wei };
  /** Runs it without sending it. @throws ChainError: what the contract refuses, or the account lacks */
  simulate(): Promise<Result>;
  /** @throws ChainError: what the contract refuses, or the account lacks */
  estimate(): Promise<Cost>;
  /** @param result of `simulate` */
  flow(result: Result): Flow;
  /** @throws ChainError: "replaced" where something else took its place, "pending" where it is not mined in time */
  send(options?: SendOptions): Promise<Sent<Outcome>>;
}

/** Who acts, where. */
export interface Context {
  readonly protocol: Protocol;
  readonly signer: Signer;
}

export interface Target {
  readonly target: unknown;
  readonly interface: unknown;
}

/** A function that returns nothing gives undefined; one that returns several values gives them by place and name. */
type Returned<R> = R extends readonly [infer First] ? (undefined extends First ? undefined : First) : undefined;

const TIMEOUT_SECONDS = 1_800;
const POLL_SECONDS = 1;

export interface Intent<A extends unknown[], R, Outcome> {
  readonly label: string;
  readonly contract: Target;
  readonly method: TypedContractMethod<A, R> | TypedContractMethod<A, R, "nonpayable">;
  readonly args: A;
  readonly value?: Wei;
  readonly outcome: (events: readonly ChainEvent[], receipt: TransactionReceipt) => Outcome;
  /** Default: `value` leaves, nothing comes back. */
  readonly flow?: (result: Returned<R>) => Flow;
}

export async function prepare<A extends unknown[], R, Outcome>(
  { protocol, signer }: Context,
  { label, contract, method, args, value = wei(0n), outcome, flow }: Intent<A, R, Outcome>,
): Promise<Prepared<Returned<R>, Outcome>> {
  const { provider } = protocol;
  const fragment = method.fragment;
  const abi = contract.interface as Interface;
  const transaction = {
    from: await signer.getAddress(),
    to: contract.target as string,
    data: abi.encodeFunctionData(fragment, args),
    value,
  };
  const simulateAt = async (block: number | "latest"): Promise<Returned<R>> => {
    const answer = await readable(() => provider.call({ ...transaction, blockTag: block }));
    const values = abi.decodeFunctionResult(fragment, answer);
    return (fragment.outputs.length > 1 ? values : values.toArray()[0]) as Returned<R>;
  };
  /** Some nodes refuse what the account can't pay without saying so. @returns the balance */
  const expectValue = async (): Promise<bigint> => {
    const balance = await readable(() => provider.getBalance(transaction.from));
    if (balance >= value) return balance;
    const [gas, market] = await readable(() =>
      Promise.all([gasDespiteBalance(provider, transaction), readMarket(provider)]),
    );
    expectFunds(balance, value, gas === undefined ? undefined : gasLimitFor(gas) * priceWithin(market).maxFeePerGas);
    return balance;
  };
  const estimate = async (): Promise<Cost> => {
    // asked together: whether the account has the value is looked at first
    const asked = readable(() => Promise.all([provider.estimateGas(transaction), readMarket(provider)]));
    const [balance] = await Promise.all([expectValue(), asked.catch(() => undefined)]);
    const [gas, market] = await asked;
    const price = priceWithin(market);
    const gasLimit = gasLimitFor(gas);
    const maxFee = wei(gasLimit * price.maxFeePerGas);
    expectFunds(balance, value, maxFee);
    return {
      ...{ gas, gasLimit, maxFee, value },
      maxFeePerGas: wei(price.maxFeePerGas),
      maxPriorityFeePerGas: wei(price.maxPriorityFeePerGas),
      expectedFee: wei(gas * (market.base + market.tip)),
      total: wei(value + maxFee),
    };
  };
  return {
    label,
    transaction,
    async simulate() {
      if (value > 0n) await expectValue();
      return simulateAt("latest");
    },
    estimate,
    flow: flow ?? (() => ({ gives: value > 0n ? [{ asset: "ETH", amount: value }] : [], gets: [] })),
    async send({ maxFee, confirmations, nonce, timeout = TIMEOUT_SECONDS, signal, onSent } = {}) {
      signal?.throwIfAborted();
      const { gasLimit, maxFee: fee, ...price } = await estimate();
      if (maxFee !== undefined && fee > maxFee)
        throw new ChainError(
          "refused",
          `the fee may be ${formatEther(fee)} ETH, above the limit of ${formatEther(maxFee)} ETH: nothing was sent`,
        );
      signal?.throwIfAborted();
      const pollSeconds = pollSecondsOf(provider);
      const { from, ...call } = transaction;
      const flight = new Flight({ provider, from, call, nonce, clock: systemClock, pollSeconds });
      const hash = await readable(() => flight.launch(signer, { gasLimit, price, signal }));
      onSent?.(hash as Hex);
      const settled = await flight.wait({ seconds: timeout, confirmations, signal });
      if (settled === undefined)
        throw new ChainError("pending", `${flight.name} is not mined after ${timeout} s: it may still be`);
      if (!("receipt" in settled)) throw lost(flight, settled);
      const { receipt } = settled;
      if (receipt.status === 0) throw await reasonOf(receipt, () => simulateAt(receipt.blockNumber));
      const events = decodeEvents(protocol, receipt.logs);
      return { hash: receipt.hash as Hex, receipt, events, outcome: outcome(events, receipt) };
    },
  };
}

function pollSecondsOf(provider: Provider): number {
  const { pollingInterval } = provider as { pollingInterval?: number };
  return pollingInterval === undefined ? POLL_SECONDS : pollingInterval / 1_000;
}

/** A mined failure carries no reason: the same call in its block usually tells it. */
async function reasonOf(receipt: TransactionReceipt, again: () => Promise<unknown>): Promise<Error> {
  try {
    await again();
  } catch (error) {
    return toChainError(error);
  }
  return new ChainError("reverted", `transaction ${receipt.hash} failed`);
}
