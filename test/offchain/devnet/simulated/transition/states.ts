/** Plain states for the tests of the rules: no network, no tree. */
import { MAINNET_RULES } from "../../../../../devnet/simulated/state/rules.ts";
import { addValidator, newState, startSlotOf } from "../../../../../devnet/simulated/state/state.ts";
import type { CoreState, Hex, Validator } from "../../../../../devnet/simulated/state/state.ts";

export const ETH = 1_000_000_000; // in gwei
export const RULES = MAINNET_RULES;
export const OWNER: Hex = `0x${"11".repeat(20)}`;
export const CREDENTIALS_01: Hex = `0x01${"00".repeat(11)}${"11".repeat(20)}`;
export const CREDENTIALS_02: Hex = `0x02${"00".repeat(11)}${"11".repeat(20)}`;
export const CREDENTIALS_BLS: Hex = `0x00${"22".repeat(31)}`;
export const SIGNATURE: Hex = `0x${"00".repeat(96)}`;

export function pubkeyOf(index: number): Hex {
  return `0x${index.toString(16).padStart(96, "0")}`;
}

export type ValidatorSpec = Partial<Validator> & { readonly balanceGwei?: number };

/** A validator active since epoch 0 with 32 ETH, unless told otherwise. */
export function add(state: CoreState, spec: ValidatorSpec = {}): number {
  const { balanceGwei, ...fields } = spec;
  const validator: Validator = {
    pubkey: pubkeyOf(state.validators.length),
    withdrawalCredentials: CREDENTIALS_01,
    effectiveBalanceGwei: 32 * ETH,
    slashed: false,
    activationEligibilityEpoch: 0,
    activationEpoch: 0,
    exitEpoch: Infinity,
    withdrawableEpoch: Infinity,
    ...fields,
  };
  return addValidator(state, validator, balanceGwei ?? validator.effectiveBalanceGwei);
}

/** `count` ordinary validators, at the last slot of `epoch`. */
export function stateAtEpoch(epoch: number, count = 64): CoreState {
  const state = newState({ rewardPerIncrementGwei: 347, offline: new Set(), finalityStopped: false }, 0);
  for (let i = 0; i < count; i++) add(state);
  state.slot = startSlotOf(epoch) + 31;
  state.finalizedEpoch = Math.max(0, epoch - 2);
  state.currentJustifiedEpoch = Math.max(0, epoch - 1);
  state.previousJustifiedEpoch = Math.max(0, epoch - 2);
  state.justificationBits = [true, true, true, true];
  state.previousQuorum = true;
  return state;
}
