/** `operator prove`: what the keeper would prove of one operator's keys, now and by hand. */
import { BeaconClient } from "../../beacon/client.ts";
import { contractValidatorBatch } from "../../beacon/contractProofs.ts";
import { ValidatorReader } from "../../chain/validatorReader.ts";
import { MOST_KEYS, proveValidators } from "../../chain/write/operator.ts";
import { planActions } from "../../keeper/plan.ts";
import { readSnapshot } from "../../keeper/snapshot.ts";
import { systemClock } from "../../util/clock.ts";
import { actAll, step } from "../act.ts";
import { operatorId } from "../parse.ts";
import type { Session } from "../session.ts";

/** The session has a beacon node. @throws AppError: unavailable where it can't be used */
export async function proveKeys(session: Session, text: string): Promise<void> {
  const { io, protocol, beaconUrls } = session;
  const id = operatorId(text);
  const beacon = new BeaconClient({
    urls: beaconUrls,
    clock: io.clock ?? systemClock,
    chainId: protocol.chainId,
  });
  const reader = new ValidatorReader(protocol.validators, protocol.provider, protocol.fromBlock);
  io.err("reading both layers, and the state at the last final block");
  const snapshot = await readSnapshot({ protocol, beacon, reader });
  const book = new Map([...snapshot.book].filter(([, entry]) => entry.operatorId === id));
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
  await actAll(
    session,
    batches.map((pubkeys) =>
      step(
        async () => {
          const { validators, fork } = await beacon.prove(snapshot.state.block, pubkeys);
          return proveValidators(context, contractValidatorBatch(validators, fork));
        },
        { details: ({ keyRoots }) => [["keys", `${keyRoots.length}`]] },
      ),
    ),
  );
}
