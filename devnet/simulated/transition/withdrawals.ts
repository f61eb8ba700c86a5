/** The sweep: get_expected_withdrawals and process_withdrawals of Electra. */
import {
  FAR_FUTURE_EPOCH,
  MAX_PENDING_PARTIALS_PER_WITHDRAWALS_SWEEP,
  MAX_VALIDATORS_PER_WITHDRAWALS_SWEEP,
  MAX_WITHDRAWALS_PER_PAYLOAD,
  MIN_ACTIVATION_BALANCE,
} from "@lodestar/params";
import { hasExecutionCredentials, maxEffectiveBalance } from "./exits.ts";
import { balanceAt, decreaseBalance, epochOf, validatorAt } from "../state/state.ts";
import type { CoreState, Hex } from "../state/state.ts";

export interface Withdrawal {
  readonly index: number;
  readonly validatorIndex: number;
  readonly address: Hex;
  readonly amountGwei: number;
}

/** By address. A day sweeps hundreds of thousands of times: the sums are numbers, exact as gwei are. */
export type SweptGwei = Map<Hex, number>;

export function addSwept(sums: SweptGwei, withdrawals: readonly Withdrawal[]): void {
  for (const { address, amountGwei } of withdrawals) sums.set(address, (sums.get(address) ?? 0) + amountGwei);
}

interface Expected {
  withdrawals: Withdrawal[];
  processedPartials: number;
}

export function expectedWithdrawals(state: CoreState): Expected {
  const epoch = epochOf(state.slot);
  const withdrawals: Withdrawal[] = [];
  let processedPartials = 0;

  const add = (validatorIndex: number, amountGwei: number): void => {
    const { withdrawalCredentials } = validatorAt(state, validatorIndex);
    withdrawals.push({
      index: state.nextWithdrawalIndex + withdrawals.length,
      validatorIndex,
      address: addressOf(withdrawalCredentials),
      amountGwei,
    });
  };
  const remaining = (validatorIndex: number): number => {
    let balance = balanceAt(state, validatorIndex);
    for (const item of withdrawals) if (item.validatorIndex === validatorIndex) balance -= item.amountGwei;
    return balance;
  };

  for (const item of state.pendingPartialWithdrawals) {
    if (item.withdrawableEpoch > epoch || withdrawals.length === MAX_PENDING_PARTIALS_PER_WITHDRAWALS_SWEEP) break;
    const validator = validatorAt(state, item.validatorIndex);
    const excess = remaining(item.validatorIndex) - MIN_ACTIVATION_BALANCE;
    const sufficient = validator.effectiveBalanceGwei >= MIN_ACTIVATION_BALANCE;
    if (validator.exitEpoch === FAR_FUTURE_EPOCH && sufficient && excess > 0) {
      add(item.validatorIndex, Math.min(excess, item.amountGwei));
    }
    processedPartials += 1;
  }

  const partials = withdrawals.length;
  const count = state.validators.length;
  const bound = Math.min(count, MAX_VALIDATORS_PER_WITHDRAWALS_SWEEP);
  let index = state.nextWithdrawalValidatorIndex;
  for (let i = 0; i < bound; i++) {
    const validator = validatorAt(state, index);
    if (hasExecutionCredentials(validator)) {
      // the sweep comes by each validator once: only partial withdrawals can precede it
      const balance = partials === 0 ? balanceAt(state, index) : remaining(index);
      const max = maxEffectiveBalance(validator);
      if (validator.withdrawableEpoch <= epoch && balance > 0) add(index, balance);
      else if (validator.effectiveBalanceGwei === max && balance > max) add(index, balance - max);
    }
    if (withdrawals.length === MAX_WITHDRAWALS_PER_PAYLOAD) break;
    index = (index + 1) % count;
  }
  return { withdrawals, processedPartials };
}

/** The same string for the same credentials: a map need not hash it again. */
const addresses = new Map<Hex, Hex>();
function addressOf(credentials: Hex): Hex {
  let address = addresses.get(credentials);
  if (address === undefined) addresses.set(credentials, (address = `0x${credentials.slice(26)}`));
  return address;
}

export function processWithdrawals(state: CoreState): Withdrawal[] {
  const { withdrawals, processedPartials } = expectedWithdrawals(state);
  for (const item of withdrawals) decreaseBalance(state, item.validatorIndex, item.amountGwei);
  if (processedPartials > 0) state.pendingPartialWithdrawals.splice(0, processedPartials);
  state.nextWithdrawalIndex += withdrawals.length;
  const count = state.validators.length;
  const last = withdrawals.at(-1);
  if (last !== undefined && withdrawals.length === MAX_WITHDRAWALS_PER_PAYLOAD) {
    state.nextWithdrawalValidatorIndex = (last.validatorIndex + 1) % count;
  } else {
    skipEmptySweeps(state, 1);
  }
  return withdrawals;
}

/** What `blocks` sweeps that find nothing do to the state. */
export function skipEmptySweeps(state: CoreState, blocks: number): void {
  const next = state.nextWithdrawalValidatorIndex + MAX_VALIDATORS_PER_WITHDRAWALS_SWEEP * blocks;
  state.nextWithdrawalValidatorIndex = next % state.validators.length;
}
