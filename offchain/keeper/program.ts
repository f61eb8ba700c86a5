/** The keeper as a program: settings, nodes, account, loop. */
import { Registry } from "prom-client";
import { BeaconClient } from "../beacon/client.ts";
import { connect } from "../chain/connect.ts";
import { readDeployment } from "../chain/deploymentFile.ts";
import { ExecutionProvider } from "../chain/provider.ts";
import { ValidatorReader } from "../chain/validatorReader.ts";
import { systemClock } from "../util/clock.ts";
import { readConfig, redacted } from "../util/config.ts";
import type { Environment } from "../util/config.ts";
import { runLoop, stopSignal, withHealth } from "../util/daemon.ts";
import { AppError, EXIT } from "../util/errors.ts";
import type { ExitCode } from "../util/errors.ts";
import { makeLog } from "../util/log.ts";
import { loadSigner } from "../util/signer.ts";
import { KEEPER_FIELDS } from "./config.ts";
import type { KeeperConfig } from "./config.ts";
import { Keeper } from "./keeper.ts";
import { keeperMetrics } from "./metrics.ts";
import type { Rules } from "./plan.ts";
import { Sender } from "./sender.ts";

/** @throws AppError */
export async function keeperProgram(args: readonly string[], env: Environment): Promise<ExitCode> {
  const [mode = "run"] = args;
  if (args.length > 1 || (mode !== "run" && mode !== "once"))
    throw new AppError(EXIT.usage, `usage: keeper [run|once], not ${args.join(" ")}`);
  const config = readConfig(KEEPER_FIELDS, env);
  const log = makeLog("keeper", config.LOG_LEVEL);
  log.info({ config: redacted(KEEPER_FIELDS, config) }, "starting");
  const registry = new Registry();
  const keeper = await makeKeeper(config, registry, log);
  if (mode === "once") {
    await keeper.turn();
    return EXIT.ok;
  }
  const signal = stopSignal(log);
  await withHealth(registry, config, systemClock, (pulse) =>
    runLoop(
      async (stop) => {
        await keeper.turn(stop);
        return true;
      },
      {
        clock: systemClock,
        pulse,
        seconds: config.POLL_SECONDS,
        log,
        signal,
        isFatal: (error) => error instanceof AppError && error.exitCode === EXIT.usage,
      },
    ),
  );
  log.info("stopped");
  return EXIT.ok;
}

export function rulesOf(config: KeeperConfig): Rules {
  return { batch: config.BATCH, minFinalisation: config.MIN_FINALISATION, minTreasury: config.MIN_TREASURY };
}

async function makeKeeper(config: KeeperConfig, registry: Registry, log: ReturnType<typeof makeLog>): Promise<Keeper> {
  const deployment = readDeployment(config.DEPLOYMENT);
  const { chainId } = deployment;
  const timeoutSeconds = config.REQUEST_TIMEOUT;
  const onFailure = (host: string, message: string): void => log.warn({ host }, message);
  const provider = new ExecutionProvider({ urls: config.EXECUTION_URLS, chainId, timeoutSeconds, onFailure });
  const beacon = new BeaconClient({ urls: config.BEACON_URLS, clock: systemClock, chainId, timeoutSeconds, onFailure });
  const protocol = await connect(provider, deployment);
  const sender = config.DRY_RUN
    ? undefined
    : new Sender(
        await loadSigner(config, provider),
        provider,
        systemClock,
        {
          maxFeePerGas: config.MAX_FEE_GWEI,
          urgentMaxFeePerGas: config.URGENT_MAX_FEE_GWEI,
          replaceAfter: config.REPLACE_AFTER,
          pollSeconds: 3,
          replacements: config.REPLACEMENTS,
        },
        log,
      );
  return new Keeper({
    sources: { protocol, beacon, reader: new ValidatorReader(protocol.validators, provider, deployment.fromBlock) },
    sender,
    clock: systemClock,
    rules: rulesOf(config),
    log,
    metrics: keeperMetrics(registry),
    attempts: config.ATTEMPTS,
  });
}
