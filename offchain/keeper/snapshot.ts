/** Everything that the keeper decides from, read at one execution block and one finalised beacon state. */
import { call, readAll } from "../chain/multicall.ts";
import type { Call } from "../chain/multicall.ts";
import type { ValidatorBook } from "../chain/validatorBook.ts";
import type { ValidatorReader } from "../chain/validatorReader.ts";
import type { Protocol } from "../chain/connect.ts";
import type { BeaconBlockInfo, BeaconSource, StateView } from "../beacon/types.ts";
import type { TierQueue } from "../protocol/validatorOrder.ts";
import type { Hex } from "../util/hex.ts";
import { AppError, EXIT, isAbort } from "../util/errors.ts";
import type { Reason } from "./actions.ts";
import type { Trading } from "./arbitrage.ts";
import { refusalOf } from "./reverts.ts";

/** IOperatorRegistry.exitCause: the operator has debt or is frozen. */
export interface ExitCause {
  readonly indebted: boolean;
  /** It has debt, or was frozen seven days ago. */
  readonly withoutDemand: boolean;
}

export interface Snapshot {
  /** Unix seconds, of the execution block. */
  readonly now: bigint;
  readonly executionBlock: number;
  readonly slotsPerEpoch: number;
  readonly secondsPerSlot: number;
  readonly genesisTime: number;
  readonly credentials: Hex;
  readonly book: ValidatorBook;
  readonly tiers: readonly (TierQueue & { readonly exitHead: bigint })[];
  /** Unix seconds at which an exit was asked for last, by key root; of validators not proven exiting. */
  readonly exitRequestedAt: ReadonlyMap<Hex, bigint>;
  /** Operators whose validators may be asked out of turn, by id. */
  readonly exitCauses: ReadonlyMap<bigint, ExitCause>;
  /** The withdrawable epoch with which a key was proven withdrawn, by key root; of those that the state shows as slashed. */
  readonly settledEpochs: ReadonlyMap<Hex, bigint>;
  /** Wei. */
  readonly depositable: bigint;
  /** Wei. */
  readonly exitDemand: bigint;
  /** Unix seconds: deposits, fundings and payments stop when the next report is not there by then; past also while one is held. */
  readonly openUntil: bigint;
  /** Unix seconds; 0 if no request waits. */
  readonly oldestRoundEnd: bigint;
  /** Wei that `continueFinalisation` would pay now; 0 if it is not allowed or nothing waits. */
  readonly finalisable: bigint;
  /** Wei that wait for the treasury at the operator registry. */
  readonly treasury: bigint;
  /** The newest finalised block, and of its state the validators of the protocol. */
  readonly state: StateView;
  /** Of the account's own trades; a reason where it can't be told, undefined where it has no account or makes none. */
  readonly trading?: Trading | Reason | undefined;
}

export interface Sources {
  readonly protocol: Protocol;
  readonly beacon: BeaconSource;
  readonly reader: ValidatorReader;
}

/** @throws AppError (unavailable) where a node does not answer, or the two layers do not know the same chain */
export async function readSnapshot(sources: Sources, signal?: AbortSignal): Promise<Snapshot> {
  try {
    return await read(sources, signal);
  } catch (error) {
    if (error instanceof AppError || isAbort(error)) throw error;
    throw new AppError(EXIT.unavailable, `execution node: ${refusalOf(error).message}`, { cause: error });
  }
}

