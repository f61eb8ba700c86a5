/** Every restricted function of the sources, with a call of it that decodes. */
import { resolve } from "node:path";
import { Interface } from "ethers";
import type { ParamType } from "ethers";
import { TARGET_NAMES, TARGETS } from "../../deploy/roles.ts";
import type { Call, TargetName } from "../../deploy/roles.ts";
import { productionSources, restrictedFunctions } from "../../scripts/lib/restrictedFunctions.ts";
import type { RestrictedFunction } from "../../scripts/lib/restrictedFunctions.ts";
import { AccessManager__factory } from "../../typechain-types/index.ts";
import type { Governed } from "./governance.ts";
import { ethers } from "./network.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

let found: readonly RestrictedFunction[] | undefined;

/** The compiler needs three seconds: once a run. */
export function restricted(): readonly RestrictedFunction[] {
  found ??= restrictedFunctions(ROOT, productionSources(ROOT));
  return found;
}

/** Zeros for every argument: what comes after the check may refuse them. */
export async function callOf(p: Governed, { contract, name }: RestrictedFunction): Promise<Call> {
  const target = TARGET_NAMES.find((each) => TARGETS[each].contract === contract);
  const abi = new Interface(target === undefined ? AccessManager__factory.abi : TARGETS[target].factory.abi);
  const inputs = abi.getFunction(name)?.inputs ?? [];
  const at: TargetName | "authority" = target ?? "authority";
  return { target: await p[at].getAddress(), data: abi.encodeFunctionData(name, inputs.map(zeroOf)) };
}

function zeroOf(type: ParamType): unknown {
  if (type.isArray()) return [];
  if (type.isTuple()) return type.components.map(zeroOf);
  if (type.type === "bool") return false;
  if (type.type === "string") return "";
  if (type.type === "address") return ethers.ZeroAddress;
  if (type.type === "bytes") return "0x";
  const bytes = /^bytes(\d+)$/.exec(type.type)?.[1];
  return bytes === undefined ? 0n : `0x${"00".repeat(Number(bytes))}`;
}
