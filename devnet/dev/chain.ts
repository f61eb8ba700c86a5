/**
 * The local chain of `npm run dev`: the protocol beside a simulated beacon chain, with a life so far, that goes on where it was stopped. All that
 * changes it takes turns: what people send, and the time that passes.
 */
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import type { LiquidityContracts } from "../../deploy/deployLiquidity.ts";
import { AppError, EXIT } from "../../offchain/util/errors.ts";
import type { Hex } from "../../offchain/util/hex.ts";
import type { Provider } from "../provider.ts";
import { startLocalProtocol } from "../simulated/localProtocol.ts";
import type { LocalProtocol } from "../simulated/localProtocol.ts";
import { Journal, readJournal } from "./journal.ts";
import type { Entry, Kept } from "./journal.ts";
import { STRANGERS, earnTips, liveThroughDays } from "./month.ts";
import { steady } from "./steady.ts";
import { Turns } from "./turns.ts";

export const MEMBERS = 5;
const QUORUM = 3;
const DAYS = 30;
const ETH = 10n ** 18n;
/** Of each account: enough to hand out. */
const BALANCE = 1_000_000n * ETH;
const GAS_OF_A_MEMBER = 100n * ETH;
const DAY_SECONDS = 86_400;
/** Before its first frame: validators are deposited and proven. */
const SET_UP_SECONDS = 6 * 3_600;
/** After a reference slot it is final for sure. */
const FINALITY_SLOTS = 4 * 32;
const METHOD_NOT_SUPPORTED = -32_004;

/** Ways round the beacon chain, which has the time, or round the journal. */
const REFUSED: ReadonlySet<string> = new Set(["hardhat_reset", "evm_increaseTime", "evm_setIntervalMining"]);
const READS: ReadonlySet<string> = new Set(["hardhat_getAutomine", "hardhat_metadata"]);

export interface DevChain {
  readonly p: LocalProtocol;
  readonly liquidity: LiquidityContracts;
  /** What others send goes through here, and is kept. */
  readonly provider: Provider;
  /** Slots of a frame: a day. */
  readonly slotsPerFrame: number;
  /** Time passes, with blocks at each reference slot and right after it, and once it is final. */
  advance(slots: number): Promise<void>;
  /** To the next reference slot, and on until it is final. */
  nextDay(): Promise<void>;
  /** The next block includes the evidence. @throws Error where it can't be slashed */
  slash(pubkey: Hex): Promise<void>;
  /** The committee says nothing of the next reference slot. */
  missReport(): void;
  /** Whether the committee is silent now. */
  isSilent(): boolean;
  /** The slot from which on it speaks again. */
  readonly silentUntil: number;
  /** The first reference slot after the head. */
  nextReferenceSlot(): number;
  close(): Promise<void>;
}

