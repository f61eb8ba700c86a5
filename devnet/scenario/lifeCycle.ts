/**
 * One life of the protocol, from stake to claimed principal and through a slashing, told once for every world. People stake, predeposit and
 * claim; everything else the committee and the keeper do by themselves. At the end the contracts' books are compared with what people sent
 * and what the clients say, to the wei.
 */
import { ZeroAddress } from "ethers";
import type { ValidatorEntry } from "../../offchain/chain/validatorBook.ts";
import { ValidatorReader } from "../../offchain/chain/validatorReader.ts";
import type { Hex } from "../../offchain/util/hex.ts";
import type { ValidatorKey } from "../keys.ts";
import { auditReports } from "./audit.ts";
import type { Reported } from "./audit.ts";
import { reconcile } from "./reconcile.ts";
import type { Line } from "./reconcile.ts";
import { registerOperator } from "./operator.ts";
import { mined } from "./world.ts";
import type { World } from "./world.ts";

export const ETH = 10n ** 18n;
const SLOTS_PER_EPOCH = 32;
const EPOCHS_BEFORE_EXIT = 256n; // SHARD_COMMITTEE_PERIOD
/** Fresh: its balance is what was claimed and nothing else. */
const CLAIMS_TO = "0x00000000000000000000000000000000000c1a15";

const NO_PROCESSES = "there are no processes to kill";

/** What the scenario waits for in a validator. */
interface Look {
  readonly index: string;
  readonly balanceGwei: bigint;
  readonly slashed: boolean;
  /** 2^64 - 1 where not set, like the other epoch. */
  readonly activationEpoch: bigint;
  readonly withdrawableEpoch: bigint;
}

export interface Step {
  readonly name: string;
  readonly detail: string;
  readonly seconds: number;
  readonly slot: number;
}

export interface LifeCycle {
  readonly ok: boolean;
  readonly steps: readonly Step[];
  readonly reports: readonly Reported[];
  readonly lines: readonly Line[];
  /** From the first stake to the claimed principal. */
  readonly secondsToClaim: number;
  readonly claimedWei: bigint;
}

export interface Listener {
  onStep(step: Step): void;
}

