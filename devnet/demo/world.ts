/**
 * The actions of the demo. Each goes to the chain and, independently, into the books: a ProtocolModel that is told what people sent, what
 * the beacon chain's states hold and what reached the vaults, and nothing that the contracts computed.
 */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { AddressLike, ContractTransactionResponse, Provider, TransactionResponse } from "ethers";
import { ZeroAddress } from "ethers";
import { ChainError, toChainError } from "../../offchain/chain/errors.ts";
import type { Report } from "../../offchain/protocol/report.ts";
import type { Grid } from "../../offchain/protocol/frames.ts";
import { countedTime, scheduleOf } from "../../offchain/protocol/frames.ts";
import { ProtocolModel } from "../../offchain/protocol/model.ts";
import type { ReportOutcome } from "../../offchain/protocol/applyReport.ts";
import { bp, shares, SHARES_PER_UNIT, wei } from "../../offchain/protocol/units.ts";
import type { Wei } from "../../offchain/protocol/units.ts";
import { LOCAL_SETTINGS } from "../../deploy/lib/parameters.ts";
import type { CompactSignature } from "../committee.ts";
import type { ValidatorKey } from "../keys.ts";
import type { LocalProtocol } from "../simulated/localProtocol.ts";
import { predeposit, prove } from "../simulated/localProtocol.ts";
import { slash } from "../simulated/localKeeper.ts";
import type { DemoMarket } from "./liquidity.ts";

export const ETH = 10n ** 18n;
const GWEI = 10n ** 9n;
const SLOTS_PER_EPOCH = 32;

export type State = "funded" | "requested" | "exiting" | "withdrawn";

export interface DemoOperator {
  readonly id: bigint;
  readonly owner: HardhatEthersSigner;
  readonly tier: number;
  readonly feeBp: bigint;
}

/** A proven key. */
interface Place {
  readonly key: ValidatorKey;
  readonly operator: DemoOperator;
}

export interface Watched {
  readonly key: ValidatorKey;
  readonly operator: DemoOperator;
  readonly fundedAt: bigint;
  state: State;
  slashed: boolean;
  /** Asked to exit though no ether was needed: its operator is delinquent. */
  ejected: boolean;
}

export class DemoWorld {
  readonly p: LocalProtocol;
  readonly books: ProtocolModel;
  readonly validators: Watched[] = [];
  readonly outcomes: ReportOutcome[] = [];
  /** Where the story has an EtherPool. */
  market: DemoMarket | undefined;
  deposited = 0n;
  /** Heads of tiers that were too young to be asked, so that another went. */
  passed = 0;
  /** Requests not yet claimed: id and owner. */
  readonly requests: { readonly id: number; readonly owner: HardhatEthersSigner }[] = [];
  #proven = 0;
  readonly #places = new Map<number, Place[]>();
  readonly grid: Grid;
  readonly #wrapper: string;

  private constructor(p: LocalProtocol, books: ProtocolModel, grid: Grid, wrapper: string) {
    this.p = p;
    this.books = books;
    this.grid = grid;
    this.#wrapper = wrapper;
  }

  static async open(p: LocalProtocol): Promise<DemoWorld> {
    const { oracle, queue, operators, token, wrapped } = p;
    const grid: Grid = {
      genesisTime: BigInt(p.beacon.genesisTime),
      firstRefSlot: await oracle.lastRefSlot(),
      slotsPerFrame: await oracle.slotsPerFrame(),
      finalisationMargin: LOCAL_SETTINGS.finalisationMargin,
      grace: LOCAL_SETTINGS.grace,
    };
    const books = new ProtocolModel({
      feeBp: bp(LOCAL_SETTINGS.feeBp),
      maxAprBp: bp(LOCAL_SETTINGS.maxAprBp),
      depositCap: wei(LOCAL_SETTINGS.depositCapGwei * GWEI),
      secondsPerFrame: grid.slotsPerFrame * 12n,
      queue: await queue.getAddress(),
      operators: await operators.getAddress(),
      treasury: p.treasury.address,
      locked: await token.LOCKED(),
    });
    books.bootstrap(wei(LOCAL_SETTINGS.bootstrapWei), grid.genesisTime, scheduleOf(grid.firstRefSlot, grid));
    const world = new DemoWorld(p, books, grid, await wrapped.getAddress());
    world.deposited = LOCAL_SETTINGS.bootstrapWei;
    return world;
  }

  get proven(): number {
    return this.#proven;
  }

  // --- stakers ---

  async stake(who: HardhatEthersSigner, amount: bigint): Promise<void> {
    const now = await this.send(this.p.pool.connect(who).deposit(who, ZeroAddress, { value: amount }));
    this.books.deposit(who.address, wei(amount), now);
    this.deposited += amount;
  }

