/** Compares the AccessManager with `deploy/roles.ts`: what its events say was ever changed, and what it answers now. */
import { getAddress, Interface } from "ethers";
import type { LogDescription } from "ethers";
import type { ContractName, Contracts } from "../deploy.ts";
import { delayOf, HOLDERS, mappings, ROLE_NAMES, roleName, ROLES, TARGET_NAMES, TARGETS } from "../roles.ts";
import type { Holder, RoleName, TargetName } from "../roles.ts";

/** Who must hold the roles, and from where on to read. */
export interface Expected extends Readonly<Record<Holder, string>> {
  readonly deployer: string;
  /** Whether roles wait as `deploy/roles.ts` says, or not at all. */
  readonly hasDelays: boolean;
  /** The block before the deployment; 0 unless told. */
  readonly fromBlock?: number;
}

export interface Holding {
  readonly role: bigint;
  readonly name: string;
  readonly account: string;
  /** Seconds between scheduling and executing. */
  readonly delay: bigint;
}

type Addresses = Readonly<Record<ContractName, string>>;
type Manager = Contracts["authority"];

interface History {
  readonly authority: Manager;
  readonly at: Addresses;
  readonly events: readonly LogDescription[];
}

/** Problems are one line each. */
export async function inspectRoles(
  authority: Manager,
  at: Addresses,
  expected: Expected,
): Promise<{ readonly holdings: readonly Holding[]; readonly problems: readonly string[] }> {
  const history = { authority, at, events: await eventsOf(authority, expected.fromBlock ?? 0) };
  const { deployer, governor, guardian } = expected;
  const { holdings, problems } = await checkHoldings(history, {
    ...expected,
    ...{ deployer: getAddress(deployer), governor: getAddress(governor), guardian: getAddress(guardian) },
  });
  const others = [await checkRoles(history), await checkFunctions(history), await checkTargets(history)];
  return { holdings, problems: [...problems, ...others.flat()] };
}

async function eventsOf(authority: Manager, fromBlock: number): Promise<LogDescription[]> {
  const provider = authority.runner?.provider;
  if (provider === undefined || provider === null) throw new Error("the AccessManager is connected to no provider");
  const logs = await provider.getLogs({ address: await authority.getAddress(), fromBlock, toBlock: "latest" });
  return logs.flatMap((log) => authority.interface.parseLog(log) ?? []);
}

function argsOf(events: readonly LogDescription[], name: string): LogDescription["args"][] {
  return events.filter((event) => event.name === name).map(({ args }) => args);
}

// --- holders and their delays ---

async function checkHoldings({ authority, events }: History, expected: Expected) {
  const granted = argsOf(events, "RoleGranted").map(
    (args) => [args["roleId"] as bigint, String(args["account"])] as const,
  );
  const pairs = new Map(granted.map(([role, account]) => [`${role}/${account}`, { role, account }]));
  const holdings: Holding[] = [];
  const problems: string[] = [];
  for (const { role, account } of [...pairs.values()].sort((a, b) => Number(a.role - b.role))) {
    const [since, delay, pending, effect] = await authority.getAccess(role, account);
    if (since === 0n) continue;
    const name = roleName(role);
    holdings.push({ role, name, account, delay });
    const wanted = ROLE_NAMES.find((each) => each === name && expected[ROLES[each].holder] === account);
    if (wanted !== undefined) problems.push(...checkDelays(wanted, expected, { delay, pending, effect }));
    else if (account === expected.deployer) problems.push(`the deployer ${account} still holds the role ${name}`);
    else problems.push(`${nameOf(account, expected)} holds the role ${name}, which is not its`);
  }
  const isHeld = (role: RoleName, account: string) =>
    holdings.some((holding) => holding.role === ROLES[role].id && holding.account === account);
  for (const role of ROLE_NAMES) {
    const { holder } = ROLES[role];
    if (!isHeld(role, expected[holder]))
      problems.push(`the ${holder} ${expected[holder]} does not hold the role ${role}`);
  }
  return { holdings, problems };
}

function checkDelays(
  role: RoleName,
  expected: Expected,
  found: { readonly delay: bigint; readonly pending: bigint; readonly effect: bigint },
): string[] {
  const [{ holder }, wanted] = [ROLES[role], delayOf(role, expected.hasDelays)];
  const who = `the ${holder} ${expected[holder]}`;
  const problems: string[] = [];
  if (found.delay !== wanted) problems.push(`${who} waits ${found.delay} s as ${role}, not ${wanted} s`);
  if (found.effect !== 0n && found.pending !== wanted)
    problems.push(`${who} will wait ${found.pending} s as ${role} from ${found.effect} on, not ${wanted} s`);
  return problems;
}

function nameOf(account: string, expected: Expected): string {
  const holder = HOLDERS.find((each) => expected[each] === account);
  return holder === undefined ? account : `the ${holder} ${account}`;
}

