/**
 * A transaction before it is sent: simulate it, see what it costs, send it. Reads, estimates and waiting go through the protocol's own
 * provider; the signer only signs and sends.
 */
import type { Interface, Provider, Signer, TransactionReceipt } from "ethers";
import { formatEther } from "ethers";
import type { TypedContractMethod } from "../../../typechain-types/common.ts";
import type { Hex } from "../../util/hex.ts";
import { wei } from "../../protocol/units.ts";
import type { Wei } from "../../protocol/units.ts";
import type { Protocol } from "../connect.ts";
import { ChainError, readable, toChainError } from "../errors.ts";
import { decodeEvents } from "../events.ts";
import type { ChainEvent } from "../events.ts";

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

export interface SendOptions {
  /** Refuses, before anything is signed, where the fee may become more than this. */
  readonly maxFee?: Wei | undefined;
  /** Blocks to wait for, this one included. Default 1. */
  readonly confirmations?: number;
  readonly nonce?: number;
  readonly signal?: AbortSignal | undefined;
  /** As soon as the node has it. */
  readonly onSent?: (hash: Hex) => void;
}

export interface Sent<Outcome> {
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
  /** Runs it without sending it. @throws ChainError: what the contract refuses */
  simulate(): Promise<Result>;
  /** @throws ChainError: what the contract refuses, or the account lacks */
  estimate(): Promise<Cost>;
  /** @throws ChainError */
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

/** A function that returns nothing gives undefined. */
type Returned<R> = R extends readonly [infer First] ? (undefined extends First ? undefined : First) : undefined;

const GAS_MARGIN = { numerator: 6n, denominator: 5n };

export interface Intent<A extends unknown[], R, Outcome> {
  readonly label: string;
  readonly contract: Target;
  readonly method: TypedContractMethod<A, R> | TypedContractMethod<A, R, "nonpayable">;
  readonly args: A;
  readonly value?: Wei;
  readonly outcome: (events: readonly ChainEvent[], receipt: TransactionReceipt) => Outcome;
}

export async function prepare<A extends unknown[], R, Outcome>(
  { protocol, signer }: Context,
  { label, contract, method, args, value = wei(0n), outcome }: Intent<A, R, Outcome>,
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
    return (fragment.outputs.length === 1 ? values[0] : undefined) as Returned<R>;
  };
  const estimate = async (): Promise<Cost> => {
    const [gas, fees, balance] = await readable(() =>
      Promise.all([provider.estimateGas(transaction), currentFees(provider), provider.getBalance(transaction.from)]),
    );
    const gasLimit = (gas * GAS_MARGIN.numerator) / GAS_MARGIN.denominator;
    const maxFee = wei(gasLimit * fees.maxFeePerGas);
    const total = wei(value + maxFee);
    if (balance < total)
      throw new ChainError(
        "insufficient-funds",
        `${transaction.from} has ${formatEther(balance)} ETH and needs ${formatEther(total)} ETH for the amount and the gas`,
      );
    const { maxFeePerGas, maxPriorityFeePerGas, expectedPerGas } = fees;
    const expectedFee = wei(gas * expectedPerGas);
    return { gas, gasLimit, maxFeePerGas, maxPriorityFeePerGas, expectedFee, maxFee, value, total };
  };
  return {
    label,
    transaction,
    simulate: () => simulateAt("latest"),
    estimate,
    async send({ maxFee, confirmations = 1, nonce, signal, onSent } = {}) {
      signal?.throwIfAborted();
      const cost = await estimate();
      if (maxFee !== undefined && cost.maxFee > maxFee)
        throw new ChainError(
          "refused",
          `the fee may be ${formatEther(cost.maxFee)} ETH, above the limit of ${formatEther(maxFee)} ETH: nothing was sent`,
        );
      signal?.throwIfAborted();
      const hash = await readable(async () => {
        const { gasLimit, maxFeePerGas, maxPriorityFeePerGas } = cost;
        const fees = { gasLimit, maxFeePerGas, maxPriorityFeePerGas, type: 2, chainId: protocol.chainId };
        const sent = await signer.sendTransaction({
          ...transaction,
          ...fees,
          ...(nonce === undefined ? {} : { nonce }),
        });
        return sent.hash as Hex;
      });
      onSent?.(hash);
      const receipt = await mined(provider, hash, confirmations, signal);
      if (receipt.status === 0) throw await reasonOf(receipt, () => simulateAt(receipt.blockNumber));
      const events = decodeEvents(protocol, receipt.logs);
      return { hash, receipt, events, outcome: outcome(events, receipt) };
    },
  };
}

/** EIP-1559: twice the base fee, so that a few full blocks don't leave the transaction behind. */
async function currentFees(
  provider: Provider,
): Promise<{ maxFeePerGas: Wei; maxPriorityFeePerGas: Wei; expectedPerGas: Wei }> {
  const [block, { maxPriorityFeePerGas, gasPrice }] = await Promise.all([
    provider.getBlock("latest"),
    provider.getFeeData(),
  ]);
  const base = block?.baseFeePerGas ?? gasPrice ?? 0n;
  const priority = maxPriorityFeePerGas ?? 0n;
  return {
    maxFeePerGas: wei(2n * base + priority),
    maxPriorityFeePerGas: wei(priority),
    expectedPerGas: wei(base + priority),
  };
}

async function mined(
  provider: Provider,
  hash: Hex,
  confirmations: number,
  signal: AbortSignal | undefined,
): Promise<TransactionReceipt> {
  const waiting = readable(() => provider.waitForTransaction(hash, confirmations));
  const receipt = await (signal === undefined ? waiting : Promise.race([waiting, aborted(signal)]));
  if (receipt === null) throw new ChainError("unknown", `transaction ${hash} was not mined`);
  return receipt;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
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
