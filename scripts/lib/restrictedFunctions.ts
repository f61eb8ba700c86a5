/**
 * Every function that asks the AccessManager who calls, found by the compiler in the sources: with the modifier `restricted`, or
 * (upgradeToAndCall) by way of a function that has it. Inherited ones and OpenZeppelin's are among them; it needs no build.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

export interface RestrictedFunction {
  /** The contract that is deployed, whichever declares the function. */
  readonly contract: string;
  readonly name: string;
  readonly selector: string;
}

/** Solidity sources by path. */
export type Sources = Readonly<Record<string, string>>;

interface Node {
  readonly nodeType: string;
  readonly id: number;
  readonly name: string;
  readonly nodes?: readonly Node[];
  readonly abstract?: boolean;
  readonly contractKind?: string;
  readonly linearizedBaseContracts?: readonly number[];
  readonly functionSelector?: string;
  readonly modifiers?: readonly { readonly modifierName: { readonly name: string } }[];
  readonly baseFunctions?: readonly number[];
  readonly body?: unknown;
  readonly memberName?: string;
  readonly expression?: { readonly name?: string };
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly sources: Readonly<Record<string, { readonly ast: Node }>>;
}

const MANAGER = "@openzeppelin/contracts/access/manager/AccessManager.sol";
/** `onlyAuthorized` is the AccessManager's own. */
const GUARDS = new Set(["restricted", "onlyAuthorized"]);
/** What these modifiers call. */
const CHECKS = ["_checkCanCall", "_checkAuthorized"];

/** What is in `contracts/`, and the AccessManager. */
export function productionSources(root: string): Sources {
  const paths = readdirSync(join(root, "contracts"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".sol"))
    .map((path) => `contracts/${path.replaceAll("\\", "/")}`)
    .sort();
  return Object.fromEntries([
    ...paths.map((path) => [path, readFileSync(join(root, path), "utf8")]),
    [MANAGER, readFileSync(join(root, "node_modules", MANAGER), "utf8")],
  ]) as Sources;
}

/**
 * Of the contracts in `sources` that can be deployed, in the order of names. Imports of packages come from `root`.
 * @throws Error where the compiler does
 */
export function restrictedFunctions(root: string, sources: Sources): RestrictedFunction[] {
  const asts = Object.values(parse(root, sources));
  const nodes = new Map<number, Node>(
    asts.flatMap(({ ast }) => (ast.nodes ?? []).map((node) => [node.id, node] as const)),
  );
  return Object.keys(sources)
    .flatMap((path) => asts.find(({ path: each }) => each === path)?.ast.nodes ?? [])
    .filter((node) => node.nodeType === "ContractDefinition" && node.contractKind === "contract")
    .filter((node) => node.abstract !== true)
    .flatMap((contract) => ofContract(contract, nodes))
    .sort((a, b) => (`${a.contract}.${a.name}` < `${b.contract}.${b.name}` ? -1 : 1));
}

function ofContract(contract: Node, nodes: ReadonlyMap<number, Node>): RestrictedFunction[] {
  const all = (contract.linearizedBaseContracts ?? [])
    .flatMap((id) => nodes.get(id)?.nodes ?? [])
    .filter(({ nodeType, body }) => nodeType === "FunctionDefinition" && body !== undefined && body !== null);
  const overridden = new Set(all.flatMap(({ baseFunctions }) => baseFunctions ?? []));
  const functions = all.filter(({ id }) => !overridden.has(id));
  const guarded = guardedOf(functions, all.filter(hasGuard));
  return functions
    .filter((each) => each.functionSelector !== undefined && isGuarded(each, guarded))
    .map(({ name, functionSelector }) => ({ contract: contract.name, name, selector: `0x${functionSelector ?? ""}` }));
}

/** What a guarded function calls: by name those that check, and with `super.` before it those that are overridden. */
function guardedOf(functions: readonly Node[], withModifier: readonly Node[]): Set<string> {
  const guarded = new Set([...CHECKS, ...withModifier.map(({ name }) => `super.${name}`)]);
  let size = 0;
  while (guarded.size > size) {
    size = guarded.size;
    for (const each of functions) if (isGuarded(each, guarded)) guarded.add(each.name);
  }
  return guarded;
}

function isGuarded(each: Node, guarded: ReadonlySet<string>): boolean {
  return hasGuard(each) || callsAny(each.body, guarded);
}

function hasGuard({ modifiers = [] }: Node): boolean {
  return modifiers.some(({ modifierName }) => GUARDS.has(modifierName.name));
}

function callsAny(node: unknown, names: ReadonlySet<string>): boolean {
  if (typeof node !== "object" || node === null) return false;
  const { nodeType, name, memberName, expression } = node as Partial<Node>;
  if (nodeType === "Identifier" && name !== undefined && names.has(name)) return true;
  if (nodeType === "MemberAccess" && expression?.name === "super" && names.has(`super.${memberName ?? ""}`))
    return true;
  return Object.values(node).some((child) => callsAny(child, names));
}

function parse(root: string, sources: Sources): { readonly path: string; readonly ast: Node }[] {
  const solc = createRequire(import.meta.url)("solc") as {
    compile(input: string, callbacks: { import(path: string): { contents: string } }): string;
  };
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(Object.entries(sources).map(([path, content]) => [path, { content }])),
    settings: { evmVersion: "prague", outputSelection: { "*": { "": ["ast"] } } },
  };
  const fromPackage = (path: string) => ({ contents: readFileSync(join(root, "node_modules", path), "utf8") });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: fromPackage })) as Output;
  const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
  return Object.entries(output.sources).map(([path, { ast }]) => ({ path, ast }));
}
