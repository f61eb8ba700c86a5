/** Whose turn it is among validators, to be funded and to exit: the twin of ValidatorQueues.sol. */

/** IValidatorRegistry.TierQueue, as far as the order needs it. */
export interface TierQueue {
  readonly queued: bigint;
  /** Ever. */
  readonly funded: bigint;
  /** Ever asked to exit, or proven exiting or withdrawn without. */
  readonly leaving: bigint;
  readonly targetShareBp: bigint;
  readonly maxShareBp: bigint;
}

const BP = 10_000n;

/** Validators that were funded, neither exit nor were asked to. */
export function present({ funded, leaving }: TierQueue): bigint {
  return funded - leaving;
}

/** Whether a tier has its maximum of `total` validators, the next one included in these. */
function isAtMaximum(queue: TierQueue, total: bigint): boolean {
  return present(queue) * BP >= queue.maxShareBp * total;
}

/** All validators that are present, counted with the next one. */
function totalWithNext(queues: readonly TierQueue[]): bigint {
  return queues.reduce((sum, queue) => sum + present(queue), 1n);
}

/** Whether a queued key of `tier` may be funded by its operator, out of turn: under the maximum that binds the turns. */
export function mayTakeOwn(queues: readonly TierQueue[], tier: number): boolean {
  const queue = queues[tier];
  return queue !== undefined && queue.queued > 0n && !isAtMaximum(queue, totalWithNext(queues));
}

/** Among tiers with queued keys the one furthest below its target share, counted with the next validator; none at its maximum. */
export function nextTierToFund(queues: readonly TierQueue[]): number | undefined {
  const total = totalWithNext(queues);
  return best(queues, (queue) => {
    if (queue.queued === 0n || isAtMaximum(queue, total)) return undefined;
    return queue.targetShareBp * total - present(queue) * BP;
  });
}

/**
 * Among tiers with validators present the one furthest above its target share.
 * @param passed tiers that are left out this time; shares are of all tiers nevertheless
 */
export function nextTierToExit(
  queues: readonly TierQueue[],
  passed: ReadonlySet<number> = new Set(),
): number | undefined {
  const total = queues.reduce((sum, queue) => sum + present(queue), 0n);
  return best(queues, (queue, tier) => {
    const count = present(queue) * BP;
    return count === 0n || passed.has(tier) ? undefined : count - queue.targetShareBp * total;
  });
}

/** The tiers of the next fundings, at most `count`. */
export function fundingOrder(queues: readonly TierQueue[], count: number): number[] {
  const now = [...queues];
  const order: number[] = [];
  while (order.length < count) {
    const tier = nextTierToFund(now);
    const queue = tier === undefined ? undefined : now[tier];
    if (tier === undefined || queue === undefined) break;
    now[tier] = { ...queue, queued: queue.queued - 1n, funded: queue.funded + 1n };
    order.push(tier);
  }
  return order;
}

/** The lowest of those with the largest gap. */
function best(
  queues: readonly TierQueue[],
  gapOf: (queue: TierQueue, tier: number) => bigint | undefined,
): number | undefined {
  let found: { tier: number; gap: bigint } | undefined;
  for (const [tier, queue] of queues.entries()) {
    const gap = gapOf(queue, tier);
    if (gap !== undefined && (found === undefined || gap > found.gap)) found = { tier, gap };
  }
  return found?.tier;
}
