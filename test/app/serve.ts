/** `npm run app:local`: the built app beside a local chain with a month of history, until it is stopped. */
import { fileURLToPath } from "node:url";
import { startLocalChain } from "./localChain.ts";

const folder = fileURLToPath(new URL("../../app/dist-local", import.meta.url));
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = Date.now();
  const chain = await startLocalChain({
    days: 30,
    folder,
    pollSeconds: 4,
    port: Number(process.env["PORT"] ?? "4173"),
  });
  process.stdout.write(`${chain.url}  (${((Date.now() - started) / 1_000).toFixed(1)} s)\n`);
}
