/** `node --import tsx scripts/run.ts <program> [...]`: builds the contracts and runs a program that needs them; its `--help` is answered before. */
import { exitCodeOf } from "../offchain/util/errors.ts";
import { buildContracts } from "./lib/build.ts";
import { untilStopped } from "./lib/untilStopped.ts";
import { USAGE, answerHelp } from "./lib/usage.ts";
import type { ProgramName } from "./lib/usage.ts";

/** By its name in package.json. */
const FILES: Partial<Record<ProgramName, string>> = { start: "./demo.ts", "deploy:liquidity": "./deploy-liquidity.ts" };
/** What these start must end with whoever started them, from the beginning. */
const LASTING: ReadonlySet<ProgramName> = new Set<ProgramName>(["dev", "devnet", "e2e"]);

const [name = ""] = process.argv.splice(2, 1);
if (!Object.hasOwn(USAGE, name)) throw new Error(`no program ${name}`);
const program = name as ProgramName;
answerHelp(program);
const stop = LASTING.has(program) ? untilStopped() : undefined;
try {
  // a mistake is told before anything is built
  if (program === "dev") await (await import("./lib/dev/options.ts")).checkDevOptions(process.argv.slice(2));
  await buildContracts(stop);
} catch (error) {
  if (stop?.aborted === true) process.exit(0);
  console.error((error as Error).message);
  process.exit(exitCodeOf(error));
}
await import(FILES[program] ?? `./${program}.ts`);
