/** Validators whose clients are there: they announce themselves every epoch (`prepare_beacon_proposer`), or are forgotten. */
import type { Hex } from "../../offchain/util/hex.ts";

const EPOCHS_REMEMBERED = 2;

export class Announcements {
  readonly #known = new Map<number, { readonly feeRecipient: Hex; readonly epoch: number }>();

  announce(validatorIndex: number, feeRecipient: Hex, epoch: number): void {
    this.#known.set(validatorIndex, { feeRecipient, epoch });
  }

  has(validatorIndex: number): boolean {
    return this.#known.has(validatorIndex);
  }

  feeRecipient(validatorIndex: number): Hex | undefined {
    return this.#known.get(validatorIndex)?.feeRecipient;
  }

  /** At the start of an epoch. */
  forgetSilent(epoch: number): void {
    for (const [index, { epoch: announced }] of this.#known)
      if (announced + EPOCHS_REMEMBERED < epoch) this.#known.delete(index);
  }
}