export async function liveThrough(world: World, listener: Listener, signal?: AbortSignal): Promise<LifeCycle> {
  const { contracts, actors, beacon } = world;
  const { pool, queue, validators, token } = contracts;
  const [leaver, offender, stayer] = world.keys as [ValidatorKey, ValidatorKey, ValidatorKey];
  const keys = [leaver, offender, stayer];
  const pubkeys = keys.map(({ pubkey }) => pubkey);
  const reader = new ValidatorReader(validators, world.provider, 0);
  const audit = auditReports(world, reader);
  const steps: Step[] = [];

  const step = async (name: string, act: () => Promise<string>): Promise<void> => {
    const start = performance.now();
    const detail = await act();
    const done = { name, detail, seconds: (performance.now() - start) / 1_000, slot: await beacon.head() };
    steps.push(done);
    listener.onStep(done);
  };
  /** Lets time pass until something is there. */
  const until = async <T>(look: () => Promise<T | undefined>, inHurry = false): Promise<T> => {
    if (inHurry) await world.hurry(true);
    try {
      for (;;) {
        signal?.throwIfAborted();
        await audit.update();
        const found = await look();
        if (found !== undefined) return found;
        await world.tick();
      }
    } finally {
      if (inHurry) await world.hurry(false);
    }
  };
  /** Read as JSON: it is asked often, and a whole state is some megabytes. */
  const look = async (of: readonly Hex[]): Promise<{ epoch: bigint; infos: Look[] } | undefined> => {
    // the newest block may not be in all indices of the client yet
    const { slot } = await beacon.blockAtOrBefore((await beacon.head()) - 1);
    const { data } = (await world.beaconJson(`/eth/v1/beacon/states/${slot}/validators?id=${of.join(",")}`)) as {
      data: { index: string; balance: string; validator: Record<string, string | boolean> }[];
    };
    if (data.length < of.length) return undefined;
    const infos = data.map(({ index, balance, validator }) => ({
      index,
      balanceGwei: BigInt(balance),
      slashed: validator["slashed"] === true,
      activationEpoch: BigInt(validator["activation_epoch"] ?? 0),
      withdrawableEpoch: BigInt(validator["withdrawable_epoch"] ?? 0),
    }));
    return { epoch: BigInt(Math.floor(slot / SLOTS_PER_EPOCH)), infos };
  };
  /** Waits until the client has all of these validators as wished. */
  const untilAll = (of: readonly Hex[], isWished: (info: Look, epoch: bigint) => boolean, inHurry = false) =>
    until(async () => {
      const found = await look(of);
      return found?.infos.every((info) => isWished(info, found.epoch)) === true ? found.infos : undefined;
    }, inHurry);
  /** Waits until the registry has them so. */
  const untilRecorded = (of: readonly Hex[], isWished: (entry: ValidatorEntry) => boolean): Promise<ValidatorEntry[]> =>
    until(async () => {
      const book = await reader.bookAt(await world.provider.getBlockNumber());
      const entries = [...book.values()].filter(({ pubkey }) => of.includes(pubkey));
      return entries.length === of.length && entries.every(isWished) ? entries : undefined;
    });

  const deposits: bigint[] = [await token.getTotalPooledEther()];
  const stake = async (who: keyof typeof actors, amount: bigint): Promise<void> => {
    await mined(pool.connect(actors[who]).deposit(await actors[who].getAddress(), ZeroAddress, { value: amount }));
    deposits.push(amount);
  };

  const started = performance.now();
  await step("stake", async () => {
    await stake("alice", 60n * ETH);
    await stake("bob", 34n * ETH);
    return "alice 60 ETH, bob 34 ETH";
  });
  await step("predeposit", async () => {
    await registerOperator(world);
    return `${keys.length} keys, 1 ETH each`;
  });
  await step("prove", async () => {
    await untilRecorded(pubkeys, ({ status }) => status === "queued" || status === "active");
    return "credentials proven by the keeper against a beacon root (EIP-4788)";
  });
  await step("fund", async () => {
    await untilRecorded(pubkeys, ({ status }) => status === "active");
    return `${keys.length} x 31 ETH`;
  });
  await step("activate", async () => {
    const infos = await untilAll(pubkeys, ({ activationEpoch }, now) => activationEpoch <= now);
    return `validators ${infos.map(({ index }) => index).join(", ")}`;
  });
  await step("first rewards", async () => {
    const before = await token.getPooledEthByShares(10n ** 27n);
    const after = await until(async () => {
      const rate = await token.getPooledEthByShares(10n ** 27n);
      return rate > before ? rate : undefined;
    });
    return `an estETH share is worth ${after - before} wei more in 1e18`;
  });
  await step("faults", async () => {
    const killed = [await world.disturb("clients"), await world.disturb("member")];
    return killed.filter((what) => what !== undefined).join("; then ") || NO_PROCESSES;
  });
  await step("256 epochs of duty", async () => {
    await untilAll([leaver.pubkey], ({ activationEpoch }, now) => activationEpoch + EPOCHS_BEFORE_EXIT < now, true);
    return `${audit.reports.length} reports so far`;
  });
  const requestId = 1n;
  await step("request a withdrawal", async () => {
    await mined(queue.connect(actors.alice).requestWithdrawals([(332n * ETH) / 10n], ZeroAddress));
    return "alice, 33.2 ETH";
  });
  await step("exit by the execution layer", async () => {
    const [killed, [entry]] = await Promise.all([
      world.disturb("keeper"),
      untilRecorded([leaver.pubkey], ({ status }) => status === "exiting"),
    ]);
    return `EIP-7002, proven to be withdrawable in epoch ${entry?.withdrawableEpoch}; ${killed ?? NO_PROCESSES}`;
  });
  await step("withdrawn", async () => {
    await stake("carol", ETH);
    await untilRecorded([leaver.pubkey], ({ status }) => status === "withdrawn");
    await untilAll([leaver.pubkey], ({ balanceGwei }) => balanceGwei === 0n);
    return "balance proven in its last epoch, and swept to the vault";
  });
  await step("claim", async () => {
    await until(async () => ((await queue.lastFinalizedId()) >= requestId ? true : undefined));
    await mined(queue.connect(actors.alice).claimWithdrawals([requestId], [], CLAIMS_TO));
    return `${await world.provider.getBalance(CLAIMS_TO)} wei`;
  });
  const secondsToClaim = (performance.now() - started) / 1_000;
  await step("double vote", async () => {
    await world.voteTwice(offender);
    await untilRecorded([offender.pubkey], ({ slashed }) => slashed);
    const slashedAt = await beacon.head();
    await until(() => Promise.resolve((audit.reports.at(-1)?.refSlot ?? 0) >= slashedAt ? true : undefined));
    const [info] = (await look([offender.pubkey]))?.infos ?? [];
    return `slashed, proven and reported; ${info?.balanceGwei} gwei are left until epoch ${info?.withdrawableEpoch}`;
  });
  const claimedWei = await world.provider.getBalance(CLAIMS_TO);
  let lines: Line[] = [];
  await step("reconcile", async () => {
    lines = await reconcile(world, { deposits, pubkeys, audit, claimedWei });
    return `${lines.filter(({ isEqual }) => isEqual).length} of ${lines.length} lines to the wei`;
  });
  return {
    ok: lines.every(({ isEqual }) => isEqual) && claimedWei > 33n * ETH,
    steps,
    reports: audit.reports,
    lines,
    secondsToClaim,
    claimedWei,
  };
}
