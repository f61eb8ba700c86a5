/** Slashings and voluntary exits that wait for a block. What a state would refuse is never proposed. */
import type { BeaconConfig } from "@lodestar/config";
import { MAX_ATTESTER_SLASHINGS_ELECTRA, MAX_PROPOSER_SLASHINGS, MAX_VOLUNTARY_EXITS, ForkSeq } from "@lodestar/params";
import {
  assertValidAttesterSlashing,
  assertValidProposerSlashing,
  getVoluntaryExitValidity,
  isSlashableValidator,
  isValidVoluntaryExit,
} from "@lodestar/state-transition";
import type { CachedBeaconStateElectra } from "@lodestar/state-transition";
import type { electra, phase0 } from "@lodestar/types";

export class InvalidOperationError extends Error {
  override readonly name = "InvalidOperationError";
}

export interface Operations {
  readonly attesterSlashings: electra.AttesterSlashing[];
  readonly proposerSlashings: phase0.ProposerSlashing[];
  readonly voluntaryExits: phase0.SignedVoluntaryExit[];
}

export class OperationPool {
  readonly attesterSlashings: electra.AttesterSlashing[] = [];
  readonly proposerSlashings: phase0.ProposerSlashing[] = [];
  readonly voluntaryExits: phase0.SignedVoluntaryExit[] = [];
  readonly #config: BeaconConfig;

  constructor(config: BeaconConfig) {
    this.#config = config;
  }

  /** @throws InvalidOperationError */
  addAttesterSlashing(state: CachedBeaconStateElectra, slashing: electra.AttesterSlashing): void {
    const { epochCtx, slot, validators } = state;
    check(() =>
      assertValidAttesterSlashing(this.#config, epochCtx.pubkeyCache, slot, validators.length, slashing, true),
    );
    if (slashableIndices(state, slashing).length === 0) throw new InvalidOperationError("nobody is slashable by it");
    this.attesterSlashings.push(slashing);
  }

  /** @throws InvalidOperationError */
  addProposerSlashing(state: CachedBeaconStateElectra, slashing: phase0.ProposerSlashing): void {
    const { epochCtx, slot } = state;
    const proposer = state.validators.getReadonly(slashing.signedHeader1.message.proposerIndex);
    check(() => assertValidProposerSlashing(this.#config, epochCtx.pubkeyCache, slot, slashing, proposer, true));
    this.proposerSlashings.push(slashing);
  }

  /** @throws InvalidOperationError */
  addVoluntaryExit(state: CachedBeaconStateElectra, exit: phase0.SignedVoluntaryExit): void {
    const validity = getVoluntaryExitValidity(ForkSeq.electra, state, exit, true);
    if ((validity as string) !== "valid") throw new InvalidOperationError(`voluntary exit: ${validity}`);
    this.voluntaryExits.push(exit);
  }

  /** What a block on this state may carry. A validator is slashed by one operation only. */
  pack(state: CachedBeaconStateElectra): Operations {
    const taken = new Set<number>();
    const attesterSlashings = this.attesterSlashings
      .filter((slashing) => takesNobodyTwice(taken, slashableIndices(state, slashing)))
      .slice(0, MAX_ATTESTER_SLASHINGS_ELECTRA);
    const proposerSlashings = this.proposerSlashings
      .filter(({ signedHeader1: { message } }) =>
        takesNobodyTwice(taken, isSlashable(state, message.proposerIndex) ? [message.proposerIndex] : []),
      )
      .slice(0, MAX_PROPOSER_SLASHINGS);
    const voluntaryExits = this.voluntaryExits
      .filter((exit) => !taken.has(exit.message.validatorIndex))
      .filter((exit) => isValidVoluntaryExit(ForkSeq.electra, state, exit, false))
      .slice(0, MAX_VOLUNTARY_EXITS);
    return { attesterSlashings, proposerSlashings, voluntaryExits };
  }

  /** Forgets what the head's state has no more use for. */
  onBlock(state: CachedBeaconStateElectra): void {
    retain(this.attesterSlashings, (slashing) => slashableIndices(state, slashing).length > 0);
    retain(this.proposerSlashings, ({ signedHeader1 }) => isSlashable(state, signedHeader1.message.proposerIndex));
    retain(this.voluntaryExits, (exit) => isValidVoluntaryExit(ForkSeq.electra, state, exit, false));
  }
}

function slashableIndices(state: CachedBeaconStateElectra, slashing: electra.AttesterSlashing): number[] {
  const second = new Set(slashing.attestation2.attestingIndices);
  return slashing.attestation1.attestingIndices.filter((index) => second.has(index) && isSlashable(state, index));
}

function isSlashable(state: CachedBeaconStateElectra, index: number): boolean {
  return isSlashableValidator(state.validators.getReadonly(index), state.epochCtx.epoch);
}

/** Empty is refused as well. */
function takesNobodyTwice(taken: Set<number>, indices: readonly number[]): boolean {
  if (indices.length === 0 || indices.some((index) => taken.has(index))) return false;
  for (const index of indices) taken.add(index);
  return true;
}

function check(assertion: () => void): void {
  try {
    assertion();
  } catch (error) {
    throw new InvalidOperationError(error instanceof Error ? error.message : String(error));
  }
}

function retain<T>(list: T[], keep: (item: T) => boolean): void {
  list.splice(0, list.length, ...list.filter(keep));
}
