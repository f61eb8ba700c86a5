/**
 * A committee of daemons on one simulated chain: each with its own beacon node, journal and door, over real sockets. Time is the test's.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkConnection } from "hardhat/types/network";
import { serveBeaconApi } from "../../../devnet/simulated/api/server.ts";
import type { BeaconApi } from "../../../devnet/simulated/api/server.ts";
import { fundValidators, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalOptions, LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import type { Deployment } from "../../../offchain/chain/connect.ts";
import { assemble } from "../../../offchain/oracle/assemble.ts";
import type { Assembled } from "../../../offchain/oracle/assemble.ts";
import { ORACLE_FIELDS } from "../../../offchain/oracle/config.ts";
import type { OracleConfig } from "../../../offchain/oracle/config.ts";
import type { Step } from "../../../offchain/oracle/step.ts";
import { runLoop } from "../../../offchain/util/daemon.ts";
import { manualClock } from "../../../offchain/util/clock.ts";
import type { ManualClock } from "../../../offchain/util/clock.ts";
import { readConfig } from "../../../offchain/util/config.ts";
import { closeServer, makePulse, portOf } from "../../../offchain/util/health.ts";
import type { Log } from "../../../offchain/util/log.ts";
import { logInto } from "../logLines.ts";
import type { LogLine } from "../logLines.ts";

const ETH = 10n ** 18n;
export const TAKE_OVER_DELAY = 60;

export interface Place {
  readonly address: string;
  readonly beacon: BeaconApi;
  readonly lines: LogLine[];
  /** What each turn of its loop came to. */
  readonly steps: Step[];
  config: OracleConfig;
  /** A second node, asked where the first fails; only if configured. */
  readonly spare: BeaconApi;
  /** Undefined while it is down. */
  daemon: Assembled | undefined;
  loop: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
}

export interface Committee {
  readonly p: LocalProtocol;
  readonly connection: NetworkConnection;
  readonly clock: ManualClock;
  readonly places: readonly Place[];
  readonly deployment: Deployment;
  readonly executionUrl: string;
  /** Moves chain and clock to a new frame's finality. Returns its reference slot. */
  nextFrame(): Promise<bigint>;
  /** The same, and the reference slot has no block. */
  missedFrame(): Promise<bigint>;
  setBalance(address: string, wei: bigint): Promise<void>;
  /** Whether transactions are mined as they come. */
  automine(isOn: boolean): Promise<void>;
  /** Moves the clock, and the chain with it. */
  wait(seconds: number): Promise<void>;
  start(place: Place): Promise<Assembled>;
  stop(place: Place): Promise<void>;
  /** Starts the daemon's loop: from then on it acts whenever the clock moves. */
  run(place: Place): Promise<void>;
  /** Another daemon's loop on the same clock, until `close`. */
  runBeside(turn: (signal: AbortSignal) => Promise<unknown>, log: Log): void;
  /** Until every loop sleeps. */
  settled(): Promise<void>;
  /** Lets the loops take turns until the slot is reported and all are asleep; fails after `limit` turns. */
  untilReported(refSlot: bigint, limit?: number): Promise<void>;
  close(): Promise<void>;
}

export interface CommitteeOptions {
  readonly members?: number;
  readonly quorum?: number;
  readonly validators?: number;
  readonly local?: LocalOptions;
}

