/** What the command line talks through: results on stdout, everything else on stderr. Injected, so that tests see what a person sees. */
import type { Clock } from "../util/clock.ts";

export interface Io {
  /** stdout */
  out(line: string): void;
  /** stderr */
  err(line: string): void;
  /** Whether a person can be asked. */
  readonly interactive: boolean;
  /** Undecided is no. */
  confirm(question: string): Promise<boolean>;
  /** Of a person; where they are missing only `confirm` is asked. */
  readonly prompts?: Prompts | undefined;
  /** Of the process, or of a test. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The system's where undefined. */
  readonly clock?: Clock | undefined;
}

/** Questions to a person; undefined where they are left unanswered (Ctrl-C). */
export interface Prompts {
  /** Not shown while it is typed. */
  secret(question: string): Promise<string | undefined>;
  text(question: string, options: TextOptions): Promise<string | undefined>;
  choose(question: string, choices: readonly Choice[]): Promise<string | undefined>;
}

export interface TextOptions {
  readonly initial?: string | undefined;
  /** What is wrong with an answer; undefined where nothing is. */
  readonly check: (answer: string) => string | undefined;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}
