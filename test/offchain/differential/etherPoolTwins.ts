/**
 * A deployed EtherPool with its Router, and their models, beside the twins of the core: batches of calls run in one transaction, and each call's
 * results or refusal, and the books after it, are compared.
 */
import { expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import { ERRORS } from "../../../offchain/chain/errors.ts";
import { EtherPoolModel } from "../../../offchain/protocol/etherPoolModel.ts";
import { ProtocolError, ensure } from "../../../offchain/protocol/errors.ts";
import type { EtherPoolTerms } from "../../../offchain/protocol/etherPool.ts";
import { RouterModel } from "../../../offchain/protocol/routerModel.ts";
import { unitsToShares } from "../../../offchain/protocol/shares.ts";
import { bp, shares, units, wei } from "../../../offchain/protocol/units.ts";
import type { Units, Wei } from "../../../offchain/protocol/units.ts";
import type { EtherPool, EtherPoolDriver, Router } from "../../../typechain-types/index.ts";
import { ethers, networkHelpers } from "../../helpers/network.ts";
import { Twins } from "./twins.ts";
import type { Deployed } from "./twins.ts";

export const KINDS = [
  ...(["sell", "sellFor", "buy", "enter", "exit"] as const),
  ...(["stake", "leave", "leaveWrapped", "provide", "exitToEther"] as const),
];
export type Kind = (typeof KINDS)[number];

/** As the driver has it: `limit` is a least or a most, `limit2` the second of them, or a fee. */
export interface Call {
  readonly kind: Kind;
  readonly value: bigint;
  readonly amount: bigint;
  readonly limit: bigint;
  readonly limit2: bigint;
}

const GAS = { gasLimit: 16_700_000n };
const PLENTY = 10n ** 30n;

interface Contracts {
  readonly driver: EtherPoolDriver;
  readonly etherPool: EtherPool;
  readonly router: Router;
}

export class EtherPoolTwins {
  readonly core: Twins;
  readonly pool: EtherPoolModel;
  readonly router: RouterModel;
  readonly driver: string;
  readonly #wrapper: string;
  readonly #contracts: Contracts;

  private constructor(
    core: Twins,
    models: { readonly pool: EtherPoolModel; readonly router: RouterModel },
    contracts: Contracts,
    addresses: { readonly driver: string; readonly wrapper: string },
  ) {
    this.core = core;
    this.pool = models.pool;
    this.router = models.router;
    this.driver = addresses.driver;
    this.#contracts = contracts;
    this.#wrapper = addresses.wrapper;
  }

  static async start(chain: Deployed, terms: EtherPoolTerms, seed: Wei): Promise<EtherPoolTwins> {
    const [deployer] = await ethers.getSigners();
    if (deployer !== undefined) await networkHelpers.setBalance(deployer.address, PLENTY);
    const etherPool = await ethers.deployContract("EtherPool", [chain.token, { ...terms }], { value: seed });
    const router = await ethers.deployContract("Router", [etherPool, chain.wrapped]);
    const driver = await ethers.deployContract("EtherPoolDriver", [etherPool, router]);
    const [poolAt, routerAt, driverAt, wrapper] = (await Promise.all(
      [etherPool, router, driver, chain.wrapped].map(async (contract) => contract.getAddress()),
    )) as [string, string, string, string];
    const core = await Twins.start(chain, [poolAt, routerAt, driverAt]);
    const pool = new EtherPoolModel(core.model, poolAt, terms, seed, await etherPool.LOCKED());
    const models = { pool, router: new RouterModel(core.model, pool, routerAt) };
    return new EtherPoolTwins(core, models, { driver, etherPool, router }, { driver: driverAt, wrapper });
  }

  /** westETH of the driver. */
  get wrapped(): Units {
    return units(this.core.model.sharesOf(this.#wrapper) / 10n ** 9n);
  }

  /** The guardian's switches. */
  async pause(what: "requests" | "deposits", isPaused: boolean): Promise<void> {
    const { queue, pool, guardian } = this.core.chain;
    this.core.now += 1n;
    await networkHelpers.time.setNextBlockTimestamp(this.core.now);
    if (what === "requests") {
      await queue.connect(guardian).pauseRequests(isPaused);
      this.core.requestsPaused = this.pool.requestsPaused = isPaused;
    } else {
      await pool.connect(guardian).pauseDeposits(isPaused);
      this.router.depositsPaused = isPaused;
    }
  }

  /** The driver wraps `amount` wei of its estETH. */
  async wrap(amount: bigint): Promise<void> {
    const { model } = this.core;
    await this.core.act(
      () => {
        const held = model.balanceOf(this.driver);
        ensure(amount <= held, "ERC20InsufficientBalance", this.driver, held, amount);
        const moved = units((amount * model.totals.shares) / model.totals.ether / 10n ** 9n);
        model.transferShares(this.driver, this.#wrapper, unitsToShares(moved));
      },
      () => this.#contracts.driver.wrap(amount, GAS),
    );
  }

  /**
   * Runs calls in one transaction on both sides.
   * @param next the call that follows, decided after the ones before it; undefined at the end
   * @returns each call's kind with its outcome: "done", or the refusal's name
   */
  async run(next: () => Call | undefined): Promise<string[]> {
    await networkHelpers.setBalance(this.driver, PLENTY);
    const calls: Call[] = [];
    const expected: string[] = [];
    await this.core.act(
      () => {
        for (let call = next(); call !== undefined; call = next()) {
          calls.push(call);
          expected.push(`${this.#outcome(call)} then ${this.#books()}`);
        }
      },
      async () => {
        const encoded = calls.map((call) => ({ ...call, kind: KINDS.indexOf(call.kind) }));
        const sent = await this.#contracts.driver.run(encoded, GAS);
        await this.#compare(sent, calls, expected);
        return sent;
      },
    );
    return calls.map(({ kind }, i) => `${kind} ${expected[i]?.replace(/[ (].*/, "")}`);
  }

  async #compare(
    sent: ContractTransactionResponse,
    calls: readonly Call[],
    expected: readonly string[],
  ): Promise<void> {
    const receipt = await sent.wait();
    const [log] = (receipt?.logs ?? []).filter(({ address }) => address === this.driver);
    if (log === undefined) throw new Error("the driver tells nothing");
    const [results] = this.#contracts.driver.interface.decodeEventLog("Ran", log.data) as unknown as [Result[]];
    calls.forEach((call, i) => {
      const { done, data, ether_, units: held, supply, own } = results[i] ?? NOTHING;
      const outcome = done ? `done ${this.#decoded(call.kind, data)}` : refusalIn(data);
      const shown = `${call.kind} ${[call.value, call.amount, call.limit, call.limit2].join(" ")}`;
      const found = `${outcome} then ${[ether_, held, supply, own].join(" ")}`;
      expect(found, shown).to.equal(expected[i]);
    });
  }

  #books(): string {
    const { ether, units: held, supply } = this.pool.pool;
    return [ether, held, supply, this.pool.balanceOf(this.driver)].join(" ");
  }

  #outcome(call: Call): string {
    try {
      return `done ${this.#act(call).join(" ")}`;
    } catch (error) {
      if (error instanceof ProtocolError) return error.message;
      throw error;
    }
  }

  /** @returns what the contract's call returns */
  #act({ kind, value, amount, limit, limit2 }: Call): readonly bigint[] {
    const { pool, router, driver } = this;
    const { now } = this.core;
    switch (kind) {
      case "sell":
        return [pool.sell(driver, units(amount), wei(limit), now)];
      case "sellFor":
        return [pool.sellFor(driver, wei(amount), units(limit), now)];
      case "buy":
        return [pool.buy(driver, wei(value), units(limit), now)];
      case "enter": {
        const cost = pool.enter(driver, driver, wei(amount), wei(value), units(limit));
        return [cost.ether, cost.units];
      }
      case "exit": {
        const got = pool.exit(driver, driver, wei(amount), wei(limit), units(limit2));
        return [got.ether, got.units];
      }
      case "stake":
        return [router.stake(driver, wei(value), shares(limit), now).shares];
      case "leave":
      case "leaveWrapped": {
        const isWrapped = kind === "leaveWrapped";
        const given = isWrapped ? unitsToShares(units(amount)) : shares(amount);
        const from = isWrapped ? this.#wrapper : driver;
        const left = router.leaveShares(from, driver, given, bp(limit2), wei(limit), now);
        return [left.ether, BigInt(left.requestId ?? 0)];
      }
      case "provide":
        return [router.provide(driver, wei(value), wei(limit), bp(limit2), now).lp];
      case "exitToEther": {
        const left = router.exitToEther(driver, driver, wei(amount), bp(limit2), wei(limit), now);
        return [left.ether, BigInt(left.requestId ?? 0)];
      }
    }
  }

  #decoded(kind: Kind, data: string): string {
    const { etherPool, router } = this.#contracts;
    const name = kind === "leave" ? "leaveShares" : kind;
    const isPools = KINDS.indexOf(kind) < KINDS.indexOf("stake");
    const abi = isPools ? etherPool.interface : router.interface;
    return abi
      .decodeFunctionResult(name as never, data)
      .toArray()
      .join(" ");
  }
}

interface Result {
  readonly done: boolean;
  readonly data: string;
  readonly ether_: bigint;
  readonly units: bigint;
  readonly supply: bigint;
  readonly own: bigint;
}

const NOTHING: Result = { done: false, data: "0x", ether_: 0n, units: 0n, supply: 0n, own: 0n };

function refusalIn(data: string): string {
  const parsed = data.length < 10 ? null : ERRORS.parseError(data);
  return parsed === null ? data : `${parsed.name}(${parsed.args.map(String).join(", ")})`;
}
