/** Reads one past state by public key: what an oracle asks a beacon node. */
import type { CoreState, Hex, PendingDeposit, Validator } from "./core/state.ts";
import type { BeaconBlock } from "./history.ts";

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
}

export function readState(block: BeaconBlock): StateReader {
  const { state } = block;
  const indexOf = (pubkey: Hex): number | undefined => state.indexByPubkey.get(pubkey.toLowerCase() as Hex);
  const balanceGwei = (pubkey: Hex): bigint => {
    const index = indexOf(pubkey);
    return index === undefined ? 0n : BigInt(state.balancesGwei[index] ?? 0);
  };
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
      const keys = new Set(Array.from(pubkeys, (pubkey) => pubkey.toLowerCase() as Hex));
      let total = 0n;
      for (const pubkey of keys) total += balanceGwei(pubkey);
      for (const deposit of state.pendingDeposits) if (keys.has(deposit.pubkey)) total += BigInt(deposit.amountGwei);
      return total;
    },
  };
}
