/** A fresh process that fetches a state, and makes values of its bytes where it is told to, and says on stdout what that cost it. Argument: a task file. */
import { readFileSync } from "node:fs";
import { ssz } from "@lodestar/types";
import { withCost } from "./cost.ts";

const { url, act } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as { url: string; act: string };

async function download(keep: (chunk: Uint8Array) => void): Promise<void> {
  const { body } = await fetch(url);
  if (body === null) throw new Error("no body");
  for await (const chunk of body as AsyncIterable<Uint8Array>) keep(chunk);
}

if (act === "download") {
  let size = 0;
  const { cost } = await withCost(() => download((chunk) => (size += chunk.length)));
  console.log(JSON.stringify({ cost, size }));
} else {
  const { value, cost } = await withCost(async () => {
    const chunks: Uint8Array[] = [];
    await download((chunk) => chunks.push(chunk));
    return ssz.electra.BeaconState.deserialize(Buffer.concat(chunks));
  });
  console.log(JSON.stringify({ cost, size: value.validators.length }));
}
