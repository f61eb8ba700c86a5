/** What an operator does, and what anyone may do for its keys. Amounts are wei, bonds and rewards shares of 27 decimals. */
import { formatEther } from "ethers";
import type { IBeaconProof } from "../../../typechain-types/contracts/validators/ValidatorRegistry.ts";
import { PREDEPOSIT, SHARES_PER_UNIT, TOP_UP, shares, wei } from "../../protocol/units.ts";
import type { Shares, Wei } from "../../protocol/units.ts";
import type { Hex } from "../../util/hex.ts";
import { ChainError } from "../errors.ts";
import { argsOf } from "../events.ts";
import type { ChainEvent } from "../events.ts";
import { prepare } from "./prepare.ts";
import type { Context, Prepared } from "./prepare.ts";

/** What is deposited for a key: a file of deposit data has these. */
export interface KeyDeposit {
  /** 48 bytes. */
  readonly pubkey: Hex;
  /** 96 bytes, over a deposit message of 1 ETH. */
  readonly signature: Hex;
  readonly depositDataRoot: Hex;
}

/** Keys in one transaction: the registry's limit. */
export const MOST_KEYS = 64;

export interface BondChange {
  readonly shares: Shares;
}

/** Joins an open tier. The result is the operator's id. */
export async function join(
  context: Context,
  tier: bigint,
  rewardAddress: string,
  name: string,
): Promise<Prepared<bigint, { readonly operatorId: bigint }>> {
  const { operators } = context.protocol;
  return prepare(context, {
    label: `join tier ${tier} as ${name}`,
    contract: operators,
    method: operators.join,
    args: [tier, rewardAddress, name],
    outcome: (events) => ({
      operatorId: argsOf<{ operatorId: bigint }>(events, "operators", "OperatorAdded")[0]?.operatorId ?? 0n,
    }),
  });
}

/**
 * Predeposits 1 to 64 keys, 1 ETH each of the signer's own. Keys that are known already are passed over and their ether returned. Send it privately:
 * whoever sees it pending can copy a key (docs/operators.md).
 */
export async function predeposit(
  context: Context,
  operatorId: bigint,
  deposits: readonly KeyDeposit[],
): Promise<Prepared<undefined, { readonly keyRoots: readonly Hex[] }>> {
  const { validators } = context.protocol;
  checkCount(deposits.length);
  return prepare(context, {
    label: `predeposit ${deposits.length} keys for operator ${operatorId}`,
    contract: validators,
    method: validators.predeposit,
    args: [
      operatorId,
      deposits.map(({ pubkey }) => pubkey),
      deposits.map(({ signature }) => signature),
      deposits.map(({ depositDataRoot }) => depositDataRoot),
    ],
    value: wei(PREDEPOSIT * BigInt(deposits.length)),
    outcome: (events) => ({
      keyRoots: argsOf<{ keyRoots: readonly Hex[] }>(events, "validators", "Predeposited").flatMap(({ keyRoots }) => [
        ...keyRoots,
      ]),
    }),
  });
}

/** Proves predeposited keys (`contractValidatorBatch` makes the batch). Anyone. Keys that were proven already are passed over. */
export async function proveValidators(
  context: Context,
  batch: IBeaconProof.ValidatorBatchStruct,
): Promise<Prepared<undefined, { readonly keyRoots: readonly Hex[] }>> {
  const { validators } = context.protocol;
  return prepare(context, {
    label: `prove ${batch.validators.length} keys`,
    contract: validators,
    method: validators.proveValidators,
    args: [batch],
    outcome: (events) => ({
      keyRoots: argsOf<{ keyRoot: Hex }>(events, "validators", "Proven").map(({ keyRoot }) => keyRoot),
    }),
  });
}

