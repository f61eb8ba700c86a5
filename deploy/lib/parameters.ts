/** What a deployment needs to know, and how a network's values become the parameters of the Ignition module. */
import { delayParameters } from "../roles.ts";

const SECONDS_PER_SLOT = 12n;
const SLOTS_PER_EPOCH = 32n;
const HOUR = 3_600n;
const ETH = 10n ** 18n;

/** The beacon chain that validators run on. */
export interface Chain {
  /** Unix seconds. */
  readonly genesisTime: bigint;
  readonly depositContract: string;
  /** First slot whose state has the Electra layout. */
  readonly electraSlot: bigint;
  /** First slot of the period of 8192 in which Capella began: where historical summaries start. */
  readonly firstSummarySlot: bigint;
}

/** Who governs, guards, reports and collects. */
export interface People {
  readonly governor: string;
  readonly guardian: string;
  readonly treasury: string;
  readonly committee: readonly string[];
  readonly quorum: bigint;
}

export interface Settings {
  readonly epochsPerFrame: bigint;
  /** Seconds before a reference slot at which the withdrawal rounds that its report may pay are cut off. */
  readonly finalisationMargin: bigint;
  /** Seconds after which a missing report is overdue. */
  readonly grace: bigint;
  readonly feeBp: bigint;
  readonly maxAprBp: bigint;
  /** How much T may grow by deposits between two reports. */
  readonly depositCapGwei: bigint;
  readonly bootstrapWei: bigint;
  /** Whether roles wait as `deploy/roles.ts` says, or not at all. */
  readonly hasDelays: boolean;
}

export const MAINNET_SETTINGS: Settings = {
  epochsPerFrame: 225n,
  finalisationMargin: HOUR,
  grace: 6n * HOUR,
  feeBp: 1_000n,
  maxAprBp: 1_000n,
  depositCapGwei: 150_000n * 10n ** 9n,
  bootstrapWei: ETH / 100n,
  hasDelays: true,
};

/** As mainnet, with no delays. */
export const LOCAL_SETTINGS: Settings = { ...MAINNET_SETTINGS, hasDelays: false };

export const CHAINS: Readonly<Record<string, Chain>> = {
  mainnet: {
    genesisTime: 1_606_824_023n,
    depositContract: "0x00000000219ab540356cBB839Cbe05303d7705Fa",
    electraSlot: 364_032n * SLOTS_PER_EPOCH,
    firstSummarySlot: 6_209_536n,
  },
  hoodi: {
    genesisTime: 1_742_213_400n,
    depositContract: "0x00000000219ab540356cBB839Cbe05303d7705Fa",
    electraSlot: 2_048n * SLOTS_PER_EPOCH,
    firstSummarySlot: 0n,
  },
  sepolia: {
    genesisTime: 1_655_733_600n,
    depositContract: "0x7f02C3E3c98b133055B8B348B2Ac625669Ed295D",
    electraSlot: 222_464n * SLOTS_PER_EPOCH,
    firstSummarySlot: 1_818_624n,
  },
};

/** The table of tiers at the start; the ids are the places. docs/operators.md explains bonds and fees. */
export const TIERS = {
  /** Professionals whom governance invites. */
  curatedTier: {
    bondFirst: ETH,
    bondNext: ETH,
    feeBp: 500n,
    targetShareBp: 5_000n,
    maxShareBp: 10_000n,
    open: false,
  },
  /** Anyone. */
  communityTier: {
    bondFirst: 3n * ETH,
    bondNext: (3n * ETH) / 2n,
    feeBp: 600n,
    targetShareBp: 3_000n,
    maxShareBp: 10_000n,
    open: true,
  },
  /** Half and half: the whole yield of the bond, and 5% of what the pool's half earns. */
  classicTier: {
    bondFirst: 16n * ETH,
    bondNext: 16n * ETH,
    feeBp: 750n,
    targetShareBp: 2_000n,
    maxShareBp: 10_000n,
    open: true,
  },
} as const;

/** An EtherPool's terms, in basis points, and what it opens with. docs/liquidity.md explains each number. */
export interface EtherPoolSettings {
  readonly seedWei: bigint;
  readonly terms: Readonly<Record<"minFeeBp" | "maxFeeBp" | "targetBp" | "rebateBp" | "entryFeeBp", bigint>>;
}

/** The same everywhere: they are of a price for waiting, and not of a network. */
export const ETHER_POOL: EtherPoolSettings = {
  seedWei: ETH / 10n,
  terms: { minFeeBp: 10n, maxFeeBp: 300n, targetBp: 3_000n, rebateBp: 5_000n, entryFeeBp: 2n },
};

type Scalar = string | bigint | boolean;
export type ModuleParameter = Scalar | Scalar[] | Record<string, Scalar>;

/** @param now unix seconds: the first report's frame starts at the last epoch that ended before it */
export function moduleParameters(
  chain: Chain,
  people: People,
  settings: Settings,
  now: bigint,
): Record<string, ModuleParameter> {
  const slotsPerFrame = settings.epochsPerFrame * SLOTS_PER_EPOCH;
  const frameSeconds = slotsPerFrame * SECONDS_PER_SLOT;
  const epoch = (now - chain.genesisTime) / SECONDS_PER_SLOT / SLOTS_PER_EPOCH;
  const firstRefSlot = (epoch === 0n ? 1n : epoch) * SLOTS_PER_EPOCH - 1n;
  const firstRefTime = chain.genesisTime + firstRefSlot * SECONDS_PER_SLOT;
  return {
    governor: people.governor,
    guardian: people.guardian,
    committee: [...people.committee],
    quorum: people.quorum,
    frameSeconds,
    electraSlot: chain.electraSlot,
    firstSummarySlot: chain.firstSummarySlot,
    // Gloas has no date yet: governance replaces the module before it comes
    gloasSlot: 2n ** 64n - 1n,
    layoutEndSlot: 2n ** 64n - 1n,
    depositContract: chain.depositContract,
    genesisTime: chain.genesisTime,
    ...TIERS,
    grid: {
      genesisTime: chain.genesisTime,
      firstRefSlot,
      slotsPerFrame,
      finalisationMargin: settings.finalisationMargin,
      grace: settings.grace,
    },
    policy: {
      treasury: people.treasury,
      feeBp: settings.feeBp,
      maxAprBp: settings.maxAprBp,
      depositCapGwei: settings.depositCapGwei,
    },
    firstRefTime,
    openUntil: firstRefTime + frameSeconds + settings.grace,
    firstCutoff: firstRefTime + frameSeconds - settings.finalisationMargin,
    bootstrapWei: settings.bootstrapWei,
    ...delayParameters(settings.hasDelays),
  };
}
