/** Errors that a person caused or must act on: one readable line and an exit code. Anything else is a defect and keeps its stack. */

/** Exit codes of every program (docs/running.md). */
export const EXIT = {
  ok: 0,
  failure: 1,
  /** Wrong arguments or configuration. */
  usage: 2,
  /** The input was read and is not valid. */
  invalid: 3,
  /** A node, peer or signer can't be reached or is not usable. */
  unavailable: 4,
  /** A safety check refused. */
  refused: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export class AppError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AppError";
    this.exitCode = exitCode;
  }
}

/** A signer has none of the methods that would do. */
export class NoMethod extends AppError {}

/** The message in one line, without a stack, whatever was thrown. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [first = ""] = text.split("\n").filter((line) => line.trim() !== "");
  return first === "" ? "unknown error" : first;
}

/** Why a file can't be used, in a word. */
export function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? messageOf(error);
}

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof AppError ? error.exitCode : EXIT.failure;
}

/** Whether an operation ended because its signal said so. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");
}

/**
 * Runs a program to its end. An AppError is printed as its message, every line of it; anything else as one line, with the stack if `verbose`.
 * Sets the exit code.
 */
export async function runProgram(
  main: () => Promise<ExitCode>,
  { verbose, print }: { verbose: boolean; print: (line: string) => void },
): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (verbose && error instanceof Error && error.stack !== undefined) print(error.stack);
    else print(`error: ${error instanceof AppError ? error.message : messageOf(error)}`);
    process.exitCode = exitCodeOf(error);
  }
}
