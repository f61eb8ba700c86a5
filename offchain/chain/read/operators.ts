/** All operators, with the names that they gave themselves: what a list of them shows. */
import type { Log } from "ethers";
import type { Protocol } from "../connect.ts";
import { EventsMissing, NOTHING_KEPT, readAtOnce, readOn, readWhole } from "../feed.ts";
import type { Feed, FeedOptions, Kept } from "../feed.ts";
import { parsedLog } from "../logs.ts";
import { call, headOf, readAll } from "../multicall.ts";
import type { BlockRef, Head } from "../multicall.ts";
import { operatorCalls, operatorFrom } from "./operator.ts";
import type { OperatorStatus } from "./operator.ts";
import { tierCalls, tiersFrom } from "./protocol.ts";

export interface NamedOperator extends OperatorStatus {
  readonly name: string;
}

interface Naming {
  readonly block: number;
  readonly operatorId: bigint;
  readonly name: string;
  readonly isNew: boolean;
}

export interface OperatorList {
  readonly block: BlockRef;
  /** In the order in which they joined. */
  readonly operators: readonly NamedOperator[];
  /** For the next call: only what came since is read. */
  readonly kept: Kept<Naming>;
}

export interface OperatorListOptions extends FeedOptions {
  readonly kept?: Kept<Naming>;
}

/** As many as the registry counts. @throws ChainError, AppError (unavailable) */
export async function readOperators(protocol: Protocol, options: OperatorListOptions = {}): Promise<OperatorList> {
  const at = options.at ?? (await headOf(protocol.provider));
  const { kept = NOTHING_KEPT } = options;
  return readWhole(protocol.provider, kept.items.length === 0, async (anew) =>
    readList(protocol, anew ? NOTHING_KEPT : kept, at, options),
  );
}

/**
 * For a first reading in two waits: the events and the newest block, which `readOperators` goes on from; undefined where the node does not give
 * all events at once.
 */
export async function firstOperators(
  protocol: Protocol,
): Promise<Required<Pick<OperatorListOptions, "at" | "kept">> | undefined> {
  const first = await readAtOnce(protocol.provider, namingFeed(protocol));
  return first && { at: first.head, kept: first.kept };
}

async function readList(
  protocol: Protocol,
  known: Kept<Naming>,
  at: Head,
  options: FeedOptions,
): Promise<OperatorList> {
  const { provider, operators } = protocol;
  const before = countOf(known);
  const [kept, counted, first] = await Promise.all([
    readOn(provider, namingFeed(protocol), known, at.number, { ...options, at }),
    readAll(protocol, { count: call(operators, operators.operatorCount) }, at),
    readStatuses(protocol, 1, before, at),
  ]);
  const count = countOf(kept);
  if (BigInt(count) !== counted.values.count)
    throw new EventsMissing(`the registry counts ${counted.values.count} operators, its events ${count}`);
  const more = await readStatuses(protocol, before + 1, count, at);
  const names = new Map(kept.items.map(({ operatorId, name }) => [operatorId, name]));
  const all = [...first, ...more].map((status) => ({ ...status, name: names.get(status.id) ?? "" }));
  return { block: at, operators: all, kept };
}

function countOf({ items }: Kept<Naming>): number {
  return items.filter(({ isNew }) => isNew).length;
}

function namingFeed({ operators, fromBlock }: Protocol): Feed<Naming> {
  const added = operators.interface.getEvent("OperatorAdded").topicHash;
  const renamed = operators.interface.getEvent("OperatorRenamed").topicHash;
  return {
    filter: { address: operators.target, topics: [[added, renamed]] },
    fromBlock,
    decode: (logs: readonly Log[]) =>
      logs.flatMap((log) => {
        const parsed = parsedLog(operators.interface, log);
        if (parsed === undefined) return [];
        const { operatorId, name } = parsed.args as unknown as { operatorId: bigint; name: string };
        return [{ block: log.blockNumber, operatorId, name, isNew: log.topics[0] === added }];
      }),
  };
}

/** Their ids count from 1. All in one reading: the terms of the tiers are read once. */
async function readStatuses(protocol: Protocol, from: number, to: number, at: BlockRef): Promise<OperatorStatus[]> {
  const ids = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => BigInt(from + index));
  if (ids.length === 0) return [];
  const { token } = protocol;
  const own = ids.map((id) => operatorCalls(protocol, id));
  const named = own.flatMap((calls, index) =>
    Object.entries(calls).map(([name, one]) => [`${index}.${name}`, one] as const),
  );
  const shared = { totals: call(token, token.totals), ...tierCalls(protocol) };
  const { values } = await readAll(protocol, { ...shared, ...Object.fromEntries(named) }, at);
  const tiers = tiersFrom(values);
  return ids.map((id, index) => {
    const found = Object.fromEntries(
      Object.keys(own[index] ?? {}).map((name) => [name, (values as Record<string, unknown>)[`${index}.${name}`]]),
    ) as Parameters<typeof operatorFrom>[1];
    return operatorFrom(id, found, values.totals, tiers, at);
  });
}
