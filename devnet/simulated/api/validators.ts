/** Validators, pending deposits and checkpoints of a state, as the Beacon API shows them. */
import { hexlify } from "ethers";
import type { Validator } from "../state/state.ts";
import { epochOf } from "../state/state.ts";
import type { BeaconBlock } from "../history.ts";
import { ApiError } from "./blocks.ts";

const FAR_FUTURE = (2n ** 64n - 1n).toString();

/** https://hackmd.io/ofFJ5gOmQpu1jjHilHbdQQ, as the Beacon API specification refers to it. */
export function statusOf(validator: Validator, balanceGwei: number, epoch: number): string {
  if (validator.activationEpoch > epoch)
    return validator.activationEligibilityEpoch === Infinity ? "pending_initialized" : "pending_queued";
  if (validator.exitEpoch > epoch) {
    if (validator.exitEpoch === Infinity) return "active_ongoing";
    return validator.slashed ? "active_slashed" : "active_exiting";
  }
  if (validator.withdrawableEpoch > epoch) return validator.slashed ? "exited_slashed" : "exited_unslashed";
  return balanceGwei > 0 ? "withdrawal_possible" : "withdrawal_done";
}

/** @param ids public keys or indices; all validators without any. Ids that are not there are left out, as the specification says. */
export function validatorsJson(
  block: BeaconBlock,
  ids: readonly string[],
  statuses: readonly string[],
  balanceOf: (index: number) => number,
): object[] {
  const { state } = block;
  const all = ids.length === 0 ? state.validators.map((_, index) => index) : [];
  const indices = new Set([...all, ...ids.map((id) => indexOf(block, id)).filter((index) => index !== undefined)]);
  return [...indices]
    .map((index) => validatorJson(block, index, balanceOf(index)))
    .filter(({ status }) => statuses.length === 0 || statuses.some((wanted) => status.startsWith(wanted)));
}

export function indexOf({ state }: BeaconBlock, id: string): number | undefined {
  if (/^0x[0-9a-f]{96}$/i.test(id)) return state.indexByPubkey.get(id.toLowerCase() as `0x${string}`);
  if (!/^\d+$/.test(id)) throw new ApiError(400, `invalid validator id: ${id}`);
  return Number(id) < state.validators.length ? Number(id) : undefined;
}

export function validatorJson(
  block: BeaconBlock,
  index: number,
  balanceGwei: number,
): { readonly status: string; readonly [field: string]: unknown } {
  const validator = block.state.validators[index];
  if (validator === undefined) throw new ApiError(404, "validator not found");
  return {
    index: String(index),
    balance: String(balanceGwei),
    status: statusOf(validator, balanceGwei, epochOf(block.slot)),
    validator: {
      pubkey: validator.pubkey,
      withdrawal_credentials: validator.withdrawalCredentials,
      effective_balance: String(validator.effectiveBalanceGwei),
      slashed: validator.slashed,
      activation_eligibility_epoch: epochJson(validator.activationEligibilityEpoch),
      activation_epoch: epochJson(validator.activationEpoch),
      exit_epoch: epochJson(validator.exitEpoch),
      withdrawable_epoch: epochJson(validator.withdrawableEpoch),
    },
  };
}

export function pendingDepositsJson({ state }: BeaconBlock): object[] {
  return state.pendingDeposits.map((deposit) => ({
    pubkey: deposit.pubkey,
    withdrawal_credentials: deposit.withdrawalCredentials,
    amount: String(deposit.amountGwei),
    signature: deposit.signature,
    slot: String(deposit.slot),
  }));
}

export function checkpointsJson({ state }: BeaconBlock, rootOf: (epoch: number) => Uint8Array): object {
  const checkpoint = (epoch: number) => ({ epoch: String(epoch), root: hexlify(rootOf(epoch)) });
  return {
    previous_justified: checkpoint(state.previousJustifiedEpoch),
    current_justified: checkpoint(state.currentJustifiedEpoch),
    finalized: checkpoint(state.finalizedEpoch),
  };
}

function epochJson(epoch: number): string {
  return epoch === Infinity ? FAR_FUTURE : String(epoch);
}
