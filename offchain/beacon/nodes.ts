/** Several beacon nodes as one: each is checked before it is believed, and the next is asked where one fails. */
import type { Clock } from "../util/clock.ts";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import { hostOf } from "../util/http.ts";
import { askHosts } from "../util/retry.ts";
import type { Failure } from "../util/retry.ts";
import { BeaconNode, newHabits } from "./node.ts";
import { Unusable, isAskedTooOften } from "./requests.ts";
import type { Habits } from "./requests.ts";
import type { BeaconChain } from "./types.ts";

export interface NodeOptions {
  /** May hold user and password. */
  readonly urls: readonly string[];
  readonly clock: Clock;
  /** Seconds for one answer. */
  readonly timeoutSeconds?: number;
  /** How many slots the head may be behind the clock. Default 8. */
  readonly maxLagSlots?: number;
  /** The execution layer's chain id, where it is known: a node of another network is refused. */
  readonly chainId?: bigint;
  readonly onFailure?: (host: string, message: string) => void;
}

export interface KnownChain extends BeaconChain {
  readonly genesisValidatorsRoot: Hex;
}

/** Seconds that are waited in one question where no other node is there to be asked. */
const PATIENCE = 60;

export class BeaconNodes {
  readonly #options: NodeOptions;
  /** What the first node that answered said, and who agreed. */
  #chain: KnownChain | undefined;
  readonly #sameChain = new Set<string>();
  readonly #checkedAt = new Map<string, number>();
  readonly #habits = new Map<string, Habits>();
  #preferred = 0;

  constructor(options: NodeOptions) {
    if (options.urls.length === 0) throw new AppError(EXIT.usage, "no beacon node is configured");
    this.#options = options;
  }

  async chain(signal?: AbortSignal): Promise<KnownChain> {
    if (this.#chain === undefined) await this.ask(() => Promise.resolve(), signal);
    if (this.#chain === undefined) throw new Error("a node was checked, but its chain is not known");
    return this.#chain;
  }

  /**
   * Lets the first usable node do something. One that was asked too often is waited for where it is the only one, or no other could.
   * @throws AppError (unavailable), with a line for each node, if none could; the signal's reason when aborted
   */
  async ask<T>(act: (node: BeaconNode) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { urls } = this.#options;
    const isOnly = urls.length === 1;
    try {
      return await this.#round(act, urls, isOnly ? PATIENCE : 0, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Exhausted)) throw error;
      const busy = error.failures.flatMap(({ host, error: why }) => (isAskedTooOften(why) ? [host] : []));
      if (isOnly || busy.length === 0) throw unavailable(error.failures);
      const others = error.failures.filter(({ host }) => !busy.includes(host));
      return await this.#round(act, busy, PATIENCE, signal).catch((second: unknown) => {
        throw second instanceof Exhausted ? unavailable([...others, ...second.failures]) : second;
      });
    }
  }

  /** What each node answers by itself, whatever the others do. @returns in the order of the settings; the error of those that fail */
  async askEach<T>(
    act: (node: BeaconNode) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<readonly { readonly host: string; readonly answer: T | undefined; readonly error: unknown }[]> {
    return Promise.all(
      this.#options.urls.map(async (url) => {
        const host = hostOf(url);
        try {
          const node = this.#node(url, PATIENCE, signal);
          await this.#check(node);
          return { host, answer: await act(node), error: undefined };
        } catch (error) {
          signal?.throwIfAborted();
          return { host, answer: undefined, error };
        }
      }),
    );
  }

  async #round<T>(
    act: (node: BeaconNode) => Promise<T>,
    urls: readonly string[],
    patience: number,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const { onFailure } = this.#options;
    const { value, host } = await askHosts(
      urls,
      async (url) => {
        const node = this.#node(url, patience, signal);
        await this.#check(node);
        return act(node);
      },
      {
        first: urls === this.#options.urls ? this.#preferred : 0,
        signal,
        onFailure: ({ host: url, error }) => {
          this.#checkedAt.delete(url);
          onFailure?.(hostOf(url), messageOf(error));
        },
        onExhausted: (failures) => new Exhausted(failures),
      },
    );
    this.#preferred = this.#options.urls.indexOf(urls[host] ?? "");
    return value;
  }

  #node(url: string, patience: number, signal: AbortSignal | undefined): BeaconNode {
    const { clock, timeoutSeconds = 10 } = this.#options;
    const habits = this.#habits.get(url) ?? newHabits();
    this.#habits.set(url, habits);
    return new BeaconNode(url, { clock, timeoutSeconds, patience, habits, signal });
  }

  /** Once a slot: not syncing, not optimistic, not behind; once ever: the same chain as the others. */
  async #check(node: BeaconNode): Promise<void> {
    const { clock, maxLagSlots = 8 } = this.#options;
    if (!this.#sameChain.has(node.url)) await this.#checkChain(node);
    const { secondsPerSlot = 12, genesisTime = 0 } = this.#chain ?? {};
    const now = clock.now();
    if (now - (this.#checkedAt.get(node.url) ?? -Infinity) < secondsPerSlot) return;
    const behind = Math.floor((now - genesisTime) / secondsPerSlot) - (await node.syncedTo());
    if (behind > maxLagSlots) throw new Unusable(`is ${behind} slots behind the clock`);
    this.#checkedAt.set(node.url, now);
  }

  async #checkChain(node: BeaconNode): Promise<void> {
    const [genesis, spec] = await Promise.all([node.genesis(), node.spec()]);
    const chain: KnownChain = {
      chainId: spec.chainId,
      depositContract: spec.depositContract,
      genesisTime: genesis.genesis_time,
      genesisForkVersion: genesis.genesis_fork_version,
      genesisValidatorsRoot: genesis.genesis_validators_root,
      slotsPerEpoch: spec.slotsPerEpoch,
      secondsPerSlot: spec.secondsPerSlot,
    };
    const { chainId } = this.#options;
    if (chainId !== undefined && chain.chainId !== chainId)
      throw new Unusable(`follows a chain whose execution layer is ${chain.chainId}, not ${chainId}`);
    this.#chain ??= chain;
    for (const key of Object.keys(chain) as (keyof KnownChain)[])
      if (chain[key] !== this.#chain[key])
        throw new Unusable(`follows another chain: ${key} is ${chain[key]}, not ${this.#chain[key]}`);
    this.#sameChain.add(node.url);
  }
}

/** No node could. */
class Exhausted extends Error {
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super("no beacon node could answer");
    this.failures = failures;
  }
}

function unavailable(failures: readonly Failure[]): AppError {
  const lines = failures.map(({ host, error }) => `beacon node ${hostOf(host)}: ${messageOf(error)}`);
  return new AppError(EXIT.unavailable, lines.join("\n"));
}