// --- what is set for roles ---

/** A grant delay reads 0 for the five days after it is set: only the event tells. */
async function checkRoles({ authority, events }: History): Promise<string[]> {
  const problems: string[] = [];
  const ids = new Set(ROLE_NAMES.map((role) => ROLES[role].id));
  for (const name of ["RoleGranted", "RoleGrantDelayChanged", "RoleAdminChanged", "RoleGuardianChanged"])
    for (const args of argsOf(events, name)) ids.add(args["roleId"] as bigint);
  const toSet = latest(events, "RoleGrantDelayChanged", "roleId", "delay");
  for (const id of ids) {
    const [admin, guardian, delay] = await Promise.all([
      authority.getRoleAdmin(id),
      authority.getRoleGuardian(id),
      authority.getRoleGrantDelay(id),
    ]);
    const name = roleName(id);
    if (admin !== ROLES.ADMIN.id) problems.push(`the admin of the role ${name} is ${roleName(admin)}, not ADMIN`);
    if (guardian !== ROLES.ADMIN.id)
      problems.push(`the guardian of the role ${name} is ${roleName(guardian)}, not ADMIN`);
    const longest = longer(delay, toSet.get(id.toString()));
    if (longest !== 0n) problems.push(`the role ${name} has a grant delay of ${longest} s, not none`);
  }
  return problems;
}

/** The last value that events of this name set, by key. */
function latest(events: readonly LogDescription[], name: string, key: string, value: string): Map<string, bigint> {
  return new Map(argsOf(events, name).map((args) => [String(args[key]), args[value] as bigint]));
}

/** Of the delay in force and the one that will be. */
function longer(now: bigint, later = 0n): bigint {
  return now > later ? now : later;
}

// --- functions ---

/** Every function of every target, and whatever else was ever given a role. */
async function checkFunctions({ authority, at, events }: History): Promise<string[]> {
  const wanted = new Map<string, bigint>(
    mappings().flatMap(({ role, target, selectors }) =>
      selectors.map((selector) => [`${at[target]}/${selector}`, ROLES[role].id] as const),
    ),
  );
  const known = TARGET_NAMES.flatMap((target): string[] =>
    functionsOf(target).map(({ selector }) => `${at[target]}/${selector}`),
  );
  const touched = argsOf(events, "TargetFunctionRoleUpdated").map(
    (args) => `${String(args["target"])}/${String(args["selector"])}`,
  );
  const keys = [...new Set<string>([...known, ...touched])];
  const roles = await rolesOf(
    authority,
    keys.map((key) => key.split("/")),
  );
  return keys.flatMap((key, i) => {
    const [found = 0n, role = ROLES.ADMIN.id] = [roles[i], wanted.get(key)];
    return found === role ? [] : [`${describe(key, at)} has the role ${roleName(found)}, not ${roleName(role)}`];
  });
}

/** In one call: there are hundreds. */
async function rolesOf(authority: Manager, pairs: readonly string[][]): Promise<bigint[]> {
  const calls = pairs.map(([target = "", selector = ""]) =>
    authority.interface.encodeFunctionData("getTargetFunctionRole", [target, selector]),
  );
  return (await authority.multicall.staticCall(calls)).map((answer) => BigInt(answer));
}

function functionsOf(target: TargetName) {
  const found: { readonly name: string; readonly selector: string }[] = [];
  new Interface(TARGETS[target].factory.abi).forEachFunction(({ name, selector, stateMutability }) => {
    if (stateMutability !== "view" && stateMutability !== "pure") found.push({ name, selector });
  });
  return found;
}

function describe(key: string, at: Addresses): string {
  const [address = "", selector = ""] = key.split("/");
  const target = TARGET_NAMES.find((each) => at[each] === address);
  const name = target && functionsOf(target).find((each) => each.selector === selector)?.name;
  return `${contractAt(address, at)}.${name ?? selector}`;
}

function contractAt(address: string, at: Addresses): string {
  return Object.entries(at).find(([, each]) => each === address)?.[0] ?? address;
}

// --- targets ---

async function checkTargets({ authority, at, events }: History): Promise<string[]> {
  const problems: string[] = [];
  const targets = new Set(Object.values(at));
  for (const name of ["TargetClosed", "TargetAdminDelayUpdated", "TargetFunctionRoleUpdated"])
    for (const args of argsOf(events, name)) targets.add(String(args["target"]));
  const toSet = latest(events, "TargetAdminDelayUpdated", "target", "delay");
  for (const target of targets) {
    const name = contractAt(target, at);
    const [isClosed, delay] = await Promise.all([
      authority.isTargetClosed(target),
      authority.getTargetAdminDelay(target),
    ]);
    if (isClosed) problems.push(`${name} is closed`);
    const longest = longer(delay, toSet.get(target));
    if (longest !== 0n) problems.push(`${name} has an admin delay of ${longest} s, not none`);
  }
  return problems;
}
