/** `npm start`: the whole life cycle on an embedded chain. Exit codes: 0 reconciled to the wei, 1 not, 2 usage. */
import { parseArgs } from "node:util";
import { network } from "hardhat";
import { tellStory } from "../devnet/demo/story.ts";
import { printResult, printStep } from "./lib/demoTable.ts";

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
  const connection = await network.create();
  const result = await tellStory(connection, {
    onStep: (step, detail) => {
      if (!values.json) printStep(step, detail);
    },
    onProgress: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K  ${text}`);
    },
  });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  const { reconciliation: _, ...summary } = result;
  if (values.json) console.log(JSON.stringify(summary));
  else printResult(result);
  return result.ok ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true;
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = isUsage ? 2 : 1;
}