async function read(sources: Sources, signal: AbortSignal | undefined): Promise<Snapshot> {
  const { protocol, beacon, reader } = sources;
  const chain = await beacon.chain(signal);
  const [block, finalizedSlot] = await Promise.all([
    protocol.provider.getBlock("latest"),
    beacon.finalizedSlot(signal),
  ]);
  if (block === null) throw new AppError(EXIT.unavailable, "the execution node has no block");
  const finalized = await beacon.blockAtOrBefore(finalizedSlot, signal);
  await expectSameChain(protocol, finalized);
  const book = await reader.bookAt(block.number, { signal });
  const at = { blockTag: block.number };
  const { validators, pool, queue, operators } = protocol;
  const [tierCount, credentials, depositable, exitDemand, books, oldestRoundEnd, finalisable, treasuryShares] =
    await Promise.all([
      validators.tierCount(at),
      validators.withdrawalCredentials(at),
      pool.depositable(at),
      validators.exitDemand(at),
      pool.books(at),
      queue.oldestRoundEnd(at),
      pool.continueFinalisation.staticCall(at).catch(zeroIfRefused),
      operators.treasuryShares(at),
    ]);
  const requested = [...book.values()].filter(({ exitRequested }) => exitRequested);
  const [tiers, records, exitCauses, state] = await Promise.all([
    Promise.all(Array.from({ length: Number(tierCount) }, (_, tier) => validators.tierQueue(tier, at))),
    Promise.all(requested.map(({ keyRoot }) => validators.validator(keyRoot, at))),
    readExitCauses(protocol, book, block.number),
    beacon.readState(finalized, pubkeysOfInterest(book), signal, fundedUpTo(book, finalized.execution.number)),
  ]);
  const lateSlashed = [...book.values()].filter(
    ({ status, pubkey }) => status === "withdrawn" && state.validators.get(pubkey)?.slashed === true,
  );
  const settled = await Promise.all(lateSlashed.map(({ keyRoot }) => validators.validator(keyRoot, at)));
  return {
    now: BigInt(block.timestamp),
    executionBlock: block.number,
    slotsPerEpoch: chain.slotsPerEpoch,
    secondsPerSlot: chain.secondsPerSlot,
    genesisTime: chain.genesisTime,
    credentials: credentials as Hex,
    book,
    tiers: tiers.map(({ queued, funded, leaving, targetShareBp, maxShareBp, exitHead }) => ({
      queued,
      funded,
      leaving,
      targetShareBp,
      maxShareBp,
      exitHead,
    })),
    exitRequestedAt: new Map(requested.map(({ keyRoot }, i) => [keyRoot, records[i]?.exitRequestedAt ?? 0n])),
    exitCauses,
    settledEpochs: new Map(lateSlashed.map(({ keyRoot }, i) => [keyRoot, settled[i]?.settledEpoch ?? 0n])),
    depositable,
    exitDemand,
    openUntil: books.openUntil,
    oldestRoundEnd,
    finalisable,
    treasury: await protocol.token.getPooledEthByShares(treasuryShares, at),
    state,
  };
}

/** What the contract refuses pays nothing; what a node can't answer is another matter. */
function zeroIfRefused(error: unknown): bigint {
  if (refusalOf(error).isRevert) return 0n;
  throw error;
}

/** Debt comes with a withdrawal, a freeze with a slashing: nobody else's operator need be asked. */
async function readExitCauses(protocol: Protocol, book: ValidatorBook, block: number): Promise<Map<bigint, ExitCause>> {
  const { operators } = protocol;
  const entries = [...book.values()].filter(({ status, slashed }) => slashed || status === "withdrawn");
  const ids = [...new Set(entries.map(({ operatorId }) => operatorId))];
  if (ids.length === 0) return new Map();
  const ask = <T>(of: (id: bigint) => Call<T>) =>
    readAll(protocol, Object.fromEntries(ids.map((id) => [String(id), of(id)])), block);
  const [causes, records] = await Promise.all([
    ask((id) => call(operators, operators.exitCause, id)),
    ask((id) => call(operators, operators.operator, id)),
  ]);
  return new Map(
    ids.flatMap((id): [bigint, ExitCause][] => {
      const [cause, record] = [causes.values[String(id)], records.values[String(id)]];
      if (cause?.outOfTurn !== true) return [];
      return [[id, { indebted: record !== undefined && record.debt > 0n, withoutDemand: cause.withoutDemand }]];
    }),
  );
}

/** All but the keys that never were funded and never will be: a withdrawn one may still turn out to be slashed. */
function pubkeysOfInterest(book: ValidatorBook): Hex[] {
  return [...book.values()].filter(({ status }) => status !== "dropped").map(({ pubkey }) => pubkey);
}

/** Their keys were proven before that block: a state of it without one of them is another. */
function fundedUpTo(book: ValidatorBook, block: number): Hex[] {
  return [...book.values()].filter(({ fundedBlock = Infinity }) => fundedBlock <= block).map(({ pubkey }) => pubkey);
}

/** The execution node must have the block that the beacon block carries. */
async function expectSameChain({ provider }: Protocol, { execution }: BeaconBlockInfo): Promise<void> {
  const block = await provider.getBlock(execution.number);
  if (block?.hash !== execution.hash)
    throw new AppError(
      EXIT.unavailable,
      `the execution node has ${block?.hash ?? "nothing"} as block ${execution.number}, the beacon node ${execution.hash}`,
    );
}
