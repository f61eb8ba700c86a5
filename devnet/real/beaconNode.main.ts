/** Process entry: `node beaconNode.main.ts <options.json>`. The preset is fixed before anything of Lodestar is loaded. */
import { readFileSync } from "node:fs";
import { PresetName, setActivePreset } from "@lodestar/params/setPreset";
import { getBytes } from "ethers";
import type { BeaconNodeFile } from "./processes.ts";

const file = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as BeaconNodeFile;
setActivePreset(PresetName.mainnet, { BASE_REWARD_FACTOR: file.parameters.rewardFactor });

const [{ startNode }, { EngineClient }] = await Promise.all([import("./node.ts"), import("./engine.ts")]);
const secret = getBytes(`0x${readFileSync(file.jwtFile, "utf8").trim().replace(/^0x/, "")}`);
const log = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);
const node = await startNode({ ...file, log }, new EngineClient(file.engineUrl, secret));
log(`Beacon API on ${node.url}, head at slot ${node.chain.head.entry.slot}`);
process.send?.({ ready: true });

let isStopping = false;
const stop = (): void => {
  if (isStopping) return;
  isStopping = true;
  void node.stop().then(() => process.exit(0));
};
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
