/** `operator prove`: what the keeper would prove of one operator's keys, now and by hand. */
import { BeaconClient } from "../beacon/client.ts";
import { contractValidatorBatch } from "../beacon/contractProofs.ts";
import { ValidatorReader } from "../chain/validatorReader.ts";
import { MOST_KEYS, proveValidators } from "../chain/write/operator.ts";
import { planActions } from "../keeper/plan.ts";
import { readSnapshot } from "../keeper/snapshot.ts";
import { systemClock } from "../util/clock.ts";
import { AppError, EXIT } from "../util/errors.ts";
import { act } from "./session.ts";
import type { Session } from "./session.ts";

/** @throws AppError: usage without a beacon node, unavailable where it can't be used */
export async function proveKeys(session: Session, operatorId: bigint): Promise<void> {
  const { io, protocol, beaconUrls } = session;
  if (beaconUrls === undefined)
    throw new AppError(
      EXIT.usage,
      "no consensus node: set ESTUARY_BEACON_URLS or --beacon, proofs come from its states",
    );
  const beacon = new BeaconClient({
    urls: beaconUrls,
    clock: io.clock ?? systemClock,
    chainId: protocol.chainId,
  });
  const reader = new ValidatorReader(protocol.validators, protocol.provider, protocol.fromBlock);
  io.err("reading both layers, and the state at the last final block");
  const snapshot = await readSnapshot({ protocol, beacon, reader });
  const book = new Map([...snapshot.book].filter(([, entry]) => entry.operatorId === operatorId));
  const rules = { batch: MOST_KEYS, minFinalisation: 0n, minTreasury: 0n };
  const { actions, reasons, foreign } = planActions({ ...snapshot, book }, rules);
  for (const pubkey of foreign) io.err(`${pubkey} has the credentials of somebody else: it is never funded`);
  const batches = actions.flatMap((action) => (action.kind === "proveValidators" ? [action.pubkeys] : []));
  if (batches.length === 0) {
    const why = reasons.proveValidators;
    session.show({ keys: 0, reasons: why }, () => `no key to prove: ${why.join(", ")}`);
    return;
  }
  const context = await session.context();
  for (const [i, pubkeys] of batches.entries()) {
    if (batches.length > 1) io.err(`transaction ${i + 1} of ${batches.length}`);
    const { validators, fork } = await beacon.prove(snapshot.state.block, pubkeys);
    const prepared = await proveValidators(context, contractValidatorBatch(validators, fork));
    await act(session, prepared, ({ keyRoots }) => [["keys", `${keyRoots.length}`]]);
  }
}
