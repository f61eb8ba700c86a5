/** `npm run docs:running`: writes the tables of docs/running.md that follow from the code. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runningTables } from "./lib/runningTables.ts";
import { fillTables } from "./lib/operations.ts";

const file = fileURLToPath(new URL("../docs/running.md", import.meta.url));
writeFileSync(file, fillTables(readFileSync(file, "utf8"), runningTables()));