export interface DevChainOptions {
  /** Where it goes on another time; undefined for a chain that nobody needs again. */
  readonly journal: string | undefined;
  readonly days?: number;
  /** Told what takes a moment. */
  readonly onProgress?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** @throws AppError (invalid) where the journal is of another version, or its chain comes out otherwise */
export async function openDevChain(options: DevChainOptions): Promise<DevChain> {
  const kept = options.journal === undefined ? undefined : readJournal(options.journal);
  const days = kept?.head.days ?? options.days ?? DAYS;
  const genesis = kept?.head.genesis ?? Math.floor(Date.now() / 1_000) - days * DAY_SECONDS - SET_UP_SECONDS;
  const connection = await network.create({
    override: {
      initialDate: new Date(genesis * 1_000).toISOString(),
      accounts: { accountsBalance: String(BALANCE) },
    },
  });
  try {
    return await begin(connection, { ...options, days, genesis }, kept);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function begin(
  connection: NetworkConnection,
  options: DevChainOptions & { readonly days: number; readonly genesis: number },
  kept: Kept | undefined,
): Promise<DevChain> {
  const { days, genesis, signal, onProgress } = options;
  steady(connection.provider);
  const p = await startLocalProtocol(connection, {
    beacon: { genesisValidators: STRANGERS },
    committee: { size: MEMBERS, quorum: QUORUM },
  });
  for (const { address } of p.committee.wallets)
    await p.deployer.sendTransaction({ to: address, value: GAS_OF_A_MEMBER });
  signal?.throwIfAborted();
  const liquidity = await liveThroughDays(p, connection, days, signal);
  const { root } = p.beacon.head;
  if (kept !== undefined && kept.head.root !== root)
    throw new AppError(
      EXIT.invalid,
      `${options.journal ?? ""} was written with other contracts, or another beginning: --fresh begins anew`,
    );
  const world = new World({
    connection,
    p,
    liquidity,
    slotsPerFrame: Number(await p.oracle.slotsPerFrame()),
    aReferenceSlot: Number(await p.oracle.lastRefSlot()),
  });
  const entries = kept?.entries ?? [];
  if (entries.length > 0) onProgress?.(`going on: ${entries.length} things that happened since happen again`);
  for (const [index, entry] of entries.entries()) {
    signal?.throwIfAborted();
    if (!(await world.repeat(entry)))
      throw new AppError(
        EXIT.invalid,
        `${options.journal ?? ""}, line ${index + 2}: the chain comes out otherwise: --fresh begins anew`,
      );
  }
  if (options.journal !== undefined) {
    const journal = new Journal(options.journal);
    world.keepIn(journal);
    if (kept === undefined) journal.begin({ genesis, days, root });
  }
  // what was made just now ends now; what goes on was stopped, and so was its clock
  const behind = Math.floor((Date.now() / 1_000 - p.beacon.timeOf(p.beacon.head.slot)) / 12);
  if (kept === undefined && behind > 0) await world.advance(behind);
  return world;
}

interface WorldParts {
  readonly connection: NetworkConnection;
  readonly p: LocalProtocol;
  readonly liquidity: LiquidityContracts;
  readonly slotsPerFrame: number;
  readonly aReferenceSlot: number;
}

class World implements DevChain {
  readonly p: LocalProtocol;
  readonly liquidity: LiquidityContracts;
  readonly provider: Provider;
  readonly slotsPerFrame: number;
  readonly #connection: NetworkConnection;
  readonly #aReferenceSlot: number;
  readonly #turns = new Turns();
  #journal: Journal | undefined;
  silentUntil = 0;

  constructor({ connection, p, liquidity, slotsPerFrame, aReferenceSlot }: WorldParts) {
    this.p = p;
    this.liquidity = liquidity;
    this.slotsPerFrame = slotsPerFrame;
    this.#connection = connection;
    this.#aReferenceSlot = aReferenceSlot;
    this.provider = { request: (args) => this.#request(args) };
  }

  keepIn(journal: Journal): void {
    this.#journal = journal;
  }

  advance(slots: number): Promise<void> {
    return this.#turns.take(() => this.#reach(this.p.beacon.head.slot + slots));
  }

  nextDay(): Promise<void> {
    return this.#turns.take(() => this.#reach(this.nextReferenceSlot() + FINALITY_SLOTS));
  }

  slash(pubkey: Hex): Promise<void> {
    return this.#turns.take(() => {
      // what can't be slashed is not kept
      this.p.beacon.slash(pubkey);
      this.#journal?.add({ slash: pubkey });
      return Promise.resolve();
    });
  }

  missReport(): void {
    // up to the reference slot after the next one
    this.silentUntil = this.nextReferenceSlot() + this.slotsPerFrame;
    this.#journal?.add({ silentUntil: this.silentUntil });
  }

  isSilent(): boolean {
    return this.p.beacon.head.slot < this.silentUntil;
  }

  nextReferenceSlot(): number {
    const passed = Math.floor((this.p.beacon.head.slot - this.#aReferenceSlot) / this.slotsPerFrame);
    return this.#aReferenceSlot + (passed + 1) * this.slotsPerFrame;
  }

  async close(): Promise<void> {
    await this.#turns.take(() => Promise.resolve());
    this.#journal?.close();
    await this.#connection.close();
  }

  /** @returns whether it came out as it did before */
  async repeat(entry: Entry): Promise<boolean> {
    if ("slot" in entry) {
      await this.#reach(entry.slot);
      return this.p.beacon.head.root === entry.root;
    }
    // a request that failed fails again
    if ("method" in entry) await this.#connection.provider.request(entry).catch(() => undefined);
    else if ("slash" in entry) this.p.beacon.slash(entry.slash as Hex);
    else this.silentUntil = entry.silentUntil;
    return true;
  }

  #request(args: { readonly method: string; readonly params?: readonly unknown[] }): Promise<unknown> {
    const { method, params = [] } = args;
    const inner = (): Promise<unknown> => this.#connection.provider.request({ method, params: [...params] });
    if (REFUSED.has(method))
      return Promise.reject(
        Object.assign(new Error(`${method}: the beacon chain has the time here; the developer panel moves it on`), {
          code: METHOD_NOT_SUPPORTED,
        }),
      );
    if (READS.has(method) || !/^(eth_send|evm_|hardhat_)/.test(method)) return inner();
    return this.#turns.take(() => {
      this.#journal?.add({ method, params: [...params] });
      return inner();
    });
  }

  async #reach(slot: number): Promise<void> {
    const { beacon } = this.p;
    // first what was sent meanwhile: it may have taken the execution layer's clock a few slots further
    await beacon.advanceSlots(1);
    while (beacon.head.slot < slot) {
      const reference = this.nextReferenceSlot();
      if (slot < reference) {
        await beacon.advanceTo(slot);
        break;
      }
      await earnTips(this.p);
      await beacon.advanceTo(reference);
      await beacon.advanceSlots(1);
      const final = reference + FINALITY_SLOTS;
      if (final <= slot) await beacon.advanceTo(final);
    }
    this.#journal?.add({ slot, root: beacon.head.root });
  }
}
