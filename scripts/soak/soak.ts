/** A real devnet with the committee and the keeper behind hostile nodes, for as long as one wishes; everything is killed now and then. */
import { setTimeout as sleep } from "node:timers/promises";
import { ValidatorReader } from "../../offchain/chain/validatorReader.ts";
import { memoryOf } from "../../devnet/real/devnet.ts";
import type { Devnet } from "../../devnet/real/devnet.ts";
import type { DeployedProtocol } from "../../devnet/real/protocol.ts";
import { realWorld } from "../../devnet/real/realWorld.ts";
import type { Supervised } from "../../devnet/real/supervisor.ts";
import { auditReports } from "../../devnet/scenario/audit.ts";
import type { Reported } from "../../devnet/scenario/audit.ts";
import { messageOf } from "../../offchain/util/errors.ts";
import { Dice } from "../../test/helpers/hostile/behaviour.ts";
import { disguise } from "../../test/helpers/hostile/disguise.ts";
import type { Disguised } from "../../test/helpers/hostile/disguise.ts";
import { slopeOf } from "./memory.ts";
import type { Sample, Slope } from "./memory.ts";
import { logsIn, reasonsIn, secretsIn, shapesOf, unhandledIn } from "./output.ts";
import type { Finding } from "./output.ts";
import { act, settle } from "./people.ts";

export interface SoakOptions {
  readonly seed: string;
  readonly minutes: number;
  /** Wall time of a slot. A frame has 256. */
  readonly slotMs: number;
  readonly onEvent: (line: string) => void;
}

export interface Soaked {
  readonly ok: boolean;
  readonly seed: string;
  readonly minutes: number;
  readonly frames: number;
  readonly reports: number;
  /** Reference slots that have no report though a quorum could have made one. */
  readonly missed: readonly number[];
  /** Reference slots whose report differs from what the clients say. */
  readonly wrong: readonly number[];
  /** How often each process was killed. */
  readonly kills: Readonly<Record<string, number>>;
  /** Processes that ended by themselves. */
  readonly crashes: number;
  readonly memory: Readonly<Record<string, Slope>>;
  /** MiB a minute that no process may exceed. */
  readonly memoryLimit: number;
  readonly unhandled: readonly Finding[];
  readonly secrets: readonly Finding[];
  /** How many secrets were looked for in how many bytes. */
  readonly searched: { readonly secrets: number; readonly bytes: number };
  readonly reasons: Readonly<Record<string, number>>;
  /** Requests that passed through the kit. */
  readonly requests: number;
  readonly actions: number;
}

const MEMBERS = 5;
const QUORUM = 3;
const SLOTS_PER_FRAME = 256;
const MEMORY_LIMIT = 2;
const SAMPLE_MS = 5_000;
const KILL_EVERY_MS = [20_000, 40_000] as const;
const ACT_EVERY_MS = 7_000;
const LOOK_MS = 500;
const BLOCK_EVERY = 4;
/** The last frame may still be on its way: it is waited for so long. */
const LAST_REPORT_MS = 90_000;

