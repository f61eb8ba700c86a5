/** A keeper on the same chain as a committee, with the keeper's account. */
import { Wallet } from "ethers";
import { Registry } from "prom-client";
import { BeaconClient } from "../../../offchain/beacon/client.ts";
import { connect } from "../../../offchain/chain/connect.ts";
import { ExecutionProvider } from "../../../offchain/chain/provider.ts";
import { ValidatorReader } from "../../../offchain/chain/validatorReader.ts";
import { Keeper } from "../../../offchain/keeper/keeper.ts";
import { keeperMetrics } from "../../../offchain/keeper/metrics.ts";
import { Sender } from "../../../offchain/keeper/sender.ts";
import { logInto } from "../logLines.ts";
import type { LogLine } from "../logLines.ts";
import type { Committee } from "./committee.ts";

const ETH = 10n ** 18n;
const PRICE = 100n * 10n ** 9n;

export interface KeeperNodes {
  readonly executionUrls: readonly string[];
  readonly beaconUrls: readonly string[];
  /** Seconds for one answer. */
  readonly timeoutSeconds?: number;
  /** Its log is written there. */
  readonly lines: LogLine[];
  /** Of its account; the local protocol's keeper, whose transactions reach the network directly, where there is none. */
  readonly privateKey?: string;
}

export async function keeperBeside(
  c: Committee,
  { executionUrls, beaconUrls, timeoutSeconds = 15, lines, privateKey }: KeeperNodes,
): Promise<Keeper> {
  const { clock } = c;
  const log = logInto(lines);
  const onFailure = (host: string, message: string): void => log.warn({ host }, message);
  const common = { chainId: 31_337n, timeoutSeconds, onFailure };
  const provider = new ExecutionProvider({ urls: executionUrls, ...common });
  const protocol = await connect(provider, c.deployment);
  const beacon = new BeaconClient({ urls: beaconUrls, clock, ...common });
  const account = privateKey === undefined ? c.p.keeper : new Wallet(privateKey, provider);
  const rules = { maxFeePerGas: PRICE, urgentMaxFeePerGas: PRICE, replaceAfter: 120, pollSeconds: 3, replacements: 3 };
  return new Keeper({
    sources: { protocol, beacon, reader: new ValidatorReader(protocol.validators, provider, 0) },
    sender: new Sender(account, provider, clock, rules, log),
    clock,
    rules: { batch: 30, minFinalisation: ETH / 10n, minTreasury: ETH },
    log,
    metrics: keeperMetrics(new Registry()),
    attempts: 5,
  });
}
