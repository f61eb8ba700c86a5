/**
 * What the registries count at a block, beside what was read from their events: the events are whole where both agree. A difference means that
 * a node left some out.
 */
import type { Provider } from "ethers";
import { OperatorRegistry__factory } from "../../typechain-types/factories/contracts/validators/OperatorRegistry__factory.ts";
import type { ValidatorRegistry } from "../../typechain-types/contracts/validators/ValidatorRegistry.ts";
import { EventsMissing } from "./feed.ts";
import { NoSuchView, call, readAll } from "./multicall.ts";
import type { ValidatorBook, ValidatorEntry } from "./validatorBook.ts";

interface TierCounts {
  /** Places given, ever. */
  readonly tail: number;
  readonly queued: number;
  /** Ever, in turn and out of turn. */
  readonly funded: number;
  /** Ever asked to exit, or proven exiting or withdrawn without. */
  readonly leaving: number;
}

export interface RegistryTotals {
  readonly tiers: readonly TierCounts[];
  /** Funded, not proven withdrawn. */
  readonly active: number;
  /** Changes with every validator that stops to earn. */
  readonly weight: bigint;
}

/** IValidatorExits.Status. */
const [ACTIVE, EXITING] = [3n, 4n];
/** Tiers read at once before it is known how many there are. */
const FIRST_TIERS = 4;

export class RegistryCounts {
  readonly #registry: ValidatorRegistry;
  readonly #provider: Provider;
  #operators: string | undefined;
  #tiers = FIRST_TIERS;
  /** What all operators were compared at: nothing of theirs changes without it. */
  #compared: string | undefined;

  constructor(registry: ValidatorRegistry, provider: Provider, operators?: string) {
    this.#registry = registry;
    this.#provider = provider;
    this.#operators = operators;
  }

