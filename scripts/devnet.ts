/**
 * `npm run devnet`: a real Ethereum on this machine with the protocol deployed, until it is stopped or whoever started it is gone.
 * docs/devnet.md. Exit codes: 0 stopped, 1 failure, 2 usage, 3 a keystore is not valid, 4 a client did not start.
 */
import { AppError } from "../offchain/util/errors.ts";
import { UsageError, readOptions } from "./lib/devnet/options.ts";
import { runDevnet } from "./lib/devnet/run.ts";
import { untilStopped } from "./lib/untilStopped.ts";

const stop = untilStopped();
try {
  await runDevnet(readOptions(process.argv.slice(2)), stop);
  console.log("stopped");
} catch (error) {
  if (!stop.aborted) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof AppError) return error.exitCode;
  const name = error instanceof Error ? error.name : "";
  if (error instanceof UsageError || name === "OtherDevnetError") return 2;
  return name === "ProcessError" ? 4 : 1;
}
