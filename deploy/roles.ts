/**
 * Who may do what and how long it waits, in this file only: the module configures from it, `deploy/lib/inspectRoles.ts` compares a
 * deployment with it, docs/roles.md is rendered from it, and a test compares it with every restricted function there is.
 */
import { Interface } from "ethers";
import type { Contracts } from "./deploy.ts";
import {
  AccessManager__factory,
  OperatorRegistry__factory,
  ReportOracle__factory,
  StakedEther__factory,
  StakingPool__factory,
  ValidatorRegistry__factory,
  WithdrawalQueue__factory,
} from "../typechain-types/index.ts";

const DAY = 86_400n; // seconds

/** The contracts that ask the AccessManager who may call. */
export const TARGETS = {
  token: { contract: "StakedEther", factory: StakedEther__factory },
  pool: { contract: "StakingPool", factory: StakingPool__factory },
  queue: { contract: "WithdrawalQueue", factory: WithdrawalQueue__factory },
  operators: { contract: "OperatorRegistry", factory: OperatorRegistry__factory },
  validators: { contract: "ValidatorRegistry", factory: ValidatorRegistry__factory },
  oracle: { contract: "ReportOracle", factory: ReportOracle__factory },
} as const;
export type TargetName = keyof typeof TARGETS;
export const TARGET_NAMES = Object.keys(TARGETS) as TargetName[];

export const HOLDERS = ["governor", "guardian"] as const;
/** Holders are addresses, and parameters of the module by these names. */
export type Holder = (typeof HOLDERS)[number];

/** Names of functions, by contract. */
export type RoleFunctions = {
  readonly [T in TargetName]?: readonly Parameters<Contracts[T]["interface"]["getFunction"]>[0][];
};

export interface Role {
  readonly id: bigint;
  readonly holder: Holder;
  /** Seconds between scheduling and executing, on a network. */
  readonly delay: bigint;
  readonly functions: RoleFunctions;
  /** A sentence for docs/roles.md. */
  readonly purpose: string;
}

export const ROLE_NAMES = ["ADMIN", "SEATS", "TUNER", "REPAIR", "GUARDIAN", "PAUSER"] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

/** No role has an admin or a guardian but ADMIN, or a grant delay; no target is closed or has an admin delay. */
export const ROLES: Readonly<Record<RoleName, Role>> = {
  ADMIN: {
    id: 0n, // of every function that has no other role: the AccessManager's default
    holder: "governor",
    delay: 30n * DAY,
    functions: {},
    purpose:
      "Decides over code, pointers and roles, and with that over all ether; and over everything that is not named.",
  },
  SEATS: {
    id: 1n,
    holder: "governor",
    delay: 10n * DAY,
    functions: { oracle: ["addMember", "setQuorum"] },
    purpose: "Seats new members of the oracle's committee and sets its quorum, which could capture the oracle.",
  },
  TUNER: {
    id: 2n,
    holder: "governor",
    delay: 3n * DAY,
    functions: {
      pool: ["setPolicy"],
      operators: ["addTier", "setTier", "addOperator", "unfreeze", "confirmFine", "cancelFine"],
    },
    purpose: "Tunes what the contracts bound themselves: fee, limits, tiers, operators and fines.",
  },
  REPAIR: {
    id: 3n,
    holder: "governor",
    delay: 3n * DAY,
    functions: { oracle: ["approveFall", "removeMember"] },
    purpose: "Gets reports going again: approves a deep fall, or removes a member that is lost.",
  },
  GUARDIAN: {
    id: 4n,
    holder: "guardian",
    delay: 0n,
    functions: { operators: ["lockFine"] },
    purpose: "Locks a part of an operator's bond at once; TUNER confirms or cancels the fine.",
  },
  PAUSER: {
    id: 5n,
    holder: "guardian",
    delay: 0n,
    functions: { pool: ["pauseDeposits"], queue: ["pauseRequests"] },
    purpose: "Stops and opens deposits and withdrawal requests at once; nothing else can be paused.",
  },
};

/** The AccessManager's name for everybody. */
const PUBLIC = 2n ** 64n - 1n;

export function roleName(id: bigint): string {
  if (id === PUBLIC) return "PUBLIC";
  return ROLE_NAMES.find((name) => ROLES[name].id === id) ?? id.toString();
}

/** Seconds of the role; local chains wait for nothing. */
export function delayOf(role: RoleName, hasDelays: boolean): bigint {
  return hasDelays ? ROLES[role].delay : 0n;
}

/** The name of the module's parameter. */
export function delayParameter(role: RoleName): string {
  return `delay${role}`;
}

export function delayParameters(hasDelays: boolean): Record<string, bigint> {
  return Object.fromEntries(ROLE_NAMES.map((role) => [delayParameter(role), delayOf(role, hasDelays)]));
}

export interface Mapping {
  readonly role: RoleName;
  readonly target: TargetName;
  readonly functions: readonly string[];
  readonly selectors: readonly string[];
}

/** What `setTargetFunctionRole` is told: one call for each role and target. */
export function mappings(): Mapping[] {
  return ROLE_NAMES.flatMap((role) =>
    TARGET_NAMES.flatMap((target): Mapping[] => {
      const functions = ROLES[role].functions[target] ?? [];
      if (functions.length === 0) return [];
      return [{ role, target, functions, selectors: functions.map((name) => selectorOf(target, name)) }];
    }),
  );
}

/** @throws Error where the contract has no such function, or several */
export function selectorOf(target: TargetName, name: string): string {
  const { contract, factory } = TARGETS[target];
  const found = new Interface(factory.abi).getFunction(name);
  if (found === null) throw new Error(`deploy/roles.ts: ${contract} has no function ${name}`);
  return found.selector;
}

/** A call that ADMIN schedules and executes at the AccessManager. */
export interface Call {
  readonly target: string;
  readonly data: string;
}

/** The calls that give a contract which follows `target` its functions' roles: without them all would be ADMIN's. */
export function roleCalls(authority: string, target: TargetName, successor: string): Call[] {
  const manager = AccessManager__factory.createInterface();
  return mappings()
    .filter((mapping) => mapping.target === target)
    .map(({ role, selectors }) => ({
      target: authority,
      data: manager.encodeFunctionData("setTargetFunctionRole", [successor, [...selectors], ROLES[role].id]),
    }));
}

/**
 * Replacing the pool, in order: roles first, so that the guardian can pause the new pool from its first block. A new pool may bring a new
 * oracle whose predecessor is the old one: it takes over last, as it may only once the live pool names it. Anyone may call that, but without
 * it no report is accepted.
 */
export async function successionCalls(
  { authority, token }: Pick<Contracts, "authority" | "token">,
  successors: { readonly pool: string; readonly oracle?: string },
): Promise<Call[]> {
  const [manager, target] = await Promise.all([authority.getAddress(), token.getAddress()]);
  const { pool, oracle } = successors;
  return [
    ...(oracle === undefined ? [] : roleCalls(manager, "oracle", oracle)),
    ...roleCalls(manager, "pool", pool),
    { target, data: token.interface.encodeFunctionData("replacePool", [pool]) },
    ...(oracle === undefined
      ? []
      : [{ target: oracle, data: ReportOracle__factory.createInterface().encodeFunctionData("takeOver") }]),
  ];
}