/** Funds the next validators in order (`fundingOrder` names them). Anyone. The result is how many. */
export async function fundValidators(
  context: Context,
  pubkeys: readonly Hex[],
): Promise<Prepared<bigint, { readonly count: bigint }>> {
  const { validators } = context.protocol;
  checkCount(pubkeys.length);
  return prepare(context, {
    label: `fund up to ${pubkeys.length} validators`,
    contract: validators,
    method: validators.fundValidators,
    args: [[...pubkeys]],
    outcome: (events) => ({
      count: argsOf<{ count: bigint }>(events, "pool", "ValidatorsFunded").reduce((all, { count }) => all + count, 0n),
    }),
  });
}

/** Funds the operator's own queued key out of turn, with 31 ETH of the signer's, for ordinary estETH. */
export async function fundOwn(context: Context, pubkey: Hex): Promise<Prepared<undefined, BondChange>> {
  const { validators } = context.protocol;
  return prepare(context, {
    label: `fund ${pubkey} with 31 ETH`,
    contract: validators,
    method: validators.fundOwn,
    args: [pubkey],
    value: TOP_UP,
    outcome: bondAdded,
  });
}

/**
 * Puts dropped keys back at the end of their queue, 1 to 64 of them. Owner or manager: queued keys bind the bond.
 * @param keyRoots as the registry knows keys (`keyRootOf`)
 */
export async function requeue(
  context: Context,
  keyRoots: readonly Hex[],
): Promise<Prepared<undefined, { readonly keyRoots: readonly Hex[] }>> {
  const { validators } = context.protocol;
  checkCount(keyRoots.length);
  return prepare(context, {
    label: `queue ${keyRoots.length} dropped keys again`,
    contract: validators,
    method: validators.requeue,
    args: [[...keyRoots]],
    outcome: (events) => ({
      keyRoots: argsOf<{ keyRoot: Hex }>(events, "validators", "Proven").map(({ keyRoot }) => keyRoot),
    }),
  });
}

/**
 * Drops queued keys, 1 to 64 of them, of operators that are frozen, have debt, or whose bond no longer suffices after a penalty, a freeze or a
 * fine. Anyone. Keys that are no longer queued are passed over.
 */
export async function dropQueued(
  context: Context,
  keyRoots: readonly Hex[],
): Promise<Prepared<undefined, { readonly keyRoots: readonly Hex[] }>> {
  const { validators } = context.protocol;
  checkCount(keyRoots.length);
  return prepare(context, {
    label: `drop ${keyRoots.length} queued keys`,
    contract: validators,
    method: validators.dropQueued,
    args: [[...keyRoots]],
    outcome: (events) => ({
      keyRoots: argsOf<{ keyRoot: Hex }>(events, "validators", "Dropped").map(({ keyRoot }) => keyRoot),
    }),
  });
}

/** Adds ether to a bond. Anyone. */
export async function addBond(
  context: Context,
  operatorId: bigint,
  amount: Wei,
): Promise<Prepared<undefined, BondChange>> {
  const { operators } = context.protocol;
  return prepare(context, {
    label: `add ${formatEther(amount)} ETH to the bond of operator ${operatorId}`,
    contract: operators,
    method: operators.addBond,
    args: [operatorId],
    value: amount,
    outcome: bondAdded,
  });
}

/** Adds estETH, in shares, to a bond; needs an approval of their value, rounded up. Anyone. */
export async function addBondShares(
  context: Context,
  operatorId: bigint,
  amount: Shares,
): Promise<Prepared<undefined, BondChange>> {
  const { operators } = context.protocol;
  return prepare(context, {
    label: `add ${formatEther(amount / SHARES_PER_UNIT)} shares of estETH to the bond of operator ${operatorId}`,
    contract: operators,
    method: operators.addBondShares,
    args: [operatorId, amount],
    outcome: bondAdded,
  });
}

/** Adds westETH to a bond; needs an approval. Anyone. */
export async function addBondWrapped(
  context: Context,
  operatorId: bigint,
  amount: Wei,
): Promise<Prepared<undefined, BondChange>> {
  const { operators } = context.protocol;
  return prepare(context, {
    label: `add ${formatEther(amount)} westETH to the bond of operator ${operatorId}`,
    contract: operators,
    method: operators.addBondWrapped,
    args: [operatorId, amount],
    outcome: bondAdded,
  });
}

