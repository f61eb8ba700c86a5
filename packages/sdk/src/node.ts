/** `@estuary/sdk/node`: what reads and writes files. */
export { deploymentPath, readDeployment, writeDeployment } from "../../../offchain/chain/deploymentFile.ts";
