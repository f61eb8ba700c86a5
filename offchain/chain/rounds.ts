/** When nodes are asked again that did not answer, and what is told when none of them will. */
import { NodeFailure, isFinal } from "./answers.ts";

export type Failures = readonly { readonly node: { readonly host: string }; readonly failure: NodeFailure }[];

/** Seconds before the second round of all nodes; each later one waits twice as long. */
const FIRST_PAUSE = 0.5;
const MOST_ROUNDS = { busy: 8, behind: 4 } as const;

/** Milliseconds until the nodes are asked again; undefined where none of them is busy or behind only. */
export function pauseAfter(round: number, failures: Failures): number | undefined {
  // asked for less, it answers at once
  if (failures.some(wantsLess)) return undefined;
  const busy = failures.filter(({ failure }) => failure.meaning === "busy");
  const isBehind = failures.some(({ failure }) => failure.meaning === "behind");
  const most = Math.max(busy.length > 0 ? MOST_ROUNDS.busy : 0, isBehind ? MOST_ROUNDS.behind : 0);
  if (round >= most) return undefined;
  const growing = FIRST_PAUSE * 2 ** (round - 1);
  const asked = busy.map(({ failure }) => Math.max(failure.waitSeconds ?? growing, 0.1));
  return 1_000 * Math.min(...asked, ...(isBehind ? [growing] : []));
}

/** The failures of all nodes as one: a line for each, and what the last one means; before that, that one of them would answer less. */
export function exhausted(failures: Failures): NodeFailure {
  const lines = failures.map(({ node, failure }) => `execution node ${node.host}: ${failure.message}`);
  const last = failures.at(-1)?.failure;
  const told = last === undefined || isFinal(last.meaning) ? last : (failures.find(wantsLess)?.failure ?? last);
  return new NodeFailure(told?.meaning ?? "node", lines.join("\n"), { rpc: told?.rpc, cause: told });
}

function wantsLess({ failure }: Failures[number]): boolean {
  return failure.meaning === "size";
}

/** @throws the signal's reason when aborted */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const ended = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", ended);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", ended, { once: true });
  });
}
