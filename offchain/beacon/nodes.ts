/** Several beacon nodes as one: each is checked before it is believed, and the next is asked where one fails. */
import { request } from "undici";
import { z } from "zod";
import type { Clock } from "../util/clock.ts";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import { bigintField, hexField, numberField } from "./fields.ts";
import { hostOf } from "../util/http.ts";
import { FinalError, askHosts, mayPass } from "../util/retry.ts";
import type { BeaconChain } from "./types.ts";

export interface NodeOptions {
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

export interface RawAnswer {
  readonly status: number;
  readonly version: string | undefined;
  readonly body: Uint8Array;
}

/** A node can't be used now; the next may be. */
class Unusable extends Error {}

const syncingSchema = z.object({
  data: z.object({
    head_slot: numberField,
    is_syncing: z.boolean(),
    is_optimistic: z.boolean().optional(),
    el_offline: z.boolean().optional(),
  }),
});
const genesisSchema = z.object({
  data: z.object({ genesis_time: numberField, genesis_fork_version: hexField, genesis_validators_root: hexField }),
});
const specSchema = z.object({
  data: z.object({
    SECONDS_PER_SLOT: numberField,
    SLOTS_PER_EPOCH: numberField,
    DEPOSIT_CHAIN_ID: bigintField,
    DEPOSIT_CONTRACT_ADDRESS: hexField,
  }),
});

export interface KnownChain extends BeaconChain {
  readonly genesisValidatorsRoot: Hex;
}

export class BeaconNodes {
  readonly #options: NodeOptions;
  /** What the first node that answered said, and who agreed. */
  #chain: KnownChain | undefined;
  readonly #sameChain = new Set<string>();
  readonly #checkedAt = new Map<string, number>();
  #preferred = 0;

  constructor(options: NodeOptions) {
    if (options.urls.length === 0) throw new AppError(EXIT.usage, "no beacon node is configured");
    this.#options = options;
  }

  get urls(): readonly string[] {
    return this.#options.urls;
  }

  get timeoutSeconds(): number {
    return this.#options.timeoutSeconds ?? 10;
  }

  async chain(signal?: AbortSignal): Promise<KnownChain> {
    if (this.#chain === undefined) await this.ask(() => Promise.resolve(), signal);
    if (this.#chain === undefined) throw new Error("a node was checked, but its chain is not known");
    return this.#chain;
  }

  /**
   * Lets the first usable node do something.
   * @throws FinalError as it comes; AppError (unavailable), with a line for each node, if none could
   */
  async ask<T>(act: (url: string) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { urls, onFailure } = this.#options;
    const { value, host } = await askHosts(
      urls,
      async (url) => {
        await this.#check(url, signal);
        return act(url);
      },
      {
        first: this.#preferred,
        signal,
        onFailure: ({ host: url, error }) => {
          this.#checkedAt.delete(url);
          onFailure?.(hostOf(url), messageOf(error));
        },
        onExhausted: (failures) =>
          new AppError(
            EXIT.unavailable,
            failures.map(({ host: url, error }) => `beacon node ${hostOf(url)}: ${messageOf(error)}`).join("\n"),
          ),
      },
    );
    this.#preferred = host;
    return value;
  }

  /** One request to one node. @returns also 404, which the caller knows the meaning of @throws FinalError, or an error that may pass */
  async fetch(
    url: string,
    path: string,
    { ssz = false, body, signal }: { ssz?: boolean; body?: unknown; signal?: AbortSignal | undefined } = {},
  ): Promise<RawAnswer> {
    const timeout = AbortSignal.timeout(Math.ceil(this.timeoutSeconds * 1_000));
    const response = await request(url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        accept: ssz ? "application/octet-stream" : "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    }).catch((error: unknown) => {
      if (timeout.aborted) throw new Unusable(`no answer within ${this.timeoutSeconds} s`);
      throw error;
    });
    const { statusCode: status } = response;
    const bytes = new Uint8Array(await response.body.arrayBuffer());
    const version = response.headers["eth-consensus-version"];
    if (status === 200 || status === 404)
      return { status, version: typeof version === "string" ? version : undefined, body: bytes };
    const message = `${path} answered ${status}${explanation(bytes)}`;
    throw mayPass(status) ? new Unusable(message) : new FinalError(message);
  }

  /** JSON of one node, in the shape of `schema`. Optimistic answers are refused. */
  async json<T>(
    url: string,
    path: string,
    schema: z.ZodType<T, z.ZodTypeDef, unknown>,
    options: { body?: unknown; signal?: AbortSignal | undefined } = {},
  ): Promise<T | undefined> {
    const answer = await this.fetch(url, path, options);
    if (answer.status === 404) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(answer.body).toString("utf8"));
    } catch {
      throw new Unusable(`${path} is not JSON`);
    }
    if ((value as { execution_optimistic?: unknown } | null)?.execution_optimistic === true)
      throw new Unusable(`${path} is optimistic: its execution layer has not verified it`);
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Unusable(`${path} has an unknown shape at ${issue?.path.join(".") ?? "?"}: ${issue?.message ?? ""}`);
  }

