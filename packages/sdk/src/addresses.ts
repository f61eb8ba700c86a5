/** Where the protocol is, by chain. */
import { parseDeployment } from "../../../offchain/chain/index.ts";
import type { Deployment } from "../../../offchain/chain/index.ts";
import { FILES } from "./deployments.ts";

/** By chain id. */
export const DEPLOYMENTS: ReadonlyMap<bigint, Deployment> = new Map(
  FILES.map((file) => parseDeployment(JSON.stringify(file), "an addresses file of this package")).map((deployment) => [
    deployment.chainId,
    deployment,
  ]),
);

/** @throws RangeError for a chain that this version of the package knows no deployment on */
export function deploymentOf(chainId: bigint): Deployment {
  const deployment = DEPLOYMENTS.get(chainId);
  if (deployment === undefined)
    throw new RangeError(`@estuary/sdk knows no deployment on chain ${chainId}: give its addresses to connect()`);
  return deployment;
}
