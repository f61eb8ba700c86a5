/** Reads one past state by public key: what an oracle asks a beacon node. */
import { isLeaving } from "../../../offchain/protocol/leaving.ts";
import type { CoreState, Hex, PendingDeposit, Validator } from "./state.ts";
import type { BeaconBlock } from "../history.ts";

export interface StateReader {
  readonly block: BeaconBlock;
  readonly state: Readonly<CoreState>;
  indexOf(pubkey: Hex): number | undefined;
  pubkeyAt(index: number): Hex | undefined;
  validator(pubkey: Hex): Validator | undefined;
  /** 0 for a key that is not in the registry. */
  balanceGwei(pubkey: Hex): bigint;
  pendingDeposits(pubkey: Hex): PendingDeposit[];
  /** Over the keys: the balance in the registry and every pending deposit, as the oracle's report defines it. */
  clBalanceGwei(pubkeys: Iterable<Hex>): bigint;
  /** Over the keys: the balances that are on their way out at an epoch, as the oracle's report defines it. */
  leavingGwei(pubkeys: Iterable<Hex>, epoch: bigint): bigint;
}

export function readState(block: BeaconBlock): StateReader {
  const { state } = block;
  const indexOf = (pubkey: Hex): number | undefined => state.indexByPubkey.get(pubkey.toLowerCase() as Hex);
  const balanceGwei = (pubkey: Hex): bigint => {
    const index = indexOf(pubkey);
    return index === undefined ? 0n : BigInt(state.balancesGwei[index] ?? 0);
  };
  const unique = (pubkeys: Iterable<Hex>): Set<Hex> =>
    new Set(Array.from(pubkeys, (pubkey) => pubkey.toLowerCase() as Hex));
  return {
    block,
    state,
    indexOf,
    pubkeyAt: (index) => state.validators[index]?.pubkey,
    validator: (pubkey) => {
      const index = indexOf(pubkey);
      return index === undefined ? undefined : state.validators[index];
    },
    balanceGwei,
    pendingDeposits: (pubkey) => state.pendingDeposits.filter((deposit) => deposit.pubkey === pubkey.toLowerCase()),
    clBalanceGwei: (pubkeys) => {
      const keys = unique(pubkeys);
      let total = 0n;
      for (const pubkey of keys) total += balanceGwei(pubkey);
      for (const deposit of state.pendingDeposits) if (keys.has(deposit.pubkey)) total += BigInt(deposit.amountGwei);
      return total;
    },
    leavingGwei: (pubkeys, epoch) => {
      let total = 0n;
      for (const pubkey of unique(pubkeys)) {
        const index = indexOf(pubkey);
        const validator = index === undefined ? undefined : state.validators[index];
        if (validator === undefined) continue;
        const { slashed, exitEpoch, withdrawableEpoch } = validator;
        const epochs = {
          slashed,
          exitEpoch: epochOf(exitEpoch),
          withdrawableEpoch: epochOf(withdrawableEpoch),
        };
        if (isLeaving(epochs, epoch)) total += balanceGwei(pubkey);
      }
      return total;
    },
  };
}

/** Infinity is how the simulation writes an epoch that is not set. */
function epochOf(epoch: number): bigint {
  return epoch === Infinity ? 2n ** 64n - 1n : BigInt(epoch);
}
