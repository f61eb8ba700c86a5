/** Snapshots made by hand. */
import type { StateView, ValidatorInfo } from "../../../offchain/beacon/types.ts";
import type { Snapshot } from "../../../offchain/oracle/buildReport.ts";
import { wei } from "../../../offchain/protocol/units.ts";
import type { Hex } from "../../../offchain/util/hex.ts";

export const ETH_GWEI = 10n ** 9n;
export const NOT_SET = 2n ** 64n - 1n;
export const OURS: Hex = `0x01${"00".repeat(11)}${"aa".repeat(20)}`;

export function key(i: number): Hex {
  return `0x${i.toString(16).padStart(96, "0")}`;
}

export function validator(i: number, change: Partial<ValidatorInfo> = {}): ValidatorInfo {
  return {
    pubkey: key(i),
    index: 100 + i,
    withdrawalCredentials: OURS,
    balanceGwei: 32n * ETH_GWEI,
    effectiveBalanceGwei: 32n * ETH_GWEI,
    slashed: false,
    activationEligibilityEpoch: 1n,
    activationEpoch: 2n,
    exitEpoch: NOT_SET,
    withdrawableEpoch: NOT_SET,
    ...change,
  };
}

export interface Scene {
  readonly validators: readonly ValidatorInfo[];
  /** Positions in `validators`; all unless told. */
  readonly funded?: readonly number[];
  readonly state?: Partial<StateView>;
  readonly snapshot?: Partial<Snapshot>;
}

/** Epoch 10,000, finalised two epochs before; 1,000,000 validators of 32 ETH in all. */
export function scene({ validators, funded, state = {}, snapshot = {} }: Scene): Snapshot {
  const slot = 10_000 * 32 + 31;
  const hash: Hex = `0x${"11".repeat(32)}`;
  const header = { slot: BigInt(slot), proposerIndex: 0n, parentRoot: hash, stateRoot: hash, bodyRoot: hash };
  return {
    refSlot: BigInt(slot),
    state: {
      block: { header, root: `0x${"22".repeat(32)}`, slot, execution: { number: 7, hash, timestamp: 0 } },
      finalizedEpoch: 9_998,
      validators: new Map(validators.map((info) => [info.pubkey, info])),
      pendingDepositsGwei: new Map(),
      owedWithdrawalsGwei: new Map(),
      totalActiveBalanceGwei: 32_000_000n * ETH_GWEI,
      slashingsGwei: 0n,
      ...state,
    },
    funded: (funded ?? validators.map((_, i) => i)).map((i) => ({
      pubkey: validators[i]?.pubkey ?? "0x",
      operatorId: BigInt(1 + (i % 2)),
    })),
    withdrawalCredentials: OURS,
    withdrawalVaultBalance: wei(5n),
    rewardsVaultBalance: wei(6n),
    bonds: new Map(),
    slotsPerFrame: 7_200n,
    genesisTime: 1_000n,
    ...snapshot,
  };
}