/** Members `members` of the local committee, lowest addresses first; all are running when it returns. */
export async function startCommittee(
  connection: NetworkConnection,
  { members = 5, quorum = 3, validators = 4, local = {} }: CommitteeOptions = {},
): Promise<Committee> {
  const p = await startLocalProtocol(connection, local);
  await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: BigInt(validators) * 31n * ETH });
  if (validators > 0) await fundValidators(p, validators, 0);
  const wallets = p.committee.wallets.slice(0, members);
  for (const wallet of p.committee.wallets.slice(members)) await p.oracle.connect(p.governor).removeMember(wallet);
  await p.oracle.connect(p.governor).setQuorum(quorum);
  for (const wallet of wallets) await p.alice.sendTransaction({ to: wallet.address, value: 10n * ETH });
  await p.beacon.advanceSlots(1);

  const rpc = await serveRpc(connection.provider, 0);
  const executionUrl = `http://127.0.0.1:${(rpc.address() as AddressInfo).port}`;
  const deployment: Deployment = {
    chainId: 31_337n,
    token: await p.token.getAddress(),
    wrapped: await p.wrapped.getAddress(),
    fromBlock: 0,
  };
  const clock = manualClock(p.beacon.timeOf(p.beacon.head.slot));
  const folder = mkdtempSync(join(tmpdir(), "estuary-oracle-"));
  const held = await holdPorts(members);
  const ports = [...held.keys()];
  const places = await Promise.all(
    wallets.map(async (wallet, index): Promise<Place> => {
      const beacon = await serveBeaconApi(p.beacon);
      const config = readConfig(ORACLE_FIELDS, {
        ESTUARY_EXECUTION_URLS: executionUrl,
        ESTUARY_BEACON_URLS: beacon.url,
        ESTUARY_DEPLOYMENT: "unused",
        ESTUARY_PRIVATE_KEY: wallet.privateKey,
        ESTUARY_DATA_DIR: join(folder, String(index)),
        ESTUARY_PEERS: ports
          .filter((_, other) => other !== index)
          .map((port) => `http://127.0.0.1:${port}`)
          .join(","),
        ESTUARY_LISTEN_PORT: String(ports[index]),
        ESTUARY_HEALTH_PORT: "0",
        ESTUARY_TAKE_OVER_DELAY: String(TAKE_OVER_DELAY),
        ESTUARY_REQUEST_TIMEOUT: "20",
        ESTUARY_POLL_SECONDS: "30",
      });
      const spare = await serveBeaconApi(p.beacon);
      // whole states and single validators must give the same report
      if (index > 0) beacon.faults.noDebug = true;
      return {
        address: wallet.address.toLowerCase(),
        beacon,
        spare,
        lines: [],
        steps: [],
        config,
        daemon: undefined,
        loop: undefined,
      };
    }),
  );
  const start = async (place: Place): Promise<Assembled> => {
    const holder = held.get(place.config.LISTEN_PORT);
    held.delete(place.config.LISTEN_PORT);
    if (holder !== undefined) await closeServer(holder);
    place.daemon = await whenFree(() => assemble(place.config, deployment, { clock, log: logInto(place.lines) }));
    return place.daemon;
  };
  const run = async (place: Place): Promise<void> => {
    const { member } = place.daemon ?? (await start(place));
    const controller = new AbortController();
    const turn = async (signal: AbortSignal): Promise<boolean> => {
      const step = await member.step(signal);
      place.steps.push(step);
      return step.reasons.length === 0;
    };
    const done = runLoop(turn, {
      clock,
      pulse: makePulse(clock, 60),
      seconds: place.config.POLL_SECONDS,
      log: logInto(place.lines),
      signal: controller.signal,
      isFatal: () => false,
    });
    place.loop = { stop: controller, done };
  };
  const others: NonNullable<Place["loop"]>[] = [];
  const runBeside = (turn: (signal: AbortSignal) => Promise<unknown>, log: Log): void => {
    const stop = new AbortController();
    const done = runLoop(async (signal) => (await turn(signal)) !== undefined, {
      clock,
      pulse: makePulse(clock, 60),
      seconds: 30,
      log,
      signal: stop.signal,
      isFatal: () => false,
    });
    others.push({ stop, done });
  };
  const settled = async (): Promise<void> => {
    const deadline = Date.now() + 240_000;
    while (clock.sleepers < others.length + places.filter(({ loop }) => loop !== undefined).length) {
      if (Date.now() > deadline) throw new Error("a loop does not come to rest");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const stop = async (place: Place): Promise<void> => {
    place.loop?.stop.abort();
    await place.loop?.done;
    place.loop = undefined;
    await place.daemon?.close();
    place.daemon?.protocol.provider.destroy();
    place.daemon = undefined;
  };
  const follow = async (): Promise<void> => {
    await clock.advance(Math.max(0, p.beacon.timeOf(p.beacon.head.slot) - clock.now()));
  };
  const frame = async (reach: (refSlot: number) => Promise<unknown>): Promise<bigint> => {
    const refSlot = await newFrame(p);
    await reach(Number(refSlot));
    await p.beacon.advanceSlots(1);
    await p.beacon.finalize(Number(refSlot));
    await follow();
    return refSlot;
  };
  for (const place of places) await start(place);
  return {
    p,
    connection,
    clock,
    places,
    deployment,
    executionUrl,
    nextFrame: async () => frame((refSlot) => p.beacon.advanceTo(refSlot)),
    missedFrame: async () =>
      frame(async (refSlot) => {
        await p.beacon.advanceTo(refSlot - 2);
        await p.beacon.missSlots(2);
      }),
    setBalance: async (address, amount) => {
      await connection.provider.request({
        method: "hardhat_setBalance",
        params: [address, `0x${amount.toString(16)}`],
      });
    },
    automine: async (isOn) => {
      await connection.provider.request({ method: "evm_setAutomine", params: [isOn] });
    },
    async wait(seconds) {
      await clock.advance(seconds);
      const slot = Math.floor((clock.now() - p.beacon.genesisTime) / 12);
      if (slot > p.beacon.head.slot) await p.beacon.advanceTo(slot);
    },
    start,
    stop,
    run,
    runBeside,
    settled,
    async untilReported(refSlot, limit = 20) {
      for (let turn = 0; turn < limit; turn++) {
        await settled();
        if ((await p.oracle.lastRefSlot()) >= refSlot) break;
        await clock.advance(30);
      }
      // one more, so that everybody sees it
      await clock.advance(30);
      await settled();
      const last = await p.oracle.lastRefSlot();
      if (last !== refSlot) throw new Error(`slot ${refSlot} is not reported: the last one is ${last}`);
    },
    async close() {
      for (const { stop: controller, done } of others) {
        controller.abort();
        await done;
      }
      for (const place of places) {
        await stop(place);
        await place.beacon.close();
        await place.spare.close();
      }
      await closeServer(rpc);
      rmSync(folder, { recursive: true });
    },
  };
}

/** The first reference slot after the head. */
async function newFrame({ oracle, beacon }: LocalProtocol): Promise<bigint> {
  const slotsPerFrame = await oracle.slotsPerFrame();
  const last = await oracle.lastRefSlot();
  return last + ((BigInt(beacon.head.slot) - last) / slotsPerFrame + 1n) * slotsPerFrame;
}

/** A frame ends; its reference slot is not final yet. */
export async function fixedFrame({ p, clock }: Committee): Promise<bigint> {
  const refSlot = await newFrame(p);
  await p.beacon.advanceTo(Number(refSlot));
  await p.beacon.advanceSlots(1);
  await clock.advance(p.beacon.timeOf(p.beacon.head.slot) - clock.now());
  return refSlot;
}

/** Ports for doors that peers must know before they open: held until then. */
async function holdPorts(count: number): Promise<Map<number, Server>> {
  const held = new Map<number, Server>();
  for (let i = 0; i < count; i++) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    held.set(portOf(server), server);
  }
  return held;
}

/** Again where a connection on its way out has the port for a moment. */
async function whenFree<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
