/** The protocol on the simulated layer, and a keeper that sees both only over their APIs. */
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { Registry } from "prom-client";
import { serveBeaconApi } from "../../../devnet/simulated/api/server.ts";
import type { BeaconApi } from "../../../devnet/simulated/api/server.ts";
import { openLiquidity } from "../../../devnet/simulated/localLiquidity.ts";
import { startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { BeaconClient } from "../../../offchain/beacon/client.ts";
import { connect } from "../../../offchain/chain/connect.ts";
import type { Protocol } from "../../../offchain/chain/connect.ts";
import { ValidatorReader } from "../../../offchain/chain/validatorReader.ts";
import { Keeper } from "../../../offchain/keeper/keeper.ts";
import type { KeeperOptions } from "../../../offchain/keeper/keeper.ts";
import { keeperMetrics } from "../../../offchain/keeper/metrics.ts";
import type { Action, ActionKind, Rules } from "../../../offchain/keeper/actions.ts";
import { Sender } from "../../../offchain/keeper/sender.ts";
import type { SenderRules } from "../../../offchain/keeper/sender.ts";
import type { Clock } from "../../../offchain/util/clock.ts";
import { silentLog } from "../../../offchain/util/log.ts";

export const ETH = 10n ** 18n;
export const RULES: Rules = { batch: 30, minFinalisation: ETH / 10n, minTreasury: ETH };
export const SENDER_RULES: SenderRules = {
  maxFeePerGas: 100n * 10n ** 9n,
  urgentMaxFeePerGas: 1_000n * 10n ** 9n,
  replaceAfter: 12,
  pollSeconds: 4,
  replacements: 3,
};

export interface KeeperWorld {
  readonly connection: NetworkConnection;
  readonly p: LocalProtocol;
  readonly api: BeaconApi;
  readonly protocol: Protocol;
  readonly registry: Registry;
  /** Passes no time. */
  readonly clock: Clock;
  keeper(options?: Partial<KeeperOptions>): Keeper;
  sender(rules?: Partial<SenderRules>): Sender;
  /** Everything that happens so far is finalised. */
  finalize(): Promise<void>;
  close(): Promise<void>;
}

/** @param trades whether there is an EtherPool, at its target */
export async function startWorld({ trades = false } = {}): Promise<KeeperWorld> {
  const connection = await network.create();
  const p = await startLocalProtocol(connection);
  const liquidity = trades ? await openLiquidity(connection, p) : undefined;
  const api = await serveBeaconApi(p.beacon);
  const { provider } = connection.ethers;
  const [token, wrapped] = await Promise.all([p.token.getAddress(), p.wrapped.getAddress()]);
  const router = await liquidity?.router.getAddress();
  const protocol = await connect(provider, { chainId: 31_337n, token, wrapped, router, fromBlock: 0 });
  let registry = new Registry();
  const clock: Clock = { now: () => p.beacon.timeOf(p.beacon.head.slot), sleep: () => Promise.resolve() };
  const sender = (rules: Partial<SenderRules> = {}): Sender =>
    new Sender(p.keeper, provider, clock, { ...SENDER_RULES, ...rules }, silentLog);
  return {
    connection,
    p,
    api,
    protocol,
    get registry() {
      return registry;
    },
    clock,
    sender,
    keeper(options = {}) {
      registry = new Registry();
      return new Keeper({
        sources: {
          protocol,
          beacon: new BeaconClient({ urls: [api.url], clock, chainId: 31_337n }),
          reader: new ValidatorReader(protocol.validators, provider, 0),
        },
        sender: sender(),
        clock,
        rules: RULES,
        log: silentLog,
        metrics: keeperMetrics(registry),
        attempts: 3,
        ...options,
      });
    },
    async finalize() {
      await p.beacon.advanceSlots(2);
      await p.beacon.finalize(p.beacon.head.slot);
    },
    close: () => api.close(),
  };
}

/** Turns until one does nothing. @returns what was done, in order */
export async function runDry(world: KeeperWorld, keeper: Keeper, limit = 12): Promise<Action[]> {
  const actions: Action[] = [];
  for (let i = 0; i < limit; i++) {
    const { done } = await keeper.turn();
    if (done.length === 0) return actions;
    actions.push(...done.map(({ action }) => action));
    await world.p.beacon.advanceSlots(1);
  }
  throw new Error(`still busy after ${limit} turns: ${actions.map(({ kind }) => kind).join(", ")}`);
}

export function kinds(actions: readonly Action[]): ActionKind[] {
  return actions.map(({ kind }) => kind);
}

/** What the metric says about an action. */
export async function blockedBy(world: KeeperWorld, action: ActionKind): Promise<string[]> {
  const metric = await world.registry.getSingleMetric("estuary_keeper_blocked")?.get();
  return (metric?.values ?? [])
    .filter(({ labels, value }) => labels["action"] === action && value === 1)
    .map(({ labels }) => String(labels["reason"]));
}
