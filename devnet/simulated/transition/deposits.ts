/** Deposits from the contract's log to the balance: EIP-6110 requests and Electra's queue. */
import {
  EFFECTIVE_BALANCE_INCREMENT,
  FAR_FUTURE_EPOCH,
  MAX_PENDING_DEPOSITS_PER_EPOCH,
  UNSET_DEPOSIT_REQUESTS_START_INDEX,
} from "@lodestar/params";
import { activationExitChurnLimit, maxEffectiveBalance } from "./exits.ts";
import type { Rules } from "../state/rules.ts";
import {
  NEW_VALIDATOR_EPOCHS,
  addValidator,
  epochOf,
  increaseBalance,
  startSlotOf,
  validatorAt,
} from "../state/state.ts";
import type { CoreState, Hex, PendingDeposit, Validator } from "../state/state.ts";

export interface DepositRequest {
  readonly pubkey: Hex;
  readonly withdrawalCredentials: Hex;
  readonly amountGwei: number;
  readonly signature: Hex;
  /** Position in the deposit contract. */
  readonly index: bigint;
}

/** Whether the proof of possession of a deposit's key is valid. Injected: the core does no cryptography. */
export type DepositVerifier = (deposit: PendingDeposit) => boolean;

export function processDepositRequest(state: CoreState, request: DepositRequest): void {
  if (state.depositRequestsStartIndex === UNSET_DEPOSIT_REQUESTS_START_INDEX) {
    state.depositRequestsStartIndex = request.index;
  }
  const { pubkey, withdrawalCredentials, amountGwei, signature } = request;
  state.pendingDeposits.push({ pubkey, withdrawalCredentials, amountGwei, signature, slot: state.slot });
}

/** add_validator_to_registry */
export function createValidator(state: CoreState, deposit: PendingDeposit): number {
  const { pubkey, withdrawalCredentials, amountGwei } = deposit;
  const validator: Validator = {
    pubkey,
    withdrawalCredentials,
    effectiveBalanceGwei: 0,
    slashed: false,
    ...NEW_VALIDATOR_EPOCHS,
  };
  const effectiveBalanceGwei = Math.min(
    amountGwei - (amountGwei % EFFECTIVE_BALANCE_INCREMENT),
    maxEffectiveBalance(validator),
  );
  return addValidator(state, { ...validator, effectiveBalanceGwei }, amountGwei);
}

/** apply_pending_deposit: only the first deposit of a key needs a signature; a bad one is lost. */
function applyPendingDeposit(state: CoreState, deposit: PendingDeposit, verify: DepositVerifier): void {
  const index = state.indexByPubkey.get(deposit.pubkey);
  if (index !== undefined) increaseBalance(state, index, deposit.amountGwei);
  else if (verify(deposit)) createValidator(state, deposit);
}

export function processPendingDeposits(state: CoreState, rules: Rules, verify: DepositVerifier): void {
  const nextEpoch = epochOf(state.slot) + 1;
  const availableGwei = state.depositBalanceToConsumeGwei + activationExitChurnLimit(state, rules);
  const finalizedSlot = startSlotOf(state.finalizedEpoch);
  const postponed: PendingDeposit[] = [];
  let processedGwei = 0;
  let count = 0;
  let churnReached = false;
  for (const deposit of state.pendingDeposits) {
    const bridgeUnfinished = BigInt(state.eth1DepositIndex) < state.depositRequestsStartIndex;
    if (deposit.slot > 0 && bridgeUnfinished) break;
    if (deposit.slot > finalizedSlot) break;
    if (count >= MAX_PENDING_DEPOSITS_PER_EPOCH) break;
    const index = state.indexByPubkey.get(deposit.pubkey);
    const validator = index === undefined ? undefined : validatorAt(state, index);
    if (validator !== undefined && validator.withdrawableEpoch < nextEpoch) {
      applyPendingDeposit(state, deposit, verify);
    } else if (validator !== undefined && validator.exitEpoch < FAR_FUTURE_EPOCH) {
      postponed.push(deposit);
    } else {
      churnReached = processedGwei + deposit.amountGwei > availableGwei;
      if (churnReached) break;
      processedGwei += deposit.amountGwei;
      applyPendingDeposit(state, deposit, verify);
    }
    count += 1;
  }
  state.pendingDeposits = [...state.pendingDeposits.slice(count), ...postponed];
  state.depositBalanceToConsumeGwei = churnReached ? availableGwei - processedGwei : 0;
}
