/**
 * The clock of the devnet: one slot after the other, whatever the wall clock says. In each, the proposer's block, then the votes of all
 * validators. The node operates the genesis validators itself; for the others it waits, for a bounded time, until their clients did their duty.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { SecretKey } from "@chainsafe/blst";
import type { Hex } from "../../offchain/util/hex.ts";
import type { Announcements } from "./announcements.ts";
import type { BeaconChain } from "./chain.ts";
import { EngineUnreachableError } from "./engine.ts";
import { attesterDuties } from "./duties.ts";
import type { AttesterDuty } from "./duties.ts";
import { attestationRoot, blockSigningRoot, randaoRoot, sign, syncMessageRoot } from "./signing.ts";
import { jointKey } from "./syncPool.ts";
import { epochOf } from "./transition.ts";
import { getBytes } from "ethers";

/** May change while the loop runs. */
export interface Pace {
  /** Wall time of a slot; 0 is as fast as possible. */
  slotMs: number;
  /** A block in every so many slots; the slots between are missed, but attested. */
  blockEvery: number;
}

export interface LoopEvents {
  /** @param isProposed whether its proposer is to propose */
  onSlot(slot: number, isProposed: boolean): void;
  /** The slot's block is there, or will not come: now validators vote. */
  onVotes(slot: number): void;
  /** A slot that should have a block has none. */
  onMissed(slot: number, reason: string): void;
  onError(slot: number, error: Error): void;
}

export interface SlotLoopOptions {
  readonly chain: BeaconChain;
  /** Validators that the node operates, by index. */
  readonly secrets: ReadonlyMap<number, SecretKey>;
  /** Validators that have a client of their own. */
  readonly announced: Announcements;
  readonly feeRecipient: Hex;
  readonly pace: Pace;
  readonly events: LoopEvents;
  /** How long a slot waits for validator clients when slots have no length of their own. */
  readonly patienceMs: number;
}

const POLL_MS = 2;
const RETRY_MS = 500;
const ATTEMPTS = 3;

/** Runs until aborted. A slot that fails is tried again: without its execution client the chain stands still. */
export async function runSlots(options: SlotLoopOptions, signal: AbortSignal): Promise<void> {
  const { chain, pace, events } = options;
  const isAborted = (): boolean => signal.aborted;
  let failures = 0;
  for (let slot = chain.head.entry.slot + 1; !signal.aborted;) {
    const started = performance.now();
    try {
      await runSlot(options, slot, signal);
      slot = Math.max(slot, chain.head.entry.slot) + 1;
      failures = 0;
    } catch (error) {
      if (isAborted()) return;
      events.onError(slot, error as Error);
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      await chain.syncEngine().catch(() => undefined);
      slot = Math.max(slot, chain.head.entry.slot + 1);
      // what does not work in this slot may work in the next one; without an execution client none will
      if (!(error instanceof EngineUnreachableError) && ++failures === ATTEMPTS) {
        failures = 0;
        slot++;
      }
      continue;
    }
    const rest = pace.slotMs - (performance.now() - started);
    // yields even at full speed, so that requests are answered
    await sleep(Math.max(0, rest), undefined, { signal }).catch(() => undefined);
  }
}

export async function runSlot(options: SlotLoopOptions, slot: number, signal: AbortSignal): Promise<void> {
  const { chain, secrets, announced, pace, events } = options;
  const isProposed = slot % pace.blockEvery === 0;
  events.onSlot(slot, isProposed);
  if (isProposed) await propose(options, slot, signal);

  events.onVotes(slot);
  const data = chain.attestationData(slot);
  const root = attestationRoot(chain.config, data);
  const state = chain.stateAt(slot);
  const duties = attesterDuties(state, epochOf(slot), () => true).filter((duty) => duty.slot === slot);
  const expected: AttesterDuty[] = [];
  for (const duty of duties) {
    const secret = secrets.get(duty.validatorIndex);
    if (secret !== undefined) chain.attestations.add({ ...duty, data, signature: sign(secret, root) });
    else if (announced.has(duty.validatorIndex)) expected.push(duty);
  }
  const expectedSync = (slot + 1) % pace.blockEvery === 0 ? signSyncMessages(options, slot) : [];
  await until(
    () =>
      expected.every((duty) => chain.attestations.has(slot, duty.validatorIndex)) &&
      expectedSync.every((validator) => chain.syncMessages.has(slot, validator)),
    pace.slotMs > 0 ? pace.slotMs / 3 : options.patienceMs,
    signal,
  );
}

async function propose(options: SlotLoopOptions, slot: number, signal: AbortSignal): Promise<void> {
  const { chain, secrets, announced, pace, events } = options;
  const proposer = chain.stateAt(slot).epochCtx.getBeaconProposer(slot);
  const secret = secrets.get(proposer);
  if (secret !== undefined) {
    const { config } = chain;
    const randaoReveal = sign(secret, randaoRoot(config, slot));
    const message = await chain.produceBlock({
      slot,
      randaoReveal,
      feeRecipient: options.feeRecipient,
      graffiti: "estuary devnet",
    });
    await chain.importBlock({ message, signature: sign(secret, blockSigningRoot(config, message)) });
    return;
  }
  if (!announced.has(proposer)) {
    events.onMissed(slot, `nobody operates its proposer, validator ${proposer}`);
    return;
  }
  const isProposed = (): boolean => chain.head.entry.slot >= slot;
  const patience = pace.slotMs > 0 ? pace.slotMs / 2 : options.patienceMs * 4;
  if (!(await until(isProposed, patience, signal)))
    events.onMissed(slot, `the client of validator ${proposer} proposed nothing`);
}

/** @returns the other members of the sync committee whose clients are there */
function signSyncMessages({ chain, secrets, announced }: SlotLoopOptions, slot: number): number[] {
  const root = syncMessageRoot(chain.config, slot, getBytes(chain.head.entry.root));
  const { validatorIndices } = chain.stateAt(slot + 1).epochCtx.currentSyncCommitteeIndexed;
  const committee = [...validatorIndices];
  const key = jointKey(committee, secrets);
  if (key !== undefined) chain.syncMessages.addJoint(slot, new Set(secrets.keys()), key.sign(root));
  return [...new Set(committee)].filter((member) => !secrets.has(member) && announced.has(member));
}

/** @returns whether the condition came true in time */
async function until(condition: () => boolean, limitMs: number, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (signal.aborted || performance.now() > deadline) return false;
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return true;
}
