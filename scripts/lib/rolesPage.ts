/** docs/roles.md out of `deploy/roles.ts` and the restricted functions there are: a test compares them, `npm run docs:roles` writes it. */
import { mappings, ROLE_NAMES, ROLES, TARGET_NAMES, TARGETS } from "../../deploy/roles.ts";
import type { Mapping, RoleName } from "../../deploy/roles.ts";
import type { RestrictedFunction } from "./restrictedFunctions.ts";

const DAY = 86_400n; // seconds
const MANAGER = "AccessManager";

interface Assigned extends RestrictedFunction {
  readonly role: RoleName;
}

/** Which role each function has; ADMIN where none is named. */
export function assign(restricted: readonly RestrictedFunction[], named: readonly Mapping[] = mappings()): Assigned[] {
  return restricted.map((each) => {
    const mapping = named.find(
      ({ target, functions }) => TARGETS[target].contract === each.contract && functions.includes(each.name),
    );
    return { ...each, role: mapping?.role ?? "ADMIN" };
  });
}

/** One line for each name that no contract has, that two roles have, or whose contract is no target. */
export function namingProblems(
  restricted: readonly RestrictedFunction[],
  named: readonly Mapping[] = mappings(),
): string[] {
  const exists = new Set(restricted.map(({ contract, name }) => `${contract}.${name}`));
  const roleOf = new Map<string, RoleName>();
  const problems: string[] = [];
  for (const { role, target, functions } of named) {
    for (const name of functions.map((each) => `${TARGETS[target].contract}.${each}`)) {
      if (!exists.has(name)) problems.push(`${role} has ${name}, which is no restricted function`);
      const other = roleOf.get(name);
      if (other !== undefined) problems.push(`${role} has ${name}, which is ${other}'s`);
      roleOf.set(name, role);
    }
  }
  const targets = new Set<string>([MANAGER, ...TARGET_NAMES.map((target) => TARGETS[target].contract)]);
  const strangers = new Set(restricted.map(({ contract }) => contract).filter((contract) => !targets.has(contract)));
  for (const contract of strangers) problems.push(`${contract} has restricted functions and is no target`);
  return problems;
}

export function rolesPage(restricted: readonly RestrictedFunction[]): string {
  const assigned = assign(restricted);
  const rows = ROLE_NAMES.map((role) => {
    const { id, holder, delay, purpose } = ROLES[role];
    const functions = functionsCell(assigned.filter((each) => each.role === role));
    return `| ${role} ${id} | ${purpose} | ${holder} | ${days(delay)} | ${functions} |`;
  });
  return [
    BEFORE,
    "| Role | For | Holder | Delay on a network | Functions |",
    "|---|---|---|---|---|",
    ...rows,
    AFTER,
  ].join("\n");
}

function functionsCell(functions: readonly RestrictedFunction[]): string {
  const byContract = Map.groupBy(functions, ({ contract }) => contract);
  return [...byContract]
    .map(([contract, each]) => `${contract}: ${each.map(({ name }) => `\`${name}\``).join(", ")}`)
    .join("; ");
}

function days(seconds: bigint): string {
  return seconds === 0n ? "none" : `${seconds / DAY} days`;
}

const BEFORE = `# Roles

Written by \`npm run docs:roles\` from \`deploy/roles.ts\` and the restricted functions of \`contracts/\`: change those, not this page.

Who may call what is one map, an OpenZeppelin \`AccessManager\`. A delay lies between scheduling a call and executing it, where everybody can see it and leave; local chains have none.
`;

const AFTER = `
**ADMIN is one delay.** Whoever may replace the pool, upgrade a registry or point to another proof module has power over ether; so has whoever may give a function another role, grant a role, or move a contract to another
\`AccessManager\`. A longer delay on one of these functions alone is worth nothing: the shorter one goes round it. So all of them are ADMIN's and wait ${days(ROLES.ADMIN.delay)}, and so does every function that no other role has. There are no grant
delays, no admin delays of targets and no closed targets; ADMIN is admin and guardian of every role.

**A call expires.** The \`AccessManager\` forgets a scheduled call a week after its time (\`expiration()\`): what is not executed by then is scheduled again and waits again.

**Replacing a contract.** Roles belong to addresses. \`successionCalls\` in \`deploy/roles.ts\` gives the calls in their order: the functions of the new pool (and of its new oracle) get their roles first, so that the guardian can pause the new
pool from its first block; then \`replacePool\`; then the new oracle's \`takeOver\`. A registry is upgraded behind its address and keeps its roles.

**Checked.** \`npm run deploy\` and the tests, with the settings of mainnet, read the \`AccessManager\`'s events and state: holders, delays, grant delays, admins and guardians of roles, the role of every function, targets, authorities. Anything that is not as
above is a line, and a failure.
`;
