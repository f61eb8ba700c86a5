/** Who plays a part in the year, and which of their validators. */
import type { OperatorAccount } from "./operatorBooks.ts";
import type { Validator } from "./turns.ts";
import type { World } from "./world.ts";

export interface Cast {
  readonly griefer: OperatorAccount;
  readonly late: OperatorAccount;
  readonly dropped: OperatorAccount;
  readonly fined: OperatorAccount;
  readonly cleared: OperatorAccount;
  readonly slashed: readonly OperatorAccount[];
  readonly failing: OperatorAccount;
  readonly leaving: OperatorAccount;
  readonly indebted: OperatorAccount;
  readonly impatient: OperatorAccount;
}

/** Once all have joined. */
export function chooseCast({ operators }: World): Cast {
  const of = (tier: number, place: number): OperatorAccount => {
    const account = operators.all.filter((other) => other.tier === tier)[place];
    if (account === undefined) throw new Error(`tier ${tier} has no operator ${place}`);
    return account;
  };
  return {
    griefer: of(0, 0),
    late: of(1, 0),
    dropped: of(1, 1),
    fined: of(1, 2),
    cleared: of(0, 3),
    slashed: [of(0, 1), of(1, 4), of(0, 5)],
    failing: of(0, 6),
    leaving: of(2, 1),
    indebted: of(0, 7),
    impatient: of(2, 0),
  };
}

/** Whatever became of them, in the order of their predeposits. */
export function keysOf({ validators }: World, account: OperatorAccount): Validator[] {
  return validators.filter(({ operator }) => operator === account);
}

/** Funded, and neither slashed nor asked to exit nor leaving. */
export function stayingOf(world: World, account: OperatorAccount): Validator[] {
  return keysOf(world, account).filter(
    ({ status, slashed, requested }) => status === "active" && !slashed && !requested,
  );
}