  /**
   * @param events how many the book was made of
   * @param places of each tier, how many places its events gave
   * @param totals of `read` at that block, where it was asked before
   * @throws EventsMissing; AppError (unavailable) where the counts can't be read
   */
  async expectWhole(
    book: ValidatorBook,
    places: ReadonlyMap<number, number>,
    events: number,
    block: number,
    totals?: RegistryTotals,
  ): Promise<void> {
    const counted = totals ?? (await this.read(block));
    const entries = [...book.values()];
    counted.tiers.forEach((tier, id) => {
      const own = entries.filter((entry) => entry.tier === id);
      same(`tier ${id}`, "proven", tier.tail, places.get(id) ?? 0);
      same(`tier ${id}`, "queued", tier.queued, own.filter(({ status }) => status === "queued").length);
      same(`tier ${id}`, "funded", tier.funded, own.filter(wasFunded).length);
      same(`tier ${id}`, "leaving", tier.leaving, own.filter(isLeaving).length);
    });
    const outside = entries.filter(({ tier }) => tier !== undefined && tier >= counted.tiers.length).length;
    same("the registry", "in tiers that it does not have", 0, outside);
    same("the registry", "funded and not withdrawn", counted.active, entries.filter(isActive).length);
    const state = JSON.stringify([events, counted], (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    if (state === this.#compared || entries.length === 0) return;
    await this.#expectOperators(entries, block);
    this.#compared = state;
  }

  async #expectOperators(entries: readonly ValidatorEntry[], block: number): Promise<void> {
    const registry = this.#registry;
    const operators = OperatorRegistry__factory.connect(this.#operators ?? "");
    const ids = [...new Set(entries.map(({ operatorId }) => operatorId))];
    // what no count shows: an exit of one that was asked, a slashing of one that had stopped to earn
    const doubtful = entries.filter(
      ({ status, exitRequested, weightStopped }) =>
        (status === "active" || status === "exiting") && (exitRequested || weightStopped),
    );
    const source = { provider: this.#provider, multicall: false };
    const at = { number: block, timestamp: 0n };
    const [found, records] = await Promise.all([
      readAll(source, Object.fromEntries(ids.map((id) => [String(id), call(operators, operators.operator, id)])), at),
      readAll(
        source,
        Object.fromEntries(doubtful.map(({ keyRoot }) => [keyRoot, call(registry, registry.validator, keyRoot)])),
        at,
      ),
    ]);
    for (const id of ids) {
      const operator = found.values[String(id)];
      const own = entries.filter(({ operatorId }) => operatorId === id);
      const count = (of: (entry: ValidatorEntry) => boolean): number => own.filter(of).length;
      same(
        `operator ${id}`,
        "queued",
        Number(operator?.queued),
        count(({ status }) => status === "queued"),
      );
      same(`operator ${id}`, "funded and not withdrawn", Number(operator?.active), count(isActive));
      same(
        `operator ${id}`,
        "earning",
        Number(operator?.weighted),
        count((one) => wasFunded(one) && !one.weightStopped),
      );
    }
    for (const { keyRoot, status, slashed } of doubtful) {
      const record = records.values[keyRoot];
      if (record?.status !== (status === "exiting" ? EXITING : ACTIVE))
        throw new EventsMissing(`an exit of ${keyRoot}`);
      if (record.slashed !== slashed) throw new EventsMissing(`the slashing of ${keyRoot}`);
    }
  }

  /** @throws AppError (unavailable) */
  async read(block: number): Promise<RegistryTotals> {
    const at = { number: block, timestamp: 0n };
    const source = { provider: this.#provider, multicall: false };
    const registry = this.#registry;
    try {
      this.#operators ??= (await readAll(source, { of: call(registry, registry.operators) }, at)).values.of;
      const operators = OperatorRegistry__factory.connect(this.#operators);
      const known = tierCalls(registry, 0, this.#tiers);
      const { values } = await readAll(
        source,
        { count: call(registry, registry.tierCount), totals: call(operators, operators.rewardTotals), ...known },
        at,
      );
      const count = Number(values.count);
      const more = (await readAll(source, tierCalls(registry, this.#tiers, count), at)).values;
      const tiers = { ...values, ...more } as Record<string, unknown>;
      this.#tiers = Math.max(FIRST_TIERS, count);
      return {
        tiers: Array.from({ length: count }, (_, id) => countsFrom(tiers[`tier${id}`])),
        active: Number(values.totals.active),
        weight: values.totals.weight,
      };
    } catch (error) {
      if (!(error instanceof NoSuchView) || (await this.#isThere(block))) throw error;
      return { tiers: [], active: 0, weight: 0n };
    }
  }

  /** Before both were deployed nothing happened. */
  async #isThere(block: number): Promise<boolean> {
    const codes = [await this.#registry.getAddress(), ...(this.#operators === undefined ? [] : [this.#operators])].map(
      (address) => this.#provider.getCode(address, block),
    );
    return (await Promise.all(codes)).every((code) => code !== "0x");
  }
}

function tierCalls(registry: ValidatorRegistry, from: number, to: number) {
  const ids = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
  return Object.fromEntries(ids.map((id) => [`tier${id}`, call(registry, registry.tierQueue, id)]));
}

function countsFrom(queue: unknown): TierCounts {
  const { tail, queued, funded, leaving } = queue as Record<keyof TierCounts, bigint>;
  return { tail: Number(tail), queued: Number(queued), funded: Number(funded), leaving: Number(leaving) };
}

function wasFunded({ fundedBlock }: ValidatorEntry): boolean {
  return fundedBlock !== undefined;
}

function isActive(entry: ValidatorEntry): boolean {
  return wasFunded(entry) && entry.status !== "withdrawn";
}

function isLeaving({ status, exitRequested }: ValidatorEntry): boolean {
  return exitRequested || status === "exiting" || status === "withdrawn";
}

function same(whose: string, what: string, counted: number, read: number): void {
  if (counted !== read) throw new EventsMissing(`${whose} counts ${counted} ${what}, its events ${read}`);
}
