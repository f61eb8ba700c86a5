/**
 * One life of the protocol, from stake to claimed principal and through a slashing, told once for every world. At the end the contracts' books
 * are compared with what people sent and what the clients say, to the wei.
 */
import { ZeroAddress } from "ethers";
import { contractValidatorBatch } from "../../offchain/beacon/contractProofs.ts";
import type { BeaconBlockInfo, StateProofs } from "../../offchain/beacon/types.ts";
import type { Hex } from "../../offchain/util/hex.ts";
import { signedDeposit } from "../keys.ts";
import type { ValidatorKey } from "../keys.ts";
import { WITHDRAWAL_REQUESTS } from "../predeploys.ts";
import { reconcile } from "./reconcile.ts";
import type { Line } from "./reconcile.ts";
import { makeReporter } from "./reporter.ts";
import type { Reported } from "./reporter.ts";
import { mined } from "./world.ts";
import type { World } from "./world.ts";

export const ETH = 10n ** 18n;
const SLOTS_PER_EPOCH = 32;
const EPOCHS_BEFORE_EXIT = 256n; // SHARD_COMMITTEE_PERIOD
const FAR_FUTURE = 2n ** 64n - 1n;
/** Fresh: its balance is what was claimed and nothing else. */
const CLAIMS_TO = "0x00000000000000000000000000000000000c1a15";

/** What the scenario waits for in a validator. */
interface Look {
  readonly index: string;
  readonly balanceGwei: bigint;
  readonly slashed: boolean;
  /** 2^64 - 1 where not set, like the other epochs. */
  readonly activationEpoch: bigint;
  readonly exitEpoch: bigint;
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
  const { pool, queue, operators, validators } = contracts;
  const [leaver, offender, stayer] = world.keys as [ValidatorKey, ValidatorKey, ValidatorKey];
  const keys = [leaver, offender, stayer];
  const pubkeys = keys.map(({ pubkey }) => pubkey);
  const reporter = await makeReporter(world);
  const steps: Step[] = [];

  const step = async (name: string, act: () => Promise<string>): Promise<void> => {
    const start = performance.now();
    const detail = await act();
    const done = { name, detail, seconds: (performance.now() - start) / 1_000, slot: await beacon.head() };
    steps.push(done);
    listener.onStep(done);
  };
  /** Lets time pass, and the committee report, until something is there. */
  const until = async <T>(look: () => Promise<T | undefined>, inHurry = false): Promise<T> => {
    if (inHurry) await world.hurry(true);
    try {
      for (;;) {
        signal?.throwIfAborted();
        await reporter.run();
        const found = await look();
        if (found !== undefined) return found;
        await world.tick();
      }
    } finally {
      if (inHurry) await world.hurry(false);
    }
  };
  const epoch = async (): Promise<bigint> => BigInt(Math.floor((await provable()).slot / SLOTS_PER_EPOCH));
  /** The newest block that can be proven: it has a successor. */
  const provable = async (): Promise<BeaconBlockInfo> => beacon.blockAtOrBefore((await beacon.head()) - 1);
  /** Read as JSON: it is asked often, and a whole state is some megabytes. */
  const look = async (of: readonly Hex[]): Promise<Look[] | undefined> => {
    const { slot } = await provable();
    const { data } = (await world.beaconJson(`/eth/v1/beacon/states/${slot}/validators?id=${of.join(",")}`)) as {
      data: { index: string; balance: string; validator: Record<string, string | boolean> }[];
    };
    if (data.length < of.length) return undefined;
    const found = data.map(({ index, balance, validator }) => ({
      index,
      balanceGwei: BigInt(balance),
      slashed: validator["slashed"] === true,
      activationEpoch: BigInt(validator["activation_epoch"] ?? 0),
      exitEpoch: BigInt(validator["exit_epoch"] ?? 0),
      withdrawableEpoch: BigInt(validator["withdrawable_epoch"] ?? 0),
    }));
    return found;
  };
  /** Waits until all of these validators are as wished. */
  const untilAll = (of: readonly Hex[], isWished: (info: Look, epoch: bigint) => boolean, inHurry = false) =>
    until(async () => {
      const [found, now] = await Promise.all([look(of), epoch()]);
      return found?.every((info) => isWished(info, now)) === true ? found : undefined;
    }, inHurry);
  const prove = async (of: readonly Hex[]): Promise<StateProofs> => beacon.prove(await provable(), of);
  const proveOne = async (of: Hex): Promise<StateProofs["validators"][number]> => {
    const [proof] = (await prove([of])).validators;
    if (proof === undefined) throw new Error(`no proof of ${of}`);
    return proof;
  };

