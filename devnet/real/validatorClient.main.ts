/** Process entry: `node validatorClient.main.ts <options.json>`. */
import { readFileSync } from "node:fs";
import { chainConfigFromJson, createBeaconConfig } from "@lodestar/config";
import { getBytes } from "ethers";
import type { Hex } from "../../offchain/util/hex.ts";
import { beaconApi, followEvents } from "./beaconApi.ts";
import { keysOf } from "./ownKeys.ts";
import { FOLLOWS } from "./processes.ts";
import type { ValidatorClientFile } from "./processes.ts";
import { SlashingProtection } from "./slashingProtection.ts";
import { ValidatorClient } from "./validatorClient.ts";

const file = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as ValidatorClientFile;
const log = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);

const api = beaconApi(file.beaconUrl);
const { data: spec } = (await api.get("/eth/v1/config/spec")) as { data: Record<string, string> };
const { data: genesis } = (await api.get("/eth/v1/beacon/genesis")) as { data: { genesis_validators_root: Hex } };
const signers = await keysOf(file.keys);
const client = new ValidatorClient({
  api,
  config: createBeaconConfig(chainConfigFromJson(spec), getBytes(genesis.genesis_validators_root)),
  signers,
  protection: new SlashingProtection(file.protectionFile, genesis.genesis_validators_root),
  feeRecipient: file.feeRecipient,
  log,
});
log(`${FOLLOWS} ${signers.length} keys`);

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopping.abort());
process.send?.({ ready: true });
await followEvents(
  file.beaconUrl,
  ["devnet_slot", "devnet_votes"],
  (topic, data) => {
    const { slot: text, propose } = data as { slot: string; propose?: boolean };
    const slot = Number(text);
    if (topic === "devnet_slot" && propose !== true) return;
    const duty = topic === "devnet_slot" ? client.onSlot(slot) : client.onVotes(slot);
    duty.catch((error: unknown) => log(`slot ${slot}: ${error instanceof Error ? error.message : String(error)}`));
  },
  stopping.signal,
);
log(`stopped after ${JSON.stringify(client.counts)}`);
process.exit(0);