  async stakeByTransfer(who: HardhatEthersSigner, amount: bigint): Promise<void> {
    const now = await this.send(who.sendTransaction({ to: await this.p.pool.getAddress(), value: amount }));
    this.books.deposit(who.address, wei(amount), now);
    this.deposited += amount;
  }

  async stakeWrapped(who: HardhatEthersSigner, amount: bigint): Promise<void> {
    const now = await this.send(this.p.wrapped.connect(who).stake(who, ZeroAddress, { value: amount }));
    this.books.deposit(this.#wrapper, wei(amount), now);
    this.deposited += amount;
  }

  async request(who: HardhatEthersSigner, amount: bigint): Promise<void> {
    const now = await this.send(this.p.queue.connect(who).requestWithdrawals([amount], who));
    for (const id of this.books.request(who.address, [wei(amount)], now)) this.requests.push({ id, owner: who });
  }

  async requestWrapped(who: HardhatEthersSigner, wrapped: bigint): Promise<void> {
    const now = await this.send(this.p.wrapped.connect(who).requestWithdrawals([wrapped], who));
    const ids = this.books.requestShares(this.#wrapper, [shares(wrapped * SHARES_PER_UNIT)], now);
    for (const id of ids) this.requests.push({ id, owner: who });
  }

  /** Claims every finalised request to `receiver`. Returns the wei that the books expect. */
  async claimAll(receiver: string): Promise<bigint> {
    let total = 0n;
    for (const { id, owner } of this.requests.splice(0)) {
      if (id > this.books.lastFinalizedId()) {
        this.requests.push({ id, owner });
        continue;
      }
      const hints = await this.p.queue.findHints([id]);
      await this.send(this.p.queue.connect(owner).claimWithdrawals([id], [...hints], receiver));
      const model = this.books.ownerOf(id);
      if (model === undefined) throw new Error(`the books have no request ${id}`);
      total += this.books.claim(model, id);
    }
    return total;
  }

  // --- validators ---

  /** Joins an open tier. Returns what the demo needs to know of the new operator. */
  async join(owner: HardhatEthersSigner, tier: number, name: string): Promise<DemoOperator> {
    const { operators } = this.p;
    await this.send(operators.connect(owner).join(tier, owner, name));
    return { id: await operators.operatorCount(), owner, tier, feeBp: (await operators.tier(tier)).feeBp };
  }

  async addBond(operator: DemoOperator, amount: bigint): Promise<void> {
    const { operators } = this.p;
    const now = await this.send(operators.connect(operator.owner).addBond(operator.id, { value: amount }));
    this.books.deposit(await operators.getAddress(), wei(amount), now);
    this.deposited += amount;
  }

  async predepositAndProve(operator: DemoOperator, count: number, first: number): Promise<void> {
    const keys = await predeposit(this.p, count, first, operator.owner, operator.id);
    await prove(this.p, keys);
    for (const key of keys) this.#placesOf(operator.tier).push({ key, operator });
    this.#proven += keys.length;
  }

  /** Funds whatever is proven, one key after the other: the tiers take turns. Returns how many. */
  async fundAll(): Promise<number> {
    const { validators, keeper } = this.p;
    const before = this.validators.length;
    while (this.validators.length < this.#proven) {
      const { key, operator } = this.placeAt(await validators.nextToFund());
      const now = await this.send(validators.connect(keeper).fundValidators([key.pubkey]));
      this.divideFees();
      this.books.fund(1n, now);
      this.validators.push({ key, operator, fundedAt: now, state: "funded", slashed: false, ejected: false });
    }
    return this.validators.length - before;
  }

  async slash(watched: Watched): Promise<void> {
    const { beacon } = this.p;
    const sent = await slash(this.p, watched.key.pubkey);
    await this.send(Promise.resolve(sent));
    this.books.noteSlashing(BigInt(beacon.genesisTime) + BigInt(beacon.provenSlot) * 12n);
    this.divideFees();
    watched.slashed = true;
  }

  /** Sends the treasury its part of the fees. Returns what the books expect, in shares. */
  async payTreasury(): Promise<bigint> {
    await this.send(this.p.operators.connect(this.p.keeper).payTreasury());
    this.divideFees();
    return this.books.payTreasury();
  }

  /** The registry divides fees whenever weights change or somebody is paid, by the weights until then. */
  divideFees(): void {
    this.books.divideFees(this.#weights());
  }

  // --- the committee ---

  /** A quorum's signatures are enough to make everything wait for this report. */
  async announce(report: Report): Promise<void> {
    const { oracle, committee, keeper } = this.p;
    this.books.hold(await this.send(oracle.connect(keeper).announceReport(report, await committee.sign(report))));
  }

  /** `overrides` are what the committee says instead of what is so; the books hear what is so. */
  async report(overrides: Partial<Report> = {}, signatures?: number): Promise<ReportOutcome> {
    const { committee, oracle, withdrawalVault, rewardsVault } = this.p;
    const lastRefSlot = await oracle.lastRefSlot();
    const report = await committee.read(overrides);
    const held = await Promise.all([this.etherOf(withdrawalVault), this.etherOf(rewardsVault)]);
    const now = await this.send(oracle.submitReport(report, await committee.sign(report, signatures)));
    const seen = await this.#seenAt(report.refSlot);
    const outcome = this.books.report({
      ...scheduleOf(report.refSlot, this.grid),
      now,
      elapsed: countedTime(report.refSlot, lastRefSlot, this.grid),
      clBalance: seen.clBalance,
      leaving: seen.leaving,
      withdrawalVault: { reported: seen.withdrawalVault, held: wei(held[0]) },
      rewardsVault: { reported: seen.rewardsVault, held: wei(held[1]) },
      incident: report.incident,
    });
    this.outcomes.push(outcome);
    return outcome;
  }

  /** What a report must say, from the beacon state and the keys that this demo funded: a wrong report must not reconcile. */
  async #seenAt(refSlot: bigint): Promise<Record<"clBalance" | "leaving" | "withdrawalVault" | "rewardsVault", Wei>> {
    const { beacon, withdrawalVault, rewardsVault } = this.p;
    const state = beacon.stateAt(Number(refSlot));
    const time = BigInt(beacon.timeOf(Number(refSlot)));
    const funded = this.validators.filter(({ fundedAt }) => fundedAt <= time);
    const { number } = state.block.execution;
    const keys = funded.map(({ key }) => key.pubkey);
    return {
      clBalance: wei(state.clBalanceGwei(keys) * GWEI),
      leaving: wei(state.leavingGwei(keys, refSlot / BigInt(SLOTS_PER_EPOCH)) * GWEI),
      withdrawalVault: wei(await this.etherOf(withdrawalVault, number)),
      rewardsVault: wei(await this.etherOf(rewardsVault, number)),
    };
  }

  /** Sends a report that must be refused. Returns the error's name, or undefined if it was accepted. */
  async refused(report: Report, signatures: readonly CompactSignature[]): Promise<string | undefined> {
    return refusalOf(this.p.oracle.submitReport.staticCall(report, [...signatures]));
  }

  #weights(): { total: bigint; active: bigint } {
    const active = this.validators.filter(({ state }) => state !== "withdrawn");
    const weighted = active.filter(({ state, slashed }) => state !== "exiting" && !slashed);
    return { total: weighted.reduce((sum, { operator }) => sum + operator.feeBp, 0n), active: BigInt(active.length) };
  }

  #placesOf(tier: number): Place[] {
    const places = this.#places.get(tier) ?? [];
    this.#places.set(tier, places);
    return places;
  }

