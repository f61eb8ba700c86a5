/** The keeper as a program: settings, nodes, account, loop. */
import { Registry } from "prom-client";
import { BeaconClient } from "../beacon/client.ts";
import { connect } from "../chain/connect.ts";
import { checkDeployment, readDeployment } from "../chain/deploymentFile.ts";
import { ExecutionProvider } from "../chain/provider.ts";
import { ValidatorReader } from "../chain/validatorReader.ts";
import { systemClock } from "../util/clock.ts";
import type { Clock } from "../util/clock.ts";
import { readConfig, redacted } from "../util/config.ts";
import { runLoop, stopSignal, whenAvailable, withHealth } from "../util/daemon.ts";
import type { Program } from "../util/daemon.ts";
import { AppError, EXIT } from "../util/errors.ts";
import type { ExitCode } from "../util/errors.ts";
import { checksAsText, exitCodeOfChecks } from "../util/check.ts";
import { makeLog } from "../util/log.ts";
import type { Log } from "../util/log.ts";
import { checkSigner, loadSigner, namesSigner } from "../util/signer.ts";
import { checkKeeper } from "./check.ts";
import { KEEPER_FIELDS } from "./config.ts";
import type { KeeperConfig } from "./config.ts";
import { Keeper } from "./keeper.ts";
import { keeperMetrics } from "./metrics.ts";
import type { KeeperMetrics } from "./metrics.ts";
import type { Rules } from "./actions.ts";
import { Sender } from "./sender.ts";
import type { Sources } from "./snapshot.ts";
import { TradingReader } from "./trading.ts";

/** Seconds between two looks for a receipt, at most. */
const LOOK_FOR_RECEIPTS = 3;

export const MODES = ["run", "once", "check"] as const;

/** @throws AppError */
export async function keeperProgram(args: readonly string[], program: Program): Promise<ExitCode> {
  const { env, json, print, clock = systemClock } = program;
  const mode = MODES.find((one) => one === (args[0] ?? "run"));
  if (args.length > 1 || mode === undefined)
    throw new AppError(EXIT.usage, `usage: keeper [${MODES.join("|")}] [--json], not ${args.join(" ")}`);
  const config = readConfig(KEEPER_FIELDS, env, checkDeployment, (values) => {
    if (mode !== "check" && values.DRY_RUN !== true) checkSigner(values);
  });
  const log = program.log ?? makeLog("keeper", config.LOG_LEVEL);
  const surroundings = { clock, log };
  if (mode === "check") {
    const checks = await checkKeeper(config, await connectNodes(config, surroundings), rulesOf(config), clock);
    print(json ? JSON.stringify({ checks }) : checksAsText(checks));
    return exitCodeOfChecks(checks);
  }
  log.info({ config: redacted(KEEPER_FIELDS, config) }, "starting");
  const registry = new Registry();
  const metrics = keeperMetrics(registry);
  const start = async (): Promise<Keeper> =>
    makeKeeper(config, await connectNodes(config, surroundings), metrics, surroundings);
  if (mode === "once") {
    await (await start()).turn();
    return EXIT.ok;
  }
  const signal = program.signal ?? stopSignal(log);
  await withHealth(registry, config, clock, async (pulse) => {
    const loop = { clock, pulse, seconds: config.POLL_SECONDS, log, signal };
    const keeper = await whenAvailable(start, loop);
    if (keeper === undefined) return;
    const turn = async (stop: AbortSignal): Promise<boolean> => {
      await keeper.turn(stop);
      return true;
    };
    const isFatal = (error: unknown): boolean => error instanceof AppError && error.exitCode === EXIT.usage;
    await runLoop(turn, { ...loop, isFatal });
  });
  log.info("stopped");
  return EXIT.ok;
}

export function rulesOf(config: KeeperConfig): Rules {
  return {
    batch: config.BATCH,
    minFinalisation: config.MIN_FINALISATION,
    minTreasury: config.MIN_TREASURY,
    arbitrage:
      config.ARBITRAGE === undefined
        ? undefined
        : {
            most: config.ARBITRAGE,
            mostADay: config.ARBITRAGE_A_DAY,
            minProfit: config.ARBITRAGE_PROFIT,
            minProfitBp: BigInt(config.ARBITRAGE_PROFIT_BP),
            capitalCostBp: BigInt(config.CAPITAL_COST_BP),
            reserve: config.GAS_RESERVE,
          },
  };
}

interface Surroundings {
  readonly clock: Clock;
  readonly log: Log;
}

async function connectNodes(config: KeeperConfig, { clock, log }: Surroundings): Promise<Sources> {
  const deployment = readDeployment(config.DEPLOYMENT);
  const { chainId } = deployment;
  const timeoutSeconds = config.REQUEST_TIMEOUT;
  const onFailure = (host: string, message: string): void => log.warn({ host }, message);
  const provider = new ExecutionProvider({ urls: config.EXECUTION_URLS, chainId, timeoutSeconds, onFailure });
  const beacon = new BeaconClient({ urls: config.BEACON_URLS, clock, chainId, timeoutSeconds, onFailure });
  const protocol = await connect(provider, deployment);
  if (config.ARBITRAGE !== undefined && protocol.liquidity === undefined)
    throw new AppError(EXIT.usage, "ESTUARY_ARBITRAGE: the addresses file names no Router, and so no EtherPool");
  return { protocol, beacon, reader: new ValidatorReader(protocol.validators, provider, deployment.fromBlock) };
}

async function makeKeeper(
  config: KeeperConfig,
  sources: Sources,
  metrics: KeeperMetrics,
  { clock, log }: Surroundings,
): Promise<Keeper> {
  const { provider } = sources.protocol;
  const signer = config.DRY_RUN && !namesSigner(config) ? undefined : await loadSigner(config, provider);
  const rules = {
    maxFeePerGas: config.MAX_FEE_GWEI,
    urgentMaxFeePerGas: config.URGENT_MAX_FEE_GWEI,
    replaceAfter: config.REPLACE_AFTER,
    pollSeconds: Math.min(LOOK_FOR_RECEIPTS, config.POLL_SECONDS),
    replacements: config.REPLACEMENTS,
  };
  const account = await signer?.getAddress();
  return new Keeper({
    sources,
    trading:
      account === undefined || config.ARBITRAGE === undefined
        ? undefined
        : new TradingReader(sources.protocol, account),
    sender: signer === undefined || config.DRY_RUN ? undefined : new Sender(signer, provider, clock, rules, log),
    account,
    clock,
    rules: rulesOf(config),
    log,
    metrics,
    attempts: config.ATTEMPTS,
  });
}
