/** A fresh process that reads one state as the oracle does, and says on stdout what that cost it. Argument: a task file. */
import { readFileSync } from "node:fs";
import { contentsOf, downloadState } from "../../../offchain/beacon/stateDownload.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { withCost } from "./cost.ts";

const task = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as { url: string; pubkeys: Hex[] };
const { value, cost } = await withCost(async () =>
  downloadState(task.url, "/state", 60, undefined, async (download) => contentsOf(download, task.pubkeys)),
);
const { validators, validatorCount } = value;
console.log(JSON.stringify({ found: validators.length, of: validatorCount, cost }));
