/**
 * A protocol on a local chain, beside it books that are told what people did, what the beacon chain's states hold and what reached the vaults,
 * and nothing that the contracts computed.
 */
import { SecretKey } from "@chainsafe/blst";
import { getBytes, hexlify, sha256, toUtf8Bytes } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { LOCAL_SETTINGS, TIERS } from "../../../deploy/lib/parameters.ts";
import type { Hex } from "../../../devnet/simulated/state/state.ts";
import type { ValidatorKey } from "../../../devnet/keys.ts";
import { startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { scheduleOf } from "../../../offchain/protocol/frames.ts";
import type { Grid } from "../../../offchain/protocol/frames.ts";
import { ProtocolModel } from "../../../offchain/protocol/model.ts";
import type { ReportOutcome } from "../../../offchain/protocol/applyReport.ts";
import { WEI_PER_GWEI, bp, wei } from "../../../offchain/protocol/units.ts";
import { Chain, nobody } from "./chain.ts";
import type { Market } from "./market.ts";
import { OperatorBooks } from "./operatorBooks.ts";
import type { TierTerms } from "./operatorBooks.ts";
import { Tier } from "./turns.ts";
import type { Validator } from "./turns.ts";

/** Enough that the penalty for slashings at the same time stays small. */
const STRANGERS = 100;
const SLOTS_PER_EPOCH = 32;
const HOUR = 3_600n;

export interface Request {
  readonly id: number;
  readonly owner: string;
}

/** Addresses, as the books name accounts. */
export interface Places {
  readonly pool: string;
  readonly queue: string;
  readonly token: string;
  readonly wrapped: string;
  readonly operators: string;
  readonly withdrawalVault: string;
  readonly rewardsVault: string;
  readonly treasury: string;
  readonly locked: string;
  /** Receives every claim, and nothing else. */
  readonly purse: string;
  readonly keeper: string;
}

export interface World {
  readonly connection: NetworkConnection;
  readonly p: LocalProtocol;
  readonly chain: Chain;
  readonly at: Places;
  readonly ledger: ProtocolModel;
  readonly operators: OperatorBooks;
  /** By id, as the registries have them. */
  readonly terms: TierTerms[];
  readonly tiers: Tier[];
  readonly validators: Validator[];
  /** When an exit was asked, unix seconds; a second request for the same validator counts again. */
  readonly asked: bigint[];
  /** Those that were asked because ether was needed and it was their turn. */
  readonly demanded: Validator[];
  /** Those that the heads of the order of exits stepped over. */
  readonly skipped: Validator[];
  /** Those that were too young and passed over for another, once for each time. */
  readonly passed: Validator[];
  readonly requests: Request[];
  readonly outcomes: ReportOutcome[];
  readonly grid: Grid;
  readonly random: (below: number) => number;
  lastRefSlot: bigint;
  /** The last frame that ended, be it reported or not: the slot of its end. */
  lastFrameEnd: bigint;
  /** The last report told of an incident, or one was announced since. */
  careful: boolean;
  /** Paid between reports, in wei. */
  continued: bigint;
  /** Sums of what came in, in wei: stakers' and operators' deposits, and the ether of own fundings among them. */
  deposited: bigint;
  claimed: bigint;
  keys: number;
  /** Undefined before it is deployed. */
  market: Market | undefined;
}

export async function openWorld(connection: NetworkConnection, seed: number): Promise<World> {
  const chain = new Chain(connection);
  const p = await startLocalProtocol(connection, { beacon: { genesisValidators: STRANGERS } });
  const contracts = [p.pool, p.token, p.queue, p.wrapped, p.operators, p.validators, p.oracle, p.withdrawalVault];
  chain.knowErrors([...contracts.map((contract) => contract.interface), p.contracts.beaconProof.interface]);
  const address = async (contract: { getAddress(): Promise<string> }) => contract.getAddress();
  const at: Places = {
    pool: await address(p.pool),
    queue: await address(p.queue),
    token: await address(p.token),
    wrapped: await address(p.wrapped),
    operators: await address(p.operators),
    withdrawalVault: await address(p.withdrawalVault),
    rewardsVault: await address(p.rewardsVault),
    treasury: p.treasury.address,
    locked: await p.token.LOCKED(),
    purse: nobody("purse"),
    keeper: await chain.account("keeper"),
  };
  const grid: Grid = {
    genesisTime: BigInt(p.beacon.genesisTime),
    firstRefSlot: await p.oracle.lastRefSlot(),
    slotsPerFrame: await p.oracle.slotsPerFrame(),
    finalisationMargin: LOCAL_SETTINGS.finalisationMargin,
    grace: LOCAL_SETTINGS.grace,
  };
  const ledger = new ProtocolModel({
    feeBp: bp(LOCAL_SETTINGS.feeBp),
    maxAprBp: bp(LOCAL_SETTINGS.maxAprBp),
    depositCap: wei(LOCAL_SETTINGS.depositCapGwei * WEI_PER_GWEI),
    secondsPerFrame: grid.slotsPerFrame * 12n,
    queue: at.queue,
    operators: at.operators,
    treasury: at.treasury,
    locked: at.locked,
  });
  ledger.bootstrap(wei(LOCAL_SETTINGS.bootstrapWei), grid.genesisTime, scheduleOf(grid.firstRefSlot, grid));
  const operators = new OperatorBooks(ledger);
  const terms: TierTerms[] = Object.values(TIERS);
  operators.join(p.operatorId, 0, TIERS.curatedTier, p.nodeOperator.address);
  return {
    connection,
    p,
    chain,
    at,
    ledger,
    operators,
    terms,
    tiers: terms.map(({ targetShareBp, maxShareBp }) => new Tier(targetShareBp, maxShareBp)),
    validators: [],
    asked: [],
    demanded: [],
    skipped: [],
    passed: [],
    requests: [],
    outcomes: [],
    grid,
    random: seeded(seed),
    lastRefSlot: grid.firstRefSlot,
    lastFrameEnd: grid.firstRefSlot,
    careful: false,
    continued: 0n,
    deposited: LOCAL_SETTINGS.bootstrapWei,
    claimed: 0n,
    keys: 0,
    market: undefined,
  };
}

/** Integers from 0 below a number, the same for the same seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Keys of no mnemonic: cheaper than derived ones. */
export function newKeys(world: World, count: number): ValidatorKey[] {
  return Array.from({ length: count }, () => {
    const index = world.keys++;
    const secret = SecretKey.fromKeygen(getBytes(sha256(toUtf8Bytes(`estuary scenario ${index}`))));
    return {
      index,
      path: "",
      pubkey: hexlify(secret.toPublicKey().toBytes()) as Hex,
      sign: (message: Uint8Array) => hexlify(secret.sign(message).toBytes()) as Hex,
      secret: () => secret.toBytes(),
    };
  });
}

/** The slot at which the frame ends that is going on. */
export function nextFrameEnd({ lastFrameEnd, grid }: World): number {
  return Number(lastFrameEnd + grid.slotsPerFrame);
}

export function startOf(epoch: number): number {
  return epoch * SLOTS_PER_EPOCH;
}

export function tierOf({ tiers }: Pick<World, "tiers">, { operator }: Validator): Tier {
  const tier = tiers[operator.tier];
  if (tier === undefined) throw new Error(`no tier ${operator.tier}`);
  return tier;
}

/** Exits asked since an hour before the last report's reference: what may not show in its state, and counts beside it. */
export function exitsAsked({ p, asked, lastRefSlot }: Pick<World, "p" | "asked" | "lastRefSlot">): bigint {
  const since = BigInt(p.beacon.timeOf(Number(lastRefSlot))) - HOUR;
  let count = 0;
  while (count < asked.length && (asked[asked.length - 1 - count] ?? 0n) > since) count++;
  return BigInt(count);
}
