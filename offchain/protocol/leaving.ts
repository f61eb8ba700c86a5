/** Which validators' balances are on their way to the withdrawal vault (docs/decisions/015): what a report calls `leavingGwei`. */

/** Of a validator in a beacon state; 2^64 - 1 for an epoch that is not set. */
export interface ExitEpochs {
  readonly slashed: boolean;
  readonly exitEpoch: bigint;
  readonly withdrawableEpoch: bigint;
}

const FAR_FUTURE_EPOCH = 2n ** 64n - 1n;
/** Fourteen days: by then a slashed validator's penalties are taken, but for what inactivity costs. */
const SLASHED_LEAVES_WITHIN = 14n * 225n;

/**
 * An exit that has begun, however long the exit queue is: nobody who is asked to exit later comes sooner. Of a slashed validator, which is held
 * for 36 days, only the last 14.
 * @param epoch of the reference slot
 */
export function isLeaving({ slashed, exitEpoch, withdrawableEpoch }: ExitEpochs, epoch: bigint): boolean {
  if (exitEpoch === FAR_FUTURE_EPOCH) return false;
  return !slashed || withdrawableEpoch <= epoch + SLASHED_LEAVES_WITHIN;
}
