/**
 * The simulated layer behind the interface that the real devnet has: its Beacon API is served on loopback and read over HTTP. The committee
 * and the keeper have no processes; they take their turn when something new is final.
 */
import type { NetworkConnection } from "hardhat/types/network";
import { Registry } from "prom-client";
import type { Settings } from "../../deploy/lib/parameters.ts";
import { BeaconClient } from "../../offchain/beacon/client.ts";
import { connect } from "../../offchain/chain/connect.ts";
import { ValidatorReader } from "../../offchain/chain/validatorReader.ts";
import { Keeper } from "../../offchain/keeper/keeper.ts";
import { keeperMetrics } from "../../offchain/keeper/metrics.ts";
import { Sender } from "../../offchain/keeper/sender.ts";
import type { Clock } from "../../offchain/util/clock.ts";
import { silentLog } from "../../offchain/util/log.ts";
import { serveBeaconApi } from "../simulated/api/server.ts";
import { deriveValidatorKeys } from "../keys.ts";
import { startLocalProtocol } from "../simulated/localProtocol.ts";
import { beaconApi } from "../real/beaconApi.ts";
import { DEFAULT_PARAMETERS } from "../real/chainConfig.ts";
import { committeeTurn } from "./committeeTurn.ts";
import type { World } from "./world.ts";

const SLOTS_PER_TICK = 16;
const EPOCHS_IN_HURRY = 4;
const ETH = 10n ** 18n;
const MAX_FEE = 100n * 10n ** 9n;

export async function simulatedWorld(
  connection: NetworkConnection,
  settings: Partial<Settings>,
  fork: "electra" | "fulu" = "electra",
): Promise<World> {
  const p = await startLocalProtocol(connection, {
    settings,
    beacon: { fork, rules: { minValidatorWithdrawabilityDelay: DEFAULT_PARAMETERS.withdrawabilityDelay } },
  });
  const { governor, alice, bob, carol, nodeOperator, beacon } = p;
  const { provider } = connection.ethers;
  const server = await serveBeaconApi(beacon);
  const api = beaconApi(server.url);
  const clock: Clock = { now: () => beacon.timeOf(beacon.head.slot), sleep: () => Promise.resolve() };
  const client = new BeaconClient({ urls: [server.url], clock });
  const [{ chainId }, token, wrapped] = await Promise.all([
    provider.getNetwork(),
    p.token.getAddress(),
    p.wrapped.getAddress(),
  ]);
  const protocol = await connect(provider, { chainId, token, wrapped, fromBlock: 0 });
  const reader = new ValidatorReader(protocol.validators, provider, 0);
  const keeper = new Keeper({
    sources: { protocol, beacon: client, reader },
    sender: new Sender(
      p.keeper,
      provider,
      clock,
      { maxFeePerGas: MAX_FEE, urgentMaxFeePerGas: MAX_FEE, replaceAfter: 12, pollSeconds: 4, replacements: 1 },
      silentLog,
    ),
    clock,
    rules: { batch: 30, minFinalisation: ETH / 10n, minTreasury: ETH },
    log: silentLog,
    metrics: keeperMetrics(new Registry()),
    attempts: 3,
  });
  const submitted = { ...protocol, oracle: protocol.oracle.connect(p.keeper) };
  let inHurry = false;
  let seen = -1;
  return {
    name: "simulated",
    keepsEveryBlock: false,
    contracts: p.contracts,
    provider,
    beacon: client,
    beaconJson: (path) => api.get(path),
    actors: { governor, alice, bob, carol, nodeOperator },
    keys: deriveValidatorKeys(3),
    tick: async () => {
      if (inHurry) await beacon.advanceEpochs(EPOCHS_IN_HURRY);
      // blocks in a row: what was sent is included, and has a successor to be proven by
      else await beacon.advanceSlots(SLOTS_PER_TICK);
      const finalized = await client.finalizedSlot();
      if (finalized === seen) return;
      seen = finalized;
      await committeeTurn({ protocol: submitted, beacon: client, validators: reader }, p.committee, finalized);
      if (!inHurry) await keeper.turn();
    },
    hurry: (on) => {
      inHurry = on;
      return Promise.resolve();
    },
    voteTwice: (key) => {
      beacon.slash(key.pubkey);
      return Promise.resolve();
    },
    disturb: () => Promise.resolve(undefined),
    stop: () => server.close(),
  };
}
