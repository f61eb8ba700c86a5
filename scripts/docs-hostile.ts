/** `npm run docs:hostile`: writes the tables of docs/hostile-nodes.md from the catalogue. A test compares them. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { catalogueTables } from "../test/helpers/hostile/table.ts";
import { fillTables } from "./lib/operations.ts";

const file = fileURLToPath(new URL("../docs/hostile-nodes.md", import.meta.url));
writeFileSync(file, fillTables(readFileSync(file, "utf8"), catalogueTables()));