  /** Keys keep the place in their tier's queue that their proof gave them. */
  placeAt({ tier, sequence }: { readonly tier: bigint; readonly sequence: bigint }): Place {
    const place = this.#placesOf(Number(tier))[Number(sequence)];
    if (place === undefined) throw new Error(`nothing was proven at ${sequence} of tier ${tier}`);
    return place;
  }

  async etherOf(account: AddressLike, block: number | "latest" = "latest"): Promise<bigint> {
    return this.#provider.getBalance(account, block);
  }

  /** Execution gas of all blocks after number `from`, and the number of the last one. */
  async gasSince(from: number): Promise<{ gasUsed: bigint; last: number }> {
    const last = await this.#provider.getBlockNumber();
    let gasUsed = 0n;
    for (let number = from + 1; number <= last; number++)
      gasUsed += (await this.#provider.getBlock(number))?.gasUsed ?? 0n;
    return { gasUsed, last };
  }

  get #provider(): Provider {
    const { provider } = this.p.keeper;
    if (provider === null) throw new Error("the keeper has no provider");
    return provider;
  }

  /** Of the newest block. */
  async now(): Promise<bigint> {
    return BigInt((await this.#provider.getBlock("latest"))?.timestamp ?? 0);
  }

  /** Waits for a transaction. Returns its block's time. */
  async send(sent: Promise<ContractTransactionResponse | TransactionResponse>): Promise<bigint> {
    const receipt = await (await sent).wait();
    if (receipt === null) throw new Error("a transaction was not mined");
    const block = await receipt.getBlock();
    return BigInt(block.timestamp);
  }
}

/** The name of the error with which a call is refused; undefined if it is not. */
export async function refusalOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    const readable = toChainError(error);
    if (readable instanceof ChainError && readable.revert !== undefined) return readable.revert.name;
    throw error;
  }
}
