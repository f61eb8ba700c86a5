/** Checks the direction of imports: one line for each violation, and exit code 1 if there is any. */
import { resolve } from "node:path";
import { checkImports } from "./lib/importRules.ts";

const violations = checkImports(resolve(import.meta.dirname, ".."));
for (const { file, line, rule, detail } of violations) console.error(`${file}:${line} ${rule}: ${detail}`);
if (violations.length > 0) process.exitCode = 1;
else console.log("imports point one way");