export async function soak(
  devnet: Devnet,
  protocol: DeployedProtocol,
  options: SoakOptions,
  output: () => string,
  signal: AbortSignal,
): Promise<Soaked> {
  const { seed, minutes, slotMs, onEvent } = options;
  const dice = new Dice(seed);
  const names = [...Array.from({ length: MEMBERS }, (_, i) => `oracle-${i + 1}`), "keeper"];
  const credentials = names.map((user) => ({ user, password: `of/${user}:${seed}@${dice.roll("password")}` }));
  const targets = { execution: [devnet.rpcUrl, devnet.rpcUrl], beacon: [devnet.beaconUrl, devnet.beaconUrl] };
  const nodes = new Map<string, Disguised>();
  for (const who of credentials) nodes.set(who.user, await disguise(who.user, targets, who));
  const unhandled: Finding[] = [];
  const onUnhandled = (error: unknown): void => {
    unhandled.push({ file: "the soak itself", what: messageOf(error) });
  };
  process.on("unhandledRejection", onUnhandled);
  const halt = new AbortController();
  const ends = AbortSignal.any([signal, halt.signal, AbortSignal.timeout(minutes * 60_000)]);
  try {
    const world = await realWorld(devnet, protocol, (name) => ({
      EXECUTION_URLS: nodes.get(name)?.urls("execution").join(",") ?? "",
      BEACON_URLS: nodes.get(name)?.urls("beacon").join(",") ?? "",
      REQUEST_TIMEOUT: "2",
    }));
    const { members, keeper } = world.daemons;
    const daemons = [...members, keeper];
    await settle(world);
    await devnet.setPace({ slotMs, blockEvery: BLOCK_EVERY });
    const audit = auditReports(world, new ValidatorReader(world.contracts.validators, world.provider, 0));
    const first = Number(await world.contracts.oracle.lastRefSlot());

    const people = dice.of("people");
    const kills: Record<string, number> = {};
    const samples = new Map<string, Sample[]>(daemons.map(({ spec }) => [spec.name, []]));
    let actions = 0;
    // a quorum must be left beside the one that is being killed, or the report could not be made
    const mostBlind = MEMBERS - QUORUM - 1;
    const dress = (frame: Dice): void => {
      const all = [...nodes.values()];
      const unlucky = new Set(frame.sample(all.slice(0, MEMBERS), Math.floor(frame.roll("unlucky") * (mostBlind + 1))));
      for (const one of all) one.become(unlucky.has(one) ? "blind" : "well", frame.of(one.name));
      onEvent(`guises: ${unlucky.size} blind`);
    };
    const loops = [
      every(SAMPLE_MS, ends, () => {
        for (const { spec, pid } of daemons) {
          const mib = memoryOf(pid);
          if (pid !== undefined && mib > 0) samples.get(spec.name)?.push({ pid, at: performance.now() / 1_000, mib });
        }
        return Promise.resolve();
      }),
      every(ACT_EVERY_MS, ends, async () => {
        onEvent(await act(world, people));
        actions++;
      }),
      every(LOOK_MS, ends, async () => audit.update()),
      dressing(slotMs * SLOTS_PER_FRAME, ends, dice, dress),
      // the first member lives on: whether its memory grows is seen over the whole time
      killing(ends, dice.of("kill"), [...members.slice(1), keeper, devnet.execution, devnet.beacon], (name) => {
        kills[name] = (kills[name] ?? 0) + 1;
        onEvent(`${name} was killed`);
      }),
    ];
    await Promise.all(loops);
    signal.throwIfAborted();

    // honest nodes at the end, and time for what is due
    const last = await newestFinal(devnet);
    for (const one of nodes.values()) one.become("well", dice.of("end"));
    await until(LAST_REPORT_MS, async () => {
      await audit.update();
      return (audit.reports.at(-1)?.refSlot ?? 0) >= last;
    });
    const texts = new Map([...logsIn(devnet.options.folder), ["the soak's own output", output()]]);
    const keys = [...protocol.committee, ...protocol.wallets].map(({ privateKey }) => privateKey);
    const shapes = shapesOf(keys, credentials);
    const due = Array.from({ length: (last - first) / SLOTS_PER_FRAME }, (_, i) => first + (i + 1) * SLOTS_PER_FRAME);
    const reported = new Set(audit.reports.map(({ refSlot }) => refSlot));
    const memory = Object.fromEntries([...samples].map(([name, list]) => [name, slopeOf(list)]));
    const found = {
      missed: due.filter((slot) => !reported.has(slot)),
      wrong: audit.reports.filter((report) => !isRight(report)).map(({ refSlot }) => refSlot),
      crashes: devnet.crashes(),
      unhandled: [...unhandled, ...unhandledIn(texts)],
      secrets: secretsIn(texts, shapes),
    };
    const isFlat = Object.values(memory).every(({ perMinute }) => (perMinute ?? 0) <= MEMORY_LIMIT);
    const bytes = [...texts.values()].reduce((sum, { length }) => sum + length, 0);
    const counted = found.missed.length + found.wrong.length + found.unhandled.length + found.secrets.length;
    return {
      ok: isFlat && counted + found.crashes === 0 && audit.reports.length > 0,
      ...{ seed, minutes, frames: due.length, reports: due.filter((slot) => reported.has(slot)).length },
      ...found,
      ...{ kills, memory, memoryLimit: MEMORY_LIMIT },
      searched: { secrets: shapes.length, bytes },
      reasons: reasonsIn(texts),
      requests: [...nodes.values()].reduce((sum, one) => sum + one.requests, 0),
      actions,
    };
  } finally {
    halt.abort();
    process.off("unhandledRejection", onUnhandled);
    for (const one of nodes.values()) await one.close();
  }
}

function isRight(report: Reported): boolean {
  const { clBalanceGwei, clientGwei, leavingGwei, clientLeavingGwei, isItsBlock, incident } = report;
  return clBalanceGwei === clientGwei && leavingGwei === clientLeavingGwei && isItsBlock && !incident;
}

/** The newest reference slot whose report can be made. */
async function newestFinal(devnet: Devnet): Promise<number> {
  const { slot } = await devnet.status();
  const final = slot - 3 * 32;
  return final - (final % SLOTS_PER_FRAME);
}

/** What fails because a client is being killed is done the next time. */
async function every(milliseconds: number, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  while (!signal.aborted) {
    await work().catch(() => undefined);
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
  }
}

async function dressing(
  milliseconds: number,
  signal: AbortSignal,
  dice: Dice,
  dress: (frame: Dice) => void,
): Promise<void> {
  let frame = 0;
  await every(milliseconds, signal, () => {
    dress(dice.of(`frame ${frame++}`));
    return Promise.resolve();
  });
}

async function killing(
  signal: AbortSignal,
  dice: Dice,
  victims: readonly Supervised[],
  onKilled: (name: string) => void,
): Promise<void> {
  const [least, most] = KILL_EVERY_MS;
  const isOver = async (): Promise<boolean> => {
    await sleep(least + dice.roll("when") * (most - least), undefined, { signal }).catch(() => undefined);
    return signal.aborted;
  };
  while (!(await isOver())) {
    const victim = dice.pick(victims, "who");
    onKilled(victim.spec.name);
    // whether it is well again is the nodes' matter: a member that is blind is not
    const { pid } = victim;
    victim.kill();
    while (victim.pid === pid && !signal.aborted) await sleep(LOOK_MS);
  }
}

async function until(milliseconds: number, isThere: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (performance.now() < deadline && !(await isThere().catch(() => false))) await sleep(LOOK_MS);
}
