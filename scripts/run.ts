/** `tsx scripts/run.ts <program> [...]`: builds the contracts and runs a program that needs them; its `--help` is answered before. */
import { spawnSync } from "node:child_process";
import { USAGE, answerHelp } from "./lib/usage.ts";
import type { ProgramName } from "./lib/usage.ts";

/** By its name in package.json. */
const FILES: Partial<Record<ProgramName, string>> = { start: "./demo.ts" };

const [name = ""] = process.argv.splice(2, 1);
if (!Object.hasOwn(USAGE, name)) throw new Error(`no program ${name}`);
const program = name as ProgramName;
answerHelp(program);
// stdout is the program's own
const build = spawnSync("hardhat", ["build", "--no-tests"], { stdio: ["inherit", 2, 2] });
if (build.error !== undefined) throw build.error;
if (build.status !== 0) process.exit(build.status ?? 1);
await import(FILES[program] ?? `./${program}.ts`);
