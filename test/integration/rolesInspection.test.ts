/** The inspection after a deployment finds every way in which roles may differ from `deploy/roles.ts`, and names it. */
import { expect } from "chai";
import { inspectDeployment } from "../../deploy/lib/inspect.ts";
import { ROLES } from "../../deploy/roles.ts";
import type { Call, RoleName, TargetName } from "../../deploy/roles.ts";
import type { AccessManager } from "../../typechain-types/index.ts";
import { decide, governed } from "../helpers/governance.ts";
import type { Governed } from "../helpers/governance.ts";
import { ethers, loadFixture, networkHelpers } from "../helpers/network.ts";
import { peersOf, policyOf } from "../helpers/peersOf.ts";

const { time } = networkHelpers;
const DAY = 86_400n;
const EVERYBODY = 2n ** 64n - 1n;
const UNKNOWN_ROLE = 77n;

type Plant = (p: Governed, abi: AccessManager["interface"]) => Promise<string> | string;

/** A fresh deployment, changed by these calls of the AccessManager. */
async function planted(...plants: Plant[]): Promise<Governed> {
  const p = await loadFixture(governed);
  const target = await p.authority.getAddress();
  const calls: Call[] = [];
  for (const plant of plants) calls.push({ target, data: await plant(p, p.authority.interface) });
  await decide(p, calls);
  return p;
}

async function problemsOf(p: Governed): Promise<readonly string[]> {
  return (await inspectDeployment(p.contracts, p.expected)).problems;
}

type Who = (p: Governed) => { readonly address: string };
const governor: Who = (p) => p.governor;
const guardian: Who = (p) => p.guardian;
const stranger: Who = (p) => p.stranger;

const grant =
  (role: bigint, who: Who, delay: bigint): Plant =>
  (p, abi) =>
    abi.encodeFunctionData("grantRole", [role, who(p).address, delay]);
const revoke =
  (role: RoleName, who: Who): Plant =>
  (p, abi) =>
    abi.encodeFunctionData("revokeRole", [ROLES[role].id, who(p).address]);
const assignTo =
  (contract: TargetName, name: string, role: bigint): Plant =>
  async (p, abi) => {
    const { selector } = p[contract].interface.getFunction(name as never);
    return abi.encodeFunctionData("setTargetFunctionRole", [await p[contract].getAddress(), [selector], role]);
  };

