/** `@estuary/sdk`: for browsers as well. Nothing that this file reaches imports a module of Node. */
export * from "../../../offchain/chain/index.ts";
export * from "../../../offchain/protocol/units.ts";
export { DEPLOYMENTS, deploymentOf } from "./addresses.ts";
