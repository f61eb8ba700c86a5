/** operator requeue, operator drop: many keys in as few transactions as the registry takes. */
import { ValidatorReader } from "../../chain/validatorReader.ts";
import { MOST_KEYS, dropQueued, requeue } from "../../chain/write/operator.ts";
import { AppError, EXIT } from "../../util/errors.ts";
import type { Hex } from "../../util/hex.ts";
import { act } from "../session.ts";
import type { Session } from "../session.ts";

/** What a key must be, and becomes. */
const MOVES = {
  requeue: { from: "dropped", prepare: requeue },
  drop: { from: "queued", prepare: dropQueued },
} as const;

/** @param pubkeys none: all of the operator's that can be moved */
export async function moveKeys(
  session: Session,
  move: keyof typeof MOVES,
  operatorId: bigint,
  pubkeys: readonly Hex[],
): Promise<void> {
  const { io, protocol } = session;
  const { from, prepare } = MOVES[move];
  const reader = new ValidatorReader(protocol.validators, protocol.provider, protocol.fromBlock);
  const book = await reader.bookAt(await protocol.provider.getBlockNumber());
  const movable = [...book.values()]
    .filter((entry) => entry.operatorId === operatorId && entry.status === from)
    .sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
  const wrong = pubkeys.find((pubkey) => !movable.some((entry) => entry.pubkey === pubkey));
  if (wrong !== undefined) throw new AppError(EXIT.usage, `${wrong} is no ${from} key of operator ${operatorId}`);
  const keyRoots = movable
    .filter(({ pubkey }) => pubkeys.length === 0 || pubkeys.includes(pubkey))
    .map(({ keyRoot }) => keyRoot);
  if (keyRoots.length === 0) {
    session.show({ keys: 0 }, () => `operator ${operatorId} has no ${from} key`);
    return;
  }
  const context = await session.context();
  for (let first = 0; first < keyRoots.length; first += MOST_KEYS) {
    if (keyRoots.length > MOST_KEYS)
      io.err(`transaction ${first / MOST_KEYS + 1} of ${Math.ceil(keyRoots.length / MOST_KEYS)}`);
    const prepared = await prepare(context, keyRoots.slice(first, first + MOST_KEYS));
    await act(session, prepared, (moved) => [["keys", `${moved.keyRoots.length}`]]);
  }
}