  /** Once a slot: not syncing, not optimistic, not behind; once ever: the same chain as the others. */
  async #check(url: string, signal: AbortSignal | undefined): Promise<void> {
    const now = this.#options.clock.now();
    if (!this.#sameChain.has(url)) await this.#checkChain(url, signal);
    const secondsPerSlot = this.#chain?.secondsPerSlot ?? 12;
    if (now - (this.#checkedAt.get(url) ?? -Infinity) < secondsPerSlot) return;
    const answer = await this.json(url, "/eth/v1/node/syncing", syncingSchema, { signal });
    if (answer === undefined) throw new Unusable("does not say whether it is syncing");
    const { is_syncing, is_optimistic, el_offline, head_slot } = answer.data;
    if (is_syncing) throw new Unusable("is syncing");
    if (is_optimistic === true) throw new Unusable("is optimistic: its execution layer has not verified its head");
    if (el_offline === true) throw new Unusable("has lost its execution layer");
    const slot = Math.floor((now - (this.#chain?.genesisTime ?? 0)) / secondsPerSlot);
    const behind = slot - head_slot;
    if (behind > (this.#options.maxLagSlots ?? 8)) throw new Unusable(`is ${behind} slots behind the clock`);
    this.#checkedAt.set(url, now);
  }

  async #checkChain(url: string, signal: AbortSignal | undefined): Promise<void> {
    const [genesis, spec] = await Promise.all([
      this.json(url, "/eth/v1/beacon/genesis", genesisSchema, { signal }),
      this.json(url, "/eth/v1/config/spec", specSchema, { signal }),
    ]);
    if (genesis === undefined || spec === undefined) throw new Unusable("does not say which chain it follows");
    const chain: KnownChain = {
      chainId: spec.data.DEPOSIT_CHAIN_ID,
      depositContract: spec.data.DEPOSIT_CONTRACT_ADDRESS,
      genesisTime: genesis.data.genesis_time,
      genesisForkVersion: genesis.data.genesis_fork_version,
      genesisValidatorsRoot: genesis.data.genesis_validators_root,
      slotsPerEpoch: spec.data.SLOTS_PER_EPOCH,
      secondsPerSlot: spec.data.SECONDS_PER_SLOT,
    };
    const { chainId } = this.#options;
    if (chainId !== undefined && chain.chainId !== chainId)
      throw new Unusable(`follows a chain whose execution layer is ${chain.chainId}, not ${chainId}`);
    this.#chain ??= chain;
    for (const key of Object.keys(chain) as (keyof KnownChain)[])
      if (chain[key] !== this.#chain[key])
        throw new Unusable(`follows another chain: ${key} is ${chain[key]}, not ${this.#chain[key]}`);
    this.#sameChain.add(url);
  }
}

function explanation(body: Uint8Array): string {
  try {
    const { message } = JSON.parse(Buffer.from(body).toString("utf8")) as { message?: unknown };
    return typeof message === "string" ? `: ${message.slice(0, 200)}` : "";
  } catch {
    return "";
  }
}
