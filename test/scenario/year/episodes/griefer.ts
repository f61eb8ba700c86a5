/**
 * An operator slashes its own validators to stop payments (docs/decisions/014): one each night, in the minutes between reference and report,
 * and one on two mornings. Stakers' requests are paid as the rule says; a week later anyone ejects what it has left.
 */
import { payment } from "../../../../offchain/protocol/queue.ts";
import { keysOf, stayingOf } from "../cast.ts";
import * as keeper from "../keeper.ts";
import type { OperatorAccount } from "../operatorBooks.ts";
import * as op from "../operators.ts";
import * as proofs from "../proofs.ts";
import * as stakers from "../stakers.ts";
import { ETH } from "../stakers.ts";
import type { Episode } from "../story.ts";
import type { World } from "../world.ts";

const FIRST = 2;
const LAST = 9;
const MORNINGS: readonly number[] = [4, 6];
/** Asks after the fundings for more than is there: paid when ether comes, between two reports. */
const LARGE_ON = 5;
const EJECTED_ON = 11;
const CLAIM_ON = 30;
const RELEASED_ON = 60;
const TOLERANCE = 1_000n * ETH;

/** What the rule was asked, and what the contracts answered. */
interface Answer {
  readonly day: number;
  /** That no report contains. */
  readonly slashings: bigint;
  readonly ether: bigint;
  readonly expected: boolean;
  readonly pays: boolean;
}

export interface Griefer extends Episode {
  /** After each night's report, and after each morning's slashing. */
  readonly nights: Answer[];
  readonly mornings: Answer[];
  /** Of one who asks every morning: when, and what the queue owes it in the end, by the contract and by the books. */
  readonly requests: { readonly id: number; readonly asked: number; paid?: bigint; owed?: bigint | undefined }[];
  readonly refusals: Record<string, string | undefined>;
  slashed: number;
  ejected: number;
  /** Wei: paid by going on with a report's payments. */
  continued: bigint;
  /** Wei. */
  bond: bigint;
  lost: bigint;
  returned: bigint;
  /** Seconds. */
  frozenFor: bigint;
}

export function griefer(world: World): Griefer {
  const { p, chain, ledger } = world;
  const account = world.operators.all[0];
  if (account === undefined) throw new Error("nobody joined");
  let victim = "";
  const strike = async (): Promise<void> => {
    await proofs.slash(world, stayingOf(world, account).slice(-1));
    found.slashed++;
  };
  const ask = async (day: number, amount: bigint): Promise<void> => {
    await stakers.request(world, victim, [amount]);
    found.requests.push({ id: ledger.queue.endUnits.length, asked: day });
  };
  const found: Griefer = {
    nights: [],
    mornings: [],
    requests: [],
    refusals: {},
    slashed: 0,
    ejected: 0,
    continued: 0n,
    bond: 0n,
    lost: 0n,
    returned: 0n,
    frozenFor: 0n,

    morning: async (day) => {
      if (day === 1) {
        victim = await chain.account("victim");
        await stakers.stake(world, victim, 60n * ETH);
      }
      if (day >= FIRST && day <= LAST + 1) await ask(day, ETH);
      if (MORNINGS.includes(day)) {
        await strike();
        found.mornings.push(await answer(world, day));
      }
      // covers what waits since the evening before
      if (day === LARGE_ON + 1) await stakers.stake(world, await chain.account("saviour"), 45n * ETH);
      if (day === EJECTED_ON) {
        for (const validator of stayingOf(world, account)) {
          await keeper.requestExit(world, validator);
          found.ejected++;
        }
      }
      if (day === CLAIM_ON) found.refusals["its bond"] = await refusalOfBond(world, account);
      if (day === RELEASED_ON) {
        found.lost = keysOf(world, account).reduce((sum, { shortfall }) => sum + shortfall, 0n);
        found.frozenFor = (await chain.now()) - account.frozenAt;
        await op.unfreeze(world, account);
        found.returned = await op.withdrawFreeBond(world, account);
      }
    },
    evening: async (day) => {
      if (day === FIRST) found.bond = BigInt(keysOf(world, account).length) * ETH;
      if (day === LARGE_ON) await ask(day, 40n * ETH);
    },
    between: async (day) => {
      if (day >= FIRST && day <= LAST) await strike();
    },
    night: async (day) => {
      if (day < FIRST || day > LAST + 1) return;
      found.nights.push(await answer(world, day));
      found.continued = world.continued;
      for (const request of found.requests) {
        if (request.paid !== undefined) continue;
        const [paid = 0n] = await p.queue.getClaimableEther([request.id]);
        if (paid > 0n) Object.assign(request, { paid, owed: payment(ledger.queue, request.id) });
      }
    },
  };
  return found;
}

/** Payments go on while there are at most 400 such slashings, and 1,000 ETH for each. */
async function answer({ p }: World, day: number): Promise<Answer> {
  const [books, [pays], [ether]] = await Promise.all([p.pool.books(), p.pool.calm(), p.token.totals()]);
  const slashings = books.slashedEarlier + books.slashed;
  const expected = slashings <= 400n && slashings * TOLERANCE <= ether;
  return { day, slashings, ether, expected, pays };
}

async function refusalOfBond({ p, chain }: World, { id, owner }: OperatorAccount): Promise<string | undefined> {
  return chain.refusal(owner, p.operators.withdrawBond.populateTransaction(id, 1n, owner));
}
