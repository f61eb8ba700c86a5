/** From a prepared transaction to its result: simulate, preview, ask, send, show. */
import type { Amount, Cost, Flow, Prepared } from "../chain/write/prepare.ts";
import { wei } from "../protocol/units.ts";
import { AppError, EXIT } from "../util/errors.ts";
import { ether, renderRows, roundedUp } from "./format.ts";
import type { Row } from "./format.ts";
import { parseAmount } from "./session.ts";
import type { Session } from "./session.ts";

type Rows = readonly Row[] | Promise<readonly Row[]>;

/** What people want to know of a transaction. */
export interface Words<Result, Outcome> {
  /** What comes back later or otherwise than as an amount, and who gets it. */
  readonly expected?: (result: Result) => Rows;
  /** What came of it, by its events. */
  readonly details: (outcome: Outcome) => Rows;
  /** What was computed beforehand: for the object of a dry run. */
  readonly quote?: object | undefined;
}

/** A transaction that can't be simulated yet. */
export interface Plan {
  readonly action: string;
  readonly rows: readonly Row[];
  readonly quote?: object | undefined;
}

/** One of a command's transactions: prepared when the ones before it are mined. */
export interface Step {
  /** @param tell for people: of a command's last transaction, and of a dry run, on stdout */
  readonly run: (session: Session, tell: (text: string) => void) => Promise<object>;
}

export function step<Result, Outcome>(
  prepare: () => Promise<Prepared<Result, Outcome>>,
  words: Words<Result, Outcome>,
): Step {
  return { run: async (session, tell) => runOne(session, await prepare(), words, tell) };
}

/** The only transaction of a command. @throws as `actAll` */
export async function act<Result, Outcome>(
  session: Session,
  prepared: Prepared<Result, Outcome>,
  words: Words<Result, Outcome>,
): Promise<void> {
  await actAll(session, [step(() => Promise.resolve(prepared), words)]);
}

/**
 * One transaction after the other, each simulated, shown with its cost and asked for. A dry run sends none. `--json` prints one object: the
 * last transaction's, with the earlier ones in `before`.
 * @throws ChainError; AppError (refused): not confirmed, or dearer than --max-gas
 */
export async function actAll(session: Session, steps: readonly Step[]): Promise<void> {
  const { io, options } = session;
  const done: object[] = [];
  for (const [i, { run }] of steps.entries()) {
    if (steps.length > 1) io.err(`transaction ${i + 1} of ${steps.length}`);
    const isResult = i === steps.length - 1 || options.dryRun === true;
    const tell = (text: string): void => {
      if (!isResult) io.err(text);
      else if (options.json !== true) io.out(text);
    };
    done.push(await run(session, tell));
  }
  const before = done.slice(0, -1);
  if (options.json === true) session.show({ ...done.at(-1), ...(before.length === 0 ? {} : { before }) }, () => "");
}

/** What needs an approval that may be missing: that transaction first. @throws as `actAll` */
export async function actApproved<Outcome>(
  session: Session,
  approval: Prepared<boolean, Outcome> | undefined,
  next: Step,
  plan: Plan,
): Promise<void> {
  if (approval === undefined) return actAll(session, [next]);
  const { action, rows } = plan;
  const gets = rows.find(([name]) => name === "gets")?.[1];
  const approving = step(() => Promise.resolve(approval), {
    expected: () => [
      ["then", `a second transaction: ${action}${gets === undefined ? "" : `; gets ${gets}`}`],
      ...rows.filter(([name]) => name !== "sends" && name !== "gets"),
    ],
    details: () => [],
  });
  const last = session.options.dryRun === true ? foreseen(plan, "known once the first is mined") : next;
  return actAll(session, [approving, last]);
}

/** In a dry run, a transaction for which something is missing that only a real run makes. */
export function foreseen({ action, rows, quote }: Plan, fee: string): Step {
  return {
    run: (_, tell) => {
      const [first, ...others] = rows;
      tell(renderRows([["action", action], ...(first === undefined ? [] : [first]), ["fee", fee], ...others]));
      return Promise.resolve({ dryRun: true, action, quote });
    },
  };
}

async function runOne<Result, Outcome>(
  session: Session,
  prepared: Prepared<Result, Outcome>,
  { expected, details, quote }: Words<Result, Outcome>,
  tell: (text: string) => void,
): Promise<object> {
  const { io, options } = session;
  const simulated = await prepared.simulate();
  const cost = await prepared.estimate();
  const maxFee = options.maxGas === undefined ? undefined : wei(parseAmount("--max-gas", options.maxGas));
  if (maxFee !== undefined && cost.maxFee > maxFee)
    throw new AppError(
      EXIT.refused,
      `the fee may be ${ether(cost.maxFee)}, above the limit of ${ether(maxFee)}: nothing was sent`,
    );
  const { label, transaction } = prepared;
  const costs = costRows(label, transaction, cost, prepared.flow(simulated));
  const preview = [...costs, ...((await expected?.(simulated)) ?? [])];
  if (options.dryRun === true) {
    tell(renderRows([...preview, ["dry run", "it would succeed; nothing was sent"]]));
    return { dryRun: true, action: label, ...transaction, simulated, cost, quote };
  }
  if (options.yes !== true) await confirm(session, preview);
  const sent = await prepared.send({ maxFee, onSent: (hash) => io.err(`sent ${hash}, waiting to be mined`) });
  const { hash, outcome, receipt } = sent;
  const rows: readonly Row[] = [
    ["done", label],
    ["transaction", hash],
    ["fee", ether(receipt.fee)],
  ];
  tell(renderRows([...rows, ...(options.json === true ? [] : await details(outcome))]));
  return { action: label, hash, block: receipt.blockNumber, fee: receipt.fee, outcome };
}

/** @throws AppError (refused): the answer is no, or nobody can be asked */
async function confirm({ io }: Session, preview: readonly Row[]): Promise<void> {
  if (!io.interactive)
    throw new AppError(EXIT.refused, "not confirmed, nobody is here to ask: add --yes, or --dry-run to look only");
  io.err(renderRows(preview));
  if (!(await io.confirm("Send it?"))) throw new AppError(EXIT.refused, "not confirmed: nothing was sent");
}

function costRows(
  label: string,
  { from }: { readonly from: string },
  cost: Cost,
  { gives, gets }: Flow,
): readonly Row[] {
  const { value, expectedFee, maxFee } = cost;
  return [
    ["action", label],
    ["from", from],
    ...(gives.length > 0 ? [["sends", amountsOf(gives)] as const] : []),
    ["fee", `about ${ether(roundedUp(expectedFee))}, at most ${ether(roundedUp(maxFee))}`],
    ...(value > 0n ? [["in all", `at most ${ether(value + roundedUp(maxFee))}`] as const] : []),
    ...(gets.length > 0 ? [["gets", `about ${amountsOf(gets)}`] as const] : []),
  ];
}

function amountsOf(amounts: readonly Amount[]): string {
  return amounts.map(({ asset, amount }) => ether(amount, asset)).join(" and ");
}
