/** Where the examples connect: a node, an addresses file, and an account. */
import { readFileSync } from "node:fs";
import { Wallet } from "ethers";
import { connect, openProvider, parseDeployment } from "../../offchain/chain/index.ts";
import type { Context } from "../../offchain/chain/index.ts";

/** RPC_URL (several, separated by commas), DEPLOYMENT, and ACCOUNT (of the node, unlocked: its address or number) or PRIVATE_KEY. */
export async function open(env = process.env): Promise<Context> {
  const file = env["DEPLOYMENT"] ?? "deployments/31337.json";
  const deployment = parseDeployment(readFileSync(file, "utf8"), file);
  const provider = await openProvider((env["RPC_URL"] ?? "http://127.0.0.1:8545").split(","), { pollingSeconds: 1 });
  const protocol = await connect(provider, deployment);
  const key = env["PRIVATE_KEY"];
  const account = env["ACCOUNT"] ?? "0";
  const unlocked = /^\d+$/.test(account) ? Number(account) : account;
  const signer = key === undefined ? await provider.getSigner(unlocked) : new Wallet(key, provider);
  return { protocol, signer };
}
