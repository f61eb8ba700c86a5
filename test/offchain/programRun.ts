/** What a run of a daemon's program came to. */
import { expect } from "chai";
import type { Check } from "../../offchain/util/check.ts";
import { AppError } from "../../offchain/util/errors.ts";
import type { ExitCode } from "../../offchain/util/errors.ts";
import type { LogLine } from "./logLines.ts";

export interface Outcome {
  readonly code: ExitCode;
  readonly printed: readonly string[];
  readonly lines: readonly LogLine[];
}

/** The preconditions that `check` printed as JSON, by name. */
export function checksOf({ printed }: Outcome): Record<string, Check> {
  const { checks } = JSON.parse(printed[0] ?? "") as { checks: Check[] };
  return Object.fromEntries(checks.map((check) => [check.name, check]));
}

/** What a run that must fail was refused with. */
export async function refusalOf(run: Promise<unknown>): Promise<AppError> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(AppError);
  return error as AppError;
}
