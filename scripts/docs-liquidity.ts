/** `npm run docs:liquidity`: draws the fee curve, and writes the tables of docs/liquidity.md. A test compares both. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { curvePicture } from "./lib/liquidity/curvePicture.ts";
import { liquidityTables } from "./lib/liquidity/tables.ts";
import { fillTables } from "./lib/operations.ts";

const file = fileURLToPath(new URL("../docs/liquidity.md", import.meta.url));
writeFileSync(file, fillTables(readFileSync(file, "utf8"), liquidityTables()));
writeFileSync(fileURLToPath(new URL("../docs/images/fee-curve.svg", import.meta.url)), curvePicture());