/** Withdraws free bond as estETH shares, or as westETH (whole units of 1e9 shares, rounded down). Owner only. */
export async function withdrawBond(
  context: Context,
  operatorId: bigint,
  amount: Shares,
  as: "estETH" | "westETH" = "estETH",
  to?: string,
): Promise<Prepared<undefined, BondChange>> {
  const { operators } = context.protocol;
  const receiver = to ?? (await context.signer.getAddress());
  const label = `withdraw bond of operator ${operatorId} as ${as}`;
  const outcome = (events: readonly ChainEvent[]): BondChange => sharesIn(events, "BondWithdrawn");
  return as === "estETH"
    ? prepare(context, {
        label,
        contract: operators,
        method: operators.withdrawBond,
        args: [operatorId, amount, receiver],
        outcome,
      })
    : prepare(context, {
        label,
        contract: operators,
        method: operators.withdrawBondWrapped,
        args: [operatorId, amount / SHARES_PER_UNIT, receiver],
        outcome,
      });
}

/** Claims all rewards. Owner or reward address. The result is shares, or westETH. */
export async function claimRewards(
  context: Context,
  operatorId: bigint,
  as: "estETH" | "westETH" = "estETH",
  to?: string,
): Promise<Prepared<bigint, BondChange>> {
  const { operators } = context.protocol;
  const receiver = to ?? (await context.signer.getAddress());
  return prepare(context, {
    label: `claim the rewards of operator ${operatorId} as ${as}`,
    contract: operators,
    method: as === "estETH" ? operators.claimRewards : operators.claimRewardsWrapped,
    args: [operatorId, receiver],
    outcome: (events) => sharesIn(events, "RewardsClaimed"),
  });
}

/** Moves all rewards into the bond. The result is shares added. */
export async function compoundRewards(context: Context, operatorId: bigint): Promise<Prepared<bigint, BondChange>> {
  const { operators } = context.protocol;
  return prepare(context, {
    label: `add the rewards of operator ${operatorId} to its bond`,
    contract: operators,
    method: operators.compoundRewards,
    args: [operatorId],
    outcome: bondAdded,
  });
}

/** Who may predeposit keys and fund them; the zero address: only the owner. Owner only. */
export async function setManager(
  context: Context,
  operatorId: bigint,
  manager: string,
): Promise<Prepared<undefined, undefined>> {
  const { operators } = context.protocol;
  return prepare(context, {
    label: `make ${manager} the manager of operator ${operatorId}`,
    contract: operators,
    method: operators.setManager,
    args: [operatorId, manager],
    outcome: () => undefined,
  });
}

/** Where rewards may be claimed from. Owner only. */
export async function setRewardAddress(
  context: Context,
  operatorId: bigint,
  rewardAddress: string,
): Promise<Prepared<undefined, undefined>> {
  const { operators } = context.protocol;
  return prepare(context, {
    label: `make ${rewardAddress} the reward address of operator ${operatorId}`,
    contract: operators,
    method: operators.setRewardAddress,
    args: [operatorId, rewardAddress],
    outcome: () => undefined,
  });
}

function checkCount(count: number): void {
  if (count === 0) throw new ChainError("refused", "no validator key is given");
  if (count > MOST_KEYS) throw new ChainError("refused", `${count} keys at once are too many: at most ${MOST_KEYS}`);
}

function bondAdded(events: readonly ChainEvent[]): BondChange {
  return sharesIn(events, "BondAdded");
}

function sharesIn(events: readonly ChainEvent[], name: string): BondChange {
  const found = argsOf<{ shares: bigint }>(events, "operators", name);
  return { shares: shares(found.reduce((sum, one) => sum + one.shares, 0n)) };
}
