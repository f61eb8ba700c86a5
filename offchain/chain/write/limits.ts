/** What a transaction at the EtherPool is held to: who gets it, until when, and how far what it gives or costs may move meanwhile. */
import { BP, bp, wei } from "../../protocol/units.ts";
import type { Bp, Wei } from "../../protocol/units.ts";
import type { BlockRef } from "../multicall.ts";
import type { Context } from "./prepare.ts";

/** How much less than the quote may come of it, or more be asked for, before it is refused. */
const USUAL_TOLERANCE = bp(50n);
const USUAL_SECONDS = 1_200n;
/** The fee on top of the last wei that leaving at once usually stays below. */
export const USUAL_FEE = bp(30n);

export interface Limits {
  /** Default: the signer. */
  readonly receiver?: string | undefined;
  /** Seconds from the newest block in which it is valid. Default 1,200. */
  readonly seconds?: bigint | undefined;
  /** Default 50 bp. */
  readonly tolerance?: Bp | undefined;
}

export interface Terms {
  readonly receiver: string;
  /** Unix seconds. */
  readonly deadline: bigint;
  /** The amount less, or more, what is tolerated. */
  readonly least: (amount: bigint) => Wei;
  readonly most: (amount: bigint) => Wei;
}

/** What may be taken at most where `amount` was quoted. Rounded down. */
export function mostOf(amount: bigint, tolerance: Bp = USUAL_TOLERANCE): Wei {
  return wei((amount * (BP + tolerance)) / BP);
}

export async function termsOf(
  { signer }: Context,
  { block }: { readonly block: BlockRef },
  limits: Limits,
): Promise<Terms> {
  const { receiver, seconds = USUAL_SECONDS, tolerance = USUAL_TOLERANCE } = limits;
  return {
    receiver: receiver ?? (await signer.getAddress()),
    deadline: block.timestamp + seconds,
    least: (amount) => wei((amount * (BP - tolerance)) / BP),
    most: (amount) => mostOf(amount, tolerance),
  };
}
