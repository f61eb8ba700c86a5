/**
 * `npm run dev`: the app, the protocol on a local chain with a life so far, the committee's members and the keeper, until it is stopped. docs/app.md.
 * Exit codes: 0 stopped, 1 failure, 2 usage, 3 what is kept is of another version, 4 a port is in use or a client did not start, 5 another process
 * has the data folder.
 */
import { EXIT, exitCodeOf, messageOf } from "../offchain/util/errors.ts";
import { readDevOptions } from "./lib/dev/options.ts";
import { untilStopped } from "./lib/untilStopped.ts";

const stop = untilStopped();
try {
  const options = readDevOptions(process.argv.slice(2));
  if (options.devnet) await (await import("./lib/dev/devnet.ts")).runOnDevnet(options, stop);
  else await (await import("./lib/dev/simulated.ts")).runSimulated(options, stop);
  console.log("stopped");
} catch (error) {
  if (!stop.aborted) {
    console.error(error instanceof Error ? error.message : messageOf(error));
    process.exitCode = codeOf(error);
  }
}
// a provider or a socket that lingers must not keep a finished program
process.exit();

function codeOf(error: unknown): number {
  const name = error instanceof Error ? error.name : "";
  if (name === "OtherDevnetError") return EXIT.invalid;
  // somebody took a port since they were looked at
  if ((error as { code?: unknown }).code === "EADDRINUSE") return EXIT.unavailable;
  return name === "ProcessError" ? EXIT.unavailable : exitCodeOf(error);
}