  const deposits: bigint[] = [await contracts.token.getTotalPooledEther()];
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
    const owner = await actors.nodeOperator.getAddress();
    await mined(operators.connect(actors.governor).addOperator(0, owner, owner, "Operator One"));
    const credentials = (await validators.withdrawalCredentials()) as Hex;
    const data = keys.map((key) => signedDeposit(key, credentials, 10n ** 9n));
    await mined(
      validators.connect(actors.nodeOperator).predeposit(
        await operators.operatorCount(),
        data.map(({ pubkey }) => pubkey),
        data.map(({ signature }) => signature),
        data.map(({ depositDataRoot }) => depositDataRoot),
        { value: BigInt(keys.length) * ETH },
      ),
    );
    return `${keys.length} keys, 1 ETH each`;
  });
  await step("prove", async () => {
    await untilAll(pubkeys, () => true);
    const { validators: proofs, fork } = await prove(pubkeys);
    await mined(validators.connect(actors.keeper).proveValidators(contractValidatorBatch(proofs, fork)));
    return `credentials proven against a beacon root (EIP-4788), ${fork}`;
  });
  await step("fund", async () => {
    await mined(validators.connect(actors.keeper).fundValidators(pubkeys));
    return `${keys.length} x 31 ETH`;
  });
  await step("activate", async () => {
    const infos = await untilAll(pubkeys, ({ activationEpoch }, now) => activationEpoch <= now);
    return `validators ${infos.map(({ index }) => index).join(", ")}`;
  });
  await step("first rewards", async () => {
    const before = await contracts.token.getPooledEthByShares(10n ** 27n);
    const after = await until(async () => {
      const rate = await contracts.token.getPooledEthByShares(10n ** 27n);
      return rate > before ? rate : undefined;
    });
    return `an estETH share is worth ${after - before} wei more in 1e18`;
  });
  await step("faults", async () => (await world.disturb()) ?? "none: there are no processes to kill");
  await step("256 epochs of duty", async () => {
    await untilAll([leaver.pubkey], ({ activationEpoch }, now) => activationEpoch + EPOCHS_BEFORE_EXIT < now, true);
    return `${reporter.reports.length} reports so far`;
  });
  const requestId = 1n;
  await step("request a withdrawal", async () => {
    await mined(queue.connect(actors.alice).requestWithdrawals([(332n * ETH) / 10n], ZeroAddress));
    return "alice, 33.2 ETH";
  });
  await step("exit by the execution layer", async () => {
    const fee = BigInt(await world.provider.call({ to: WITHDRAWAL_REQUESTS }));
    const proof = await proveOne(leaver.pubkey);
    await mined(validators.connect(actors.keeper).requestExit(leaver.pubkey, proof, { value: fee }));
    const [info] = await untilAll([leaver.pubkey], ({ exitEpoch }) => exitEpoch !== FAR_FUTURE);
    await mined(validators.connect(actors.keeper).proveExiting(await proveOne(leaver.pubkey)));
    return `EIP-7002 for ${fee} wei; exit epoch ${info?.exitEpoch}, withdrawable in epoch ${info?.withdrawableEpoch}`;
  });
  await step("withdrawn", async () => {
    await stake("carol", ETH);
    const [info] = await untilAll([leaver.pubkey], ({ withdrawableEpoch }, now) => withdrawableEpoch <= now);
    const last = Number(info?.withdrawableEpoch ?? 0n) * SLOTS_PER_EPOCH - 1;
    const proofs = await beacon.prove(await beacon.blockAtOrBefore(last), [leaver.pubkey]);
    const [proof, balance] = [proofs.validators[0], proofs.balances[0]];
    if (proof === undefined || balance === undefined) throw new Error("no proof of the balance");
    await mined(validators.connect(actors.keeper).proveWithdrawn(proof, balance));
    await until(async () => ((await look([leaver.pubkey]))?.[0]?.balanceGwei === 0n ? true : undefined));
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
    const [info] = await untilAll([offender.pubkey], ({ slashed }) => slashed);
    await mined(validators.connect(actors.keeper).proveSlashed(await proveOne(offender.pubkey)));
    const slashedAt = await beacon.head();
    await until(() => Promise.resolve((reporter.reports.at(-1)?.refSlot ?? 0) >= slashedAt ? true : undefined));
    return `slashed, proven and reported; ${info?.balanceGwei} gwei are left until epoch ${info?.withdrawableEpoch}`;
  });
  const claimedWei = await world.provider.getBalance(CLAIMS_TO);
  let lines: Line[] = [];
  await step("reconcile", async () => {
    lines = await reconcile(world, { deposits, pubkeys, reports: reporter.reports, claimedWei });
    return `${lines.filter(({ isEqual }) => isEqual).length} of ${lines.length} lines to the wei`;
  });
  return {
    ok: lines.every(({ isEqual }) => isEqual) && claimedWei > 33n * ETH,
    steps,
    reports: reporter.reports,
    lines,
    secondsToClaim,
    claimedWei,
  };
}
