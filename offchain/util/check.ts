/** Preconditions of a daemon's work, each with an explanation: what `check` prints. */
import { EXIT, messageOf } from "./errors.ts";
import type { ExitCode } from "./errors.ts";

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** It works, but will not in every case. */
  readonly warning?: true;
  readonly explanation: string;
}

/** What a check finds; a value for the checks that need it. */
export type Finding<T> = readonly [ok: boolean | "warning", explanation: string, value?: T];

/** Names of checks of the nodes: where one fails, the others say little. */
export const NODE_CHECKS = { execution: "execution node", chains: "chains agree", finality: "finality" } as const;
export const SIGNER_CHECK = "signer";

/** How far an execution node's newest block may lie behind the clock: what an older one says may be overtaken. */
export const MAX_LAG_SECONDS = 300;
/** How far behind the head the chain may be final: two epochs where all goes well. */
export const MOST_EPOCHS_TO_FINALITY = 4;

/** A slot: a clock that is further behind takes what is final for what is still to come. */
const MOST_SECONDS_BEHIND = 12;

/** @param newest of the blocks that the nodes show, in unix seconds; undefined where none was read @param now of this machine */
export function clockFinding(newest: readonly (number | undefined)[], now: number): Finding<never> {
  const times = newest.filter((time) => time !== undefined);
  if (times.length === 0) return [false, "needs a node"];
  const ahead = Math.ceil(Math.max(...times) - now);
  if (ahead > MOST_SECONDS_BEHIND) return [false, `this machine's clock is ${ahead} s behind the chain's newest block`];
  return [true, `the newest block is ${Math.max(0, -ahead)} s old`];
}

export class CheckList {
  readonly #checks: Check[] = [];

  get checks(): readonly Check[] {
    return this.#checks;
  }

  /** @returns what it found to go on with; undefined where it could not be asked, which fails the check with the error's message */
  async run<T = never>(name: string, look: () => Promise<Finding<T>> | Finding<T>): Promise<T | undefined> {
    try {
      const [found, explanation, value] = await look();
      if (found === "warning") this.#checks.push({ name, ok: true, warning: true, explanation });
      else this.#checks.push({ name, ok: found, explanation });
      return value;
    } catch (error) {
      this.#checks.push({ name, ok: false, explanation: messageOf(error) });
      return undefined;
    }
  }
}

/** Unreachable nodes before everything else. */
export function exitCodeOfChecks(checks: readonly Check[]): ExitCode {
  const failed = new Set(checks.filter(({ ok }) => !ok).map(({ name }) => name));
  if (failed.size === 0) return EXIT.ok;
  if (Object.values(NODE_CHECKS).some((name) => failed.has(name))) return EXIT.unavailable;
  return failed.has(SIGNER_CHECK) ? EXIT.usage : EXIT.refused;
}

export function checksAsText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, ok, warning, explanation }) => {
      const verdict = warning === true ? "warn" : ok ? "ok  " : "FAIL";
      return `${verdict}  ${name.padEnd(width)}  ${explanation}`;
    })
    .join("\n");
}
