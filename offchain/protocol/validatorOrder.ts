/** Whose turn it is among validators, to be funded and to exit: the twin of ValidatorQueues.sol. */

/** IValidatorRegistry.TierQueue, as far as the order needs it. */
export interface TierQueue {
  readonly queued: bigint;
  /** Ever. */
  readonly funded: bigint;
  /** Ever proven exiting or withdrawn. */
  readonly exiting: bigint;
  /** Exit requests outstanding. */
  readonly requested: bigint;
  readonly targetShareBp: bigint;
  readonly maxShareBp: bigint;
}

const BP = 10_000n;

/** Validators that were funded, neither exit nor were asked to. */
export function staying(queue: TierQueue): bigint {
  return queue.funded - queue.exiting - queue.requested;
}

/** Among tiers with queued keys the one furthest below its target share, counted with the next validator; none at its maximum. */
export function nextTierToFund(queues: readonly TierQueue[]): number | undefined {
  const waiting = queues.flatMap(({ queued }, tier) => (queued > 0n ? [tier] : []));
  const [only] = waiting;
  if (only === undefined) return undefined;
  if (waiting.length === 1 && queues[only]?.maxShareBp === BP) return only;
  const total = queues.reduce((sum, { funded, exiting }) => sum + funded - exiting, 1n);
  return best(queues, (queue) => {
    const present = (queue.funded - queue.exiting) * BP;
    if (queue.queued === 0n || present >= queue.maxShareBp * total) return undefined;
    return queue.targetShareBp * total - present;
  });
}

/** Among tiers with validators that stay the one furthest above its target share. */
export function nextTierToExit(queues: readonly TierQueue[]): number | undefined {
  const total = queues.reduce((sum, queue) => sum + staying(queue), 0n);
  return best(queues, (queue) => {
    const present = staying(queue) * BP;
    return present === 0n ? undefined : present - queue.targetShareBp * total;
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
function best(queues: readonly TierQueue[], gapOf: (queue: TierQueue) => bigint | undefined): number | undefined {
  let found: { tier: number; gap: bigint } | undefined;
  for (const [tier, queue] of queues.entries()) {
    const gap = gapOf(queue);
    if (gap !== undefined && (found === undefined || gap > found.gap)) found = { tier, gap };
  }
  return found?.tier;
}
