/** Follows what was sent until it is in a block, or can't be any more. */
import type { Provider, TransactionReceipt, TransactionResponse } from "ethers";
import { argsOf, decodeEvents, leftBy, toChainError } from "../../../offchain/chain/index.ts";
import { ChainError } from "../../../offchain/chain/index.ts";
import type { ChainEvent, Protocol } from "../../../offchain/chain/index.ts";
import type { TxRecord } from "./store.ts";

/** Blocks that are searched for what took a nonce. */
const SEARCHED = 50;
/** A node that never saw it, and a nonce that is still free: after so long it is not coming. */
const DROPPED_AFTER_MS = 10 * 60_000;

/** After so many blocks none is replaced any more: an epoch. */
const BURIED_AFTER = 32;

/** Whether there may be news of it: it is in no block, or in one that may still be replaced. */
export function isFollowed({ state, block, isBuried }: TxRecord): boolean {
  return state === "pending" || (block !== undefined && isBuried !== true);
}

/** What is known now of a record that is followed; undefined while nothing changed. @throws where the node does not answer */
export async function look(protocol: Protocol, record: TxRecord): Promise<Partial<TxRecord> | undefined> {
  const { provider } = protocol;
  if (record.state !== "pending") return lookAgain(protocol, record);
  const [receipt, transaction, used, block] = await Promise.all([
    provider.getTransactionReceipt(record.hash),
    record.nonce === undefined ? provider.getTransaction(record.hash) : undefined,
    provider.getTransactionCount(record.from),
    provider.getBlockNumber(),
  ]);
  if (receipt !== null) return included(protocol, record, receipt);
  const known = record.nonce ?? transaction?.nonce;
  const nonce = known ?? record.nextNonce;
  if (used > nonce) return replaced(protocol, record, nonce, block);
  const isForgotten = Date.now() - record.sentAt > DROPPED_AFTER_MS;
  if (block < record.sentBlock || (isForgotten && (await provider.getTransaction(record.hash)) === null))
    return { state: "dropped" };
  return known === record.nonce ? undefined : { nonce: known };
}

async function lookAgain(protocol: Protocol, record: TxRecord): Promise<Partial<TxRecord> | undefined> {
  const { provider } = protocol;
  const [receipt, latest] = await Promise.all([
    provider.getTransactionReceipt(record.minedAs ?? record.hash),
    provider.getBlockNumber(),
  ]);
  // another branch of the chain, without it: it may come into a block again
  if (receipt === null)
    return { state: "pending", block: undefined, minedAs: undefined, outcome: undefined, beside: undefined };
  if (receipt.blockNumber !== record.block) return included(protocol, record, receipt);
  return latest >= receipt.blockNumber + BURIED_AFTER ? { isBuried: true } : undefined;
}

async function included(protocol: Protocol, record: TxRecord, receipt: TransactionReceipt): Promise<Partial<TxRecord>> {
  const block = receipt.blockNumber;
  if (receipt.status === 0)
    return { state: "reverted", block, ...(await reasonOf(protocol.provider, record, receipt)) };
  const events = decodeEvents(protocol, receipt.logs);
  const beside = besideOf(record, events);
  return {
    ...{ state: "done", block, outcome: String(outcomeOf(record, events)) },
    ...(beside === undefined ? {} : { beside: String(beside) }),
  };
}

/** Another transaction of the account took its place: the same with another fee, or something else. */
async function replaced(
  protocol: Protocol,
  record: TxRecord,
  nonce: number,
  latest: number,
): Promise<Partial<TxRecord> | undefined> {
  const { provider } = protocol;
  const found = await whatTook(provider, record, nonce, latest);
  // its receipt may have come between the two questions
  if (found === undefined)
    return (await provider.getTransactionReceipt(record.hash)) === null ? { state: "replaced" } : undefined;
  const isSame =
    found.to?.toLowerCase() === record.to.toLowerCase() &&
    found.data === record.data &&
    String(found.value) === record.value;
  const receipt = isSame ? await provider.getTransactionReceipt(found.hash) : null;
  if (receipt === null) return { state: "replaced", minedAs: found.hash };
  return { ...(await included(protocol, record, receipt)), minedAs: found.hash };
}

async function whatTook(
  provider: Provider,
  { from, sentBlock }: TxRecord,
  nonce: number,
  latest: number,
): Promise<TransactionResponse | undefined> {
  for (let number = Math.max(sentBlock, latest - SEARCHED); number <= latest; number++) {
    const block = await provider.getBlock(number, true);
    const found = block?.prefetchedTransactions.find(
      (transaction) => transaction.nonce === nonce && transaction.from.toLowerCase() === from.toLowerCase(),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A mined failure carries no reason: the same call in its block usually tells it. */
async function reasonOf(
  provider: Provider,
  { from, to, data, value }: TxRecord,
  { blockNumber }: TransactionReceipt,
): Promise<Partial<TxRecord>> {
  try {
    await provider.call({ from, to, data, value, blockTag: blockNumber });
    return {};
  } catch (error) {
    const known = toChainError(error);
    const name = known instanceof ChainError ? (known.revert?.name ?? known.kind) : "unknown";
    return { reason: { name, sentence: known.message } };
  }
}

/** What the person got, wei: of ether, estETH or westETH, by kind; of predeposits the number of keys. */
function outcomeOf(record: TxRecord, events: readonly ChainEvent[]): bigint {
  const sum = (list: readonly { readonly amount: bigint }[]): bigint =>
    list.reduce((total, { amount }) => total + amount, 0n);
  const received = (contract: "token" | "wrapped" | "etherPool"): bigint => receivedBy(record, events, contract);
  switch (record.kind) {
    case "stake":
    case "unwrap":
    case "claimRewards":
    case "withdrawBond":
      return received("token");
    case "stakeAndWrap":
    case "wrap":
    case "claimRewardsWrapped":
    case "withdrawBondWrapped":
      return received("wrapped");
    case "request":
    case "requestWrapped":
      return sum(argsOf(events, "queue", "WithdrawalRequested"));
    case "leave":
    case "exitToEther":
      return leftBy(events).ether;
    case "provide":
    case "enter":
      return received("etherPool");
    case "exit":
      return argsOf<{ ether_: bigint }>(events, "etherPool", "Exited").reduce(
        (total, { ether_ }) => total + ether_,
        0n,
      );
    case "claim":
      return sum(argsOf(events, "queue", "WithdrawalClaimed"));
    case "predeposit":
      return BigInt(
        argsOf<{ keyRoots: readonly string[] }>(events, "validators", "Predeposited").flatMap(({ keyRoots }) => [
          ...keyRoots,
        ]).length,
      );
    case "approve":
    case "join":
    case "addBond":
    case "compoundRewards":
      return BigInt(record.amount);
  }
}

function besideOf(record: TxRecord, events: readonly ChainEvent[]): bigint | undefined {
  if (record.kind === "leave" || record.kind === "exitToEther") return leftBy(events).queued;
  return record.kind === "exit" ? receivedBy(record, events, "token") : undefined;
}

function receivedBy(
  { from }: TxRecord,
  events: readonly ChainEvent[],
  contract: "token" | "wrapped" | "etherPool",
): bigint {
  return argsOf<{ to: string; value: bigint }>(events, contract, "Transfer")
    .filter(({ to }) => to.toLowerCase() === from.toLowerCase())
    .reduce((total, { value }) => total + value, 0n);
}
