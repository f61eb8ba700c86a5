/**
 * A protocol on a local chain, beside it books that are told what people did, what the beacon chain's states hold and what reached the vaults,
 * and nothing that the contracts computed.
 */
import { SecretKey } from "@chainsafe/blst";
import { getBytes, hexlify, sha256, toUtf8Bytes } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { LOCAL_SETTINGS, TIERS } from "../../../deploy/lib/parameters.ts";
import type { Hex } from "../../../devnet/core/state.ts";
import type { ValidatorKey } from "../../../devnet/keys.ts";
import { startLocalProtocol } from "../../../devnet/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/localProtocol.ts";
import { countedTime, scheduleOf } from "../../../offchain/protocol/frames.ts";
import type { Grid } from "../../../offchain/protocol/frames.ts";
import { ProtocolModel } from "../../../offchain/protocol/model.ts";
import type { ReportOutcome } from "../../../offchain/protocol/model.ts";
import { WEI_PER_GWEI, bp, wei } from "../../../offchain/protocol/units.ts";
import { Chain, nobody } from "./chain.ts";
import { OperatorBooks } from "./operatorBooks.ts";
import { Tier } from "./turns.ts";
import type { Validator } from "./turns.ts";

/** Enough that the penalty for slashings at the same time stays small. */
const STRANGERS = 100;
const SLOTS_PER_EPOCH = 32;

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
  readonly p: LocalProtocol;
  readonly chain: Chain;
  readonly at: Places;
  readonly ledger: ProtocolModel;
  readonly operators: OperatorBooks;
  readonly tiers: readonly Tier[];
  readonly validators: Validator[];
  readonly requests: Request[];
  readonly outcomes: ReportOutcome[];
  readonly grid: Grid;
  readonly random: (below: number) => number;
  lastRefSlot: bigint;
  /** Sums of what came in, in wei: stakers' and operators' deposits, and the ether of own fundings among them. */
  deposited: bigint;
  claimed: bigint;
  keys: number;
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
  operators.join(p.operatorId, 0, TIERS.curatedTier, p.nodeOperator.address);
  return {
    p,
    chain,
    at,
    ledger,
    operators,
    tiers: Object.values(TIERS).map(({ targetShareBp, maxShareBp }) => new Tier(targetShareBp, maxShareBp)),
    validators: [],
    requests: [],
    outcomes: [],
    grid,
    random: seeded(seed),
    lastRefSlot: grid.firstRefSlot,
    deposited: LOCAL_SETTINGS.bootstrapWei,
    claimed: 0n,
    keys: 0,
  };
}

/** Integers from 0 below a number, the same for the same seed (mulberry32). */
function seeded(seed: number): (below: number) => number {
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

/** The first slot of the next report's reference epoch after which a report may be made. */
export function nextRefSlot({ lastRefSlot, grid }: World): number {
  return Number(lastRefSlot + grid.slotsPerFrame);
}

export function startOf(epoch: number): number {
  return epoch * SLOTS_PER_EPOCH;
}

/** Waits until the next reference slot is final; the committee reads, signs and reports; the books hear what is so. */
export async function report(world: World): Promise<ReportOutcome> {
  const { p, chain, at, grid, ledger } = world;
  const told = await p.committee.read();
  const signatures = await p.committee.sign(told);
  const held = [await chain.etherOf(at.withdrawalVault), await chain.etherOf(at.rewardsVault)] as const;
  const now = await chain.send(at.keeper, p.oracle.submitReport.populateTransaction(told, signatures));
  const state = p.beacon.stateAt(Number(told.refSlot));
  const time = BigInt(p.beacon.timeOf(Number(told.refSlot)));
  const { number } = state.block.execution;
  const funded = world.validators.filter(({ fundedAt }) => fundedAt !== 0n && fundedAt <= time);
  const outcome = ledger.report({
    ...scheduleOf(told.refSlot, grid),
    now,
    elapsed: countedTime(told.refSlot, world.lastRefSlot, grid),
    clBalance: wei(state.clBalanceGwei(funded.map(({ key }) => key.pubkey)) * WEI_PER_GWEI),
    withdrawalVault: { reported: wei(await chain.etherOf(at.withdrawalVault, number)), held: wei(held[0]) },
    rewardsVault: { reported: wei(await chain.etherOf(at.rewardsVault, number)), held: wei(held[1]) },
    incident: told.incident,
  });
  world.lastRefSlot = told.refSlot;
  world.outcomes.push(outcome);
  world.operators.noteFees(outcome.feeShares);
  return outcome;
}
