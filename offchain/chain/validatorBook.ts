/**
 * Every validator's record, from the events of the validator registry: the registry itself keeps records by key and no list of keys.
 * Pure; `ValidatorReader` feeds it.
 */
import type { Hex } from "../util/hex.ts";

export type ValidatorStatus = "predeposited" | "queued" | "dropped" | "active" | "exiting" | "withdrawn";

export interface ValidatorEntry {
  readonly keyRoot: Hex;
  readonly pubkey: Hex;
  readonly operatorId: bigint;
  readonly status: ValidatorStatus;
  /** From the proof on. */
  readonly tier: number | undefined;
  readonly sequence: number | undefined;
  readonly validatorIndex: number | undefined;
  /** Funded by its operator out of turn: it has no place in the order of exits. */
  readonly outOfTurn: boolean;
  /** The execution block. */
  readonly fundedBlock: number | undefined;
  /** From the first request until its exit is proven, whatever became of the request. */
  readonly exitRequested: boolean;
  readonly withdrawableEpoch: bigint | undefined;
  readonly slashed: boolean;
  readonly weightStopped: boolean;
}

/** An event of the registry, in the order of the chain. */
export type ValidatorEvent = { readonly block: number } & (
  | {
      readonly kind: "Predeposited";
      readonly operatorId: bigint;
      readonly keys: readonly { readonly keyRoot: Hex; readonly pubkey: Hex }[];
    }
  | {
      readonly kind: "Proven";
      readonly keyRoot: Hex;
      readonly tier: number;
      readonly sequence: number;
      readonly validatorIndex: number;
    }
  | { readonly kind: "Funded"; readonly tier: number; readonly from: number; readonly to: number }
  | { readonly kind: "Exiting"; readonly keyRoot: Hex; readonly withdrawableEpoch: bigint }
  | {
      readonly kind: "FundedOwn" | "Dropped" | "ExitRequested" | "Withdrawn" | "Slashed" | "WeightStopped";
      readonly keyRoot: Hex;
    }
);

export type ValidatorBook = ReadonlyMap<Hex, ValidatorEntry>;

/** The records after these events, by key root, in the order of their predeposits. */
export function validatorBook(events: Iterable<ValidatorEvent>): ValidatorBook {
  const entries = new Map<Hex, ValidatorEntry>();
  const queued = new Map<string, Hex>(); // place in a tier's queue => key root
  const place = (tier: number | undefined, sequence: number | undefined): string => `${tier}/${sequence}`;
  const change = (keyRoot: Hex, fields: Partial<ValidatorEntry>): void => {
    const entry = entries.get(keyRoot);
    if (entry === undefined) throw new Error(`an event of ${keyRoot}, which was never predeposited`);
    if (entry.status === "queued" && fields.status !== undefined && fields.status !== "queued")
      queued.delete(place(entry.tier, entry.sequence));
    entries.set(keyRoot, { ...entry, ...fields });
  };
  for (const event of events) {
    switch (event.kind) {
      case "Predeposited":
        for (const key of event.keys) entries.set(key.keyRoot, { ...NEW, ...key, operatorId: event.operatorId });
        break;
      case "Proven": {
        const { keyRoot, tier, sequence, validatorIndex } = event;
        change(keyRoot, { status: "queued", tier, sequence, validatorIndex });
        queued.set(place(tier, sequence), keyRoot);
        break;
      }
      case "Funded":
        for (let sequence = event.from; sequence < event.to; sequence++) {
          const keyRoot = queued.get(place(event.tier, sequence));
          if (keyRoot !== undefined) change(keyRoot, { status: "active", fundedBlock: event.block });
        }
        break;
      case "FundedOwn":
        change(event.keyRoot, { status: "active", fundedBlock: event.block, outOfTurn: true });
        break;
      case "Dropped":
        change(event.keyRoot, { status: "dropped" });
        break;
      case "ExitRequested":
        change(event.keyRoot, { exitRequested: true });
        break;
      case "Exiting":
        change(event.keyRoot, { status: "exiting", exitRequested: false, withdrawableEpoch: event.withdrawableEpoch });
        break;
      case "Withdrawn": // a second time where it was slashed after the first
        change(event.keyRoot, { status: "withdrawn", exitRequested: false });
        break;
      case "Slashed":
        change(event.keyRoot, { slashed: true });
        break;
      case "WeightStopped":
        change(event.keyRoot, { weightStopped: true });
        break;
    }
  }
  return entries;
}

const NEW = {
  status: "predeposited",
  tier: undefined,
  sequence: undefined,
  validatorIndex: undefined,
  outOfTurn: false,
  fundedBlock: undefined,
  exitRequested: false,
  withdrawableEpoch: undefined,
  slashed: false,
  weightStopped: false,
} as const;

/** The public keys whose balances a report sums: of all validators ever funded. */
export function fundedKeys(book: ValidatorBook): Hex[] {
  return [...book.values()].filter(({ fundedBlock }) => fundedBlock !== undefined).map(({ pubkey }) => pubkey);
}
