/** operator requeue, operator drop: many keys in as few transactions as the registry takes. */
import { ValidatorReader } from "../../chain/validatorReader.ts";
import { MOST_KEYS, dropQueued, requeue } from "../../chain/write/operator.ts";
import { AppError, EXIT } from "../../util/errors.ts";
import { actAll, step } from "../act.ts";
import { operatorId, publicKey } from "../parse.ts";
import type { Session } from "../session.ts";

/** What a key must be, and becomes. */
const MOVES = {
  requeue: { from: "dropped", prepare: requeue },
  drop: { from: "queued", prepare: dropQueued },
} as const;

/** @param keys none: all of the operator's that can be moved */
export async function moveKeys(
  session: Session,
  move: keyof typeof MOVES,
  id: string,
  keys: readonly string[],
): Promise<void> {
  const { protocol } = session;
  const operator = operatorId(id);
  const pubkeys = keys.map(publicKey);
  const { from, prepare } = MOVES[move];
  const reader = new ValidatorReader(protocol.validators, protocol.provider, protocol.fromBlock);
  const book = await reader.bookAt(await protocol.provider.getBlockNumber());
  const movable = [...book.values()]
    .filter((entry) => entry.operatorId === operator && entry.status === from)
    .sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
  const wrong = pubkeys.find((pubkey) => !movable.some((entry) => entry.pubkey === pubkey));
  if (wrong !== undefined) throw new AppError(EXIT.usage, `${wrong} is no ${from} key of operator ${operator}`);
  const keyRoots = movable
    .filter(({ pubkey }) => pubkeys.length === 0 || pubkeys.includes(pubkey))
    .map(({ keyRoot }) => keyRoot);
  if (keyRoots.length === 0) {
    session.show({ keys: 0 }, () => `operator ${operator} has no ${from} key`);
    return;
  }
  const context = await session.context();
  const batches = Array.from({ length: Math.ceil(keyRoots.length / MOST_KEYS) }, (_, i) =>
    keyRoots.slice(i * MOST_KEYS, (i + 1) * MOST_KEYS),
  );
  await actAll(
    session,
    batches.map((batch) =>
      step(() => prepare(context, batch), { details: (moved) => [["keys", `${moved.keyRoots.length}`]] }),
    ),
  );
}
