/** What a keeper does in the demo once a day: bad news first, then who must leave, then who may. */
import type { ContractValidatorProof } from "../../offchain/beacon/contractProofs.ts";
import { toSharesUp } from "../../offchain/protocol/shares.ts";
import { VALIDATOR_DEPOSIT, wei } from "../../offchain/protocol/units.ts";
import { nextTierToExit } from "../../offchain/protocol/validatorOrder.ts";
import { pubkeyRoot } from "../keys.ts";
import { proveExiting, proveWithdrawn, validatorProof } from "../simulated/localKeeper.ts";
import type { DemoWorld, Watched } from "./world.ts";

const GWEI = 10n ** 9n;
const SLOTS_PER_EPOCH = 32;
const EPOCHS_BEFORE_EXIT = 256;
const STAKE_GWEI = 32n * GWEI;

export async function keep(world: DemoWorld): Promise<void> {
  for (const watched of world.validators)
    if (watched.state !== "exiting" && isLeaving(world, watched)) await noteExiting(world, watched);
  await eject(world);
  await requestExits(world);
  for (const watched of world.validators) if (watched.state === "exiting") await noteWithdrawn(world, watched);
}

/** Validators of operators in debt, or frozen for seven days, leave at once. */
async function eject(world: DemoWorld): Promise<void> {
  for (const watched of world.validators) {
    if (watched.state !== "funded" || watched.slashed) continue;
    const [, withoutDemand] = await world.p.operators.exitCause(watched.operator.id);
    if (!withoutDemand || !isMature(world, watched)) continue;
    await requestExit(world, watched, []);
    watched.ejected = true;
  }
}

/** While a validator's worth of ether is owed: the next in order. Tiers whose first is too young are passed over. */
async function requestExits(world: DemoWorld): Promise<void> {
  const { validators, keeper } = world.p;
  while ((await validators.exitDemand()) >= VALIDATOR_DEPOSIT) {
    const count = Number(await validators.tierCount());
    const queues = await Promise.all(Array.from({ length: count }, (_, tier) => validators.tierQueue(tier)));
    const young = new Map<number, Watched>();
    let next: Watched | undefined;
    while (next === undefined) {
      const tier = nextTierToExit(queues, new Set(young.keys()));
      if (tier === undefined) return; // nobody can leave yet
      const head = headOf(world, BigInt(tier), queues[tier]?.exitHead ?? 0n);
      if (head.state !== "funded") {
        await world.send(validators.connect(keeper).skipExited([pubkeyRoot(head.key.pubkey)]));
        break;
      }
      if (head.slashed) return; // its exit is proven tomorrow
      if (isMature(world, head)) next = head;
      else young.set(tier, head);
    }
    if (next !== undefined) await requestExit(world, next, [...young.values()]);
  }
}

function headOf(world: DemoWorld, tier: bigint, sequence: bigint): Watched {
  const { key } = world.placeAt({ tier, sequence });
  const head = world.validators.find((watched) => watched.key === key);
  if (head === undefined) throw new Error("the next to exit was never funded");
  return head;
}

async function requestExit(world: DemoWorld, watched: Watched, young: readonly Watched[]): Promise<void> {
  const { beacon, validators, withdrawalVault, keeper } = world.p;
  await beacon.advanceSlots(2);
  const [readiness, ...passed] = [watched, ...young].map(({ key }) => validatorProof(world.p, key.pubkey)) as [
    ContractValidatorProof,
    ...ContractValidatorProof[],
  ];
  const value = await withdrawalVault.exitFee();
  await world.send(validators.connect(keeper).requestExit(watched.key.pubkey, readiness, passed, { value }));
  watched.state = "requested";
  world.passed += young.length;
}

async function noteExiting(world: DemoWorld, watched: Watched): Promise<void> {
  await world.send(proveExiting(world.p, watched.key.pubkey));
  world.divideFees();
  watched.state = "exiting";
}

async function noteWithdrawn(world: DemoWorld, watched: Watched): Promise<void> {
  const proven = await proveWithdrawn(world.p, watched.key.pubkey);
  if (proven === undefined) return;
  await world.send(Promise.resolve(proven.sent));
  world.divideFees();
  watched.state = "withdrawn";
  if (proven.balance >= STAKE_GWEI) return;
  const shortfall = wei((STAKE_GWEI - proven.balance) * GWEI);
  world.books.addCover(toSharesUp(shortfall, world.books.totals));
}

function isLeaving({ p: { beacon } }: DemoWorld, { key, state }: Watched): boolean {
  const exitEpoch = beacon.stateAt().validator(key.pubkey)?.exitEpoch ?? Infinity;
  return state !== "withdrawn" && Number.isFinite(exitEpoch) && BigInt(exitEpoch) < 2n ** 64n - 1n;
}

/** Active for as long as the consensus layer demands before an exit. */
function isMature({ p: { beacon } }: DemoWorld, { key }: Watched): boolean {
  const start = beacon.stateAt(beacon.provenSlot).validator(key.pubkey)?.activationEpoch ?? Infinity;
  return start + EPOCHS_BEFORE_EXIT <= Math.floor(beacon.provenSlot / SLOTS_PER_EPOCH);
}