describe("The inspection of roles", () => {
  it("finds nothing on the settings of mainnet", async () => {
    expect(await problemsOf(await loadFixture(governed))).to.deep.equal([]);
  });

  it("finds two delays that are swapped", async () => {
    const p = await planted(
      revoke("SEATS", governor),
      revoke("TUNER", governor),
      grant(ROLES.SEATS.id, governor, ROLES.TUNER.delay),
      grant(ROLES.TUNER.id, governor, ROLES.SEATS.delay),
    );
    expect(await problemsOf(p)).to.deep.equal([
      `the governor ${p.governor.address} waits 259200 s as SEATS, not 864000 s`,
      `the governor ${p.governor.address} waits 864000 s as TUNER, not 259200 s`,
    ]);
  });

  it("finds a role that was granted without a delay", async () => {
    const p = await planted(revoke("REPAIR", governor), grant(ROLES.REPAIR.id, governor, 0n));
    expect(await problemsOf(p)).to.deep.equal([`the governor ${p.governor.address} waits 0 s as REPAIR, not 259200 s`]);
  });

  it("finds a delay that will be shorter", async () => {
    const p = await planted(grant(ROLES.ADMIN.id, governor, 3n * DAY));
    const from = BigInt(await time.latest()) + 27n * DAY;
    expect(await problemsOf(p)).to.deep.equal([
      `the governor ${p.governor.address} will wait 259200 s as ADMIN from ${from} on, not 2592000 s`,
    ]);
  });

  it("finds functions that have another's role, or lost theirs", async () => {
    const p = await planted(
      assignTo("operators", "lockFine", ROLES.PAUSER.id),
      assignTo("token", "replacePool", ROLES.TUNER.id),
      assignTo("oracle", "removeMember", ROLES.ADMIN.id),
    );
    expect(await problemsOf(p)).to.have.members([
      "operators.lockFine has the role PAUSER, not GUARDIAN",
      "token.replacePool has the role TUNER, not ADMIN",
      "oracle.removeMember has the role ADMIN, not REPAIR",
    ]);
  });

  it("finds functions that never got their role", async () => {
    const p = await loadFixture(governed);
    const peers = { ...(await peersOf(p.pool)), predecessor: p.pool };
    const pool = await ethers.deployContract("StakingPool", [p.authority, peers, await policyOf(p.pool)]);
    const { problems } = await inspectDeployment({ ...p.contracts, pool }, p.expected);
    expect(problems).to.include.members([
      "pool.pauseDeposits has the role ADMIN, not PAUSER",
      "pool.setPolicy has the role ADMIN, not TUNER",
      // the one that the inspection was not told of
      `${await p.pool.getAddress()}.${p.pool.interface.getFunction("setPolicy").selector} has the role TUNER, not ADMIN`,
    ]);
  });

  it("finds an upgrade that everybody may do, and a role that nobody knows", async () => {
    const p = await planted(
      assignTo("validators", "upgradeToAndCall", EVERYBODY),
      assignTo("pool", "setPolicy", UNKNOWN_ROLE),
    );
    expect(await problemsOf(p)).to.have.members([
      `validators.upgradeToAndCall has the role PUBLIC, not ADMIN`,
      `pool.setPolicy has the role 77, not TUNER`,
    ]);
  });

  it("finds functions of contracts and selectors that are not the protocol's", async () => {
    const p = await planted(
      (q, abi) =>
        abi.encodeFunctionData("setTargetFunctionRole", [q.stranger.address, ["0x12345678"], ROLES.PAUSER.id]),
      async (q, abi) =>
        abi.encodeFunctionData("setTargetFunctionRole", [await q.pool.getAddress(), ["0x12345678"], ROLES.PAUSER.id]),
    );
    expect(await problemsOf(p)).to.have.members([
      `${p.stranger.address}.0x12345678 has the role PAUSER, not ADMIN`,
      "pool.0x12345678 has the role PAUSER, not ADMIN",
    ]);
  });

  it("finds a stranger with a role, and a holder with another's", async () => {
    const p = await planted(
      grant(ROLES.TUNER.id, stranger, 3n * DAY),
      grant(ROLES.SEATS.id, guardian, 0n),
      grant(UNKNOWN_ROLE, governor, 0n),
    );
    expect(await problemsOf(p)).to.deep.equal([
      `the guardian ${p.guardian.address} holds the role SEATS, which is not its`,
      `${p.stranger.address} holds the role TUNER, which is not its`,
      `the governor ${p.governor.address} holds the role 77, which is not its`,
    ]);
  });

  it("finds a stranger whose role is not in force yet", async () => {
    const p = await planted((_, abi) => abi.encodeFunctionData("setGrantDelay", [ROLES.PAUSER.id, 9n * DAY]));
    await time.increase(5n * DAY);
    await decide(p, [
      {
        target: await p.authority.getAddress(),
        data: p.authority.interface.encodeFunctionData("grantRole", [ROLES.PAUSER.id, p.stranger.address, 0]),
      },
    ]);
    expect(await p.authority.hasRole(ROLES.PAUSER.id, p.stranger)).to.deep.equal([false, 0n]);
    expect(await problemsOf(p)).to.deep.equal([
      `${p.stranger.address} holds the role PAUSER, which is not its`,
      "the role PAUSER has a grant delay of 777600 s, not none",
    ]);
  });

  it("finds the deployer as administrator, and a role without its holder", async () => {
    const p = await planted(
      grant(ROLES.ADMIN.id, (q) => q.deployer, 0n),
      revoke("GUARDIAN", guardian),
    );
    expect(await problemsOf(p)).to.deep.equal([
      `the deployer ${p.deployer.address} still holds the role ADMIN`,
      `the guardian ${p.guardian.address} does not hold the role GUARDIAN`,
    ]);
  });

  it("finds a grant delay while the AccessManager reads none", async () => {
    const p = await planted((_, abi) => abi.encodeFunctionData("setGrantDelay", [ROLES.SEATS.id, DAY]));
    expect(await p.authority.getRoleGrantDelay(ROLES.SEATS.id)).to.equal(0n);
    expect(await problemsOf(p)).to.deep.equal(["the role SEATS has a grant delay of 86400 s, not none"]);
  });

  it("finds another admin and another guardian of a role", async () => {
    const p = await planted(
      (_, abi) => abi.encodeFunctionData("setRoleAdmin", [ROLES.TUNER.id, ROLES.GUARDIAN.id]),
      (_, abi) => abi.encodeFunctionData("setRoleGuardian", [ROLES.REPAIR.id, ROLES.PAUSER.id]),
    );
    expect(await problemsOf(p)).to.deep.equal([
      "the admin of the role TUNER is GUARDIAN, not ADMIN",
      "the guardian of the role REPAIR is PAUSER, not ADMIN",
    ]);
  });

  it("finds a closed target, and one whose admin has to wait", async () => {
    const p = await planted(
      async (q, abi) => abi.encodeFunctionData("setTargetClosed", [await q.queue.getAddress(), true]),
      async (q, abi) => abi.encodeFunctionData("setTargetAdminDelay", [await q.token.getAddress(), DAY]),
    );
    expect(await problemsOf(p)).to.have.members(["queue is closed", "token has an admin delay of 86400 s, not none"]);
  });

  it("finds a contract that asks another authority", async () => {
    const p = await planted(async (q, abi) =>
      abi.encodeFunctionData("updateAuthority", [await q.oracle.getAddress(), await q.pool.getAddress()]),
    );
    expect(await problemsOf(p)).to.deep.equal([
      `oracle.authority is ${await p.pool.getAddress()}, not ${await p.authority.getAddress()}`,
    ]);
  });
});
