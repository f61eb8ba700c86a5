/** Who may do what on a network, and when: every restricted function, with the settings of mainnet. */
import { expect } from "chai";
import type { Addressable } from "ethers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { delayOf, ROLE_NAMES, ROLES, successionCalls } from "../../deploy/roles.ts";
import type { Call, RoleName } from "../../deploy/roles.ts";
import { assign } from "../../scripts/lib/rolesPage.ts";
import { decide, execute, governed, schedule } from "../helpers/governance.ts";
import type { Governed } from "../helpers/governance.ts";
import { ethers, loadFixture, networkHelpers } from "../helpers/network.ts";
import { peersOf, policyOf } from "../helpers/peersOf.ts";
import { callOf, restricted } from "../helpers/restricted.ts";

const { time } = networkHelpers;
const DAY = 86_400n;
/** Enough for all of them: nothing is estimated, so what reverts is mined at its second. */
const GAS = { gasLimit: 3_000_000n };
const REFUSALS = /^AccessManage[dr](Unauthorized|RequiredDelay|NotScheduled|NotReady|Expired)/;
/** Functions, by role, as decided. */
const TABLE: Record<RoleName, readonly [holder: "governor" | "guardian", delay: bigint, ...functions: string[]]> = {
  ADMIN: [
    ...(["governor", 30n * DAY] as const),
    ...["grantRole", "labelRole", "revokeRole", "setGrantDelay", "setRoleAdmin", "setRoleGuardian"],
    ...["setTargetAdminDelay", "setTargetClosed", "setTargetFunctionRole", "updateAuthority"],
    ...["upgradeToAndCall", "setBounds", "replacePool", "bootstrap", "setBeaconProof", "upgradeToAndCall"],
  ],
  SEATS: ["governor", 10n * DAY, "addMember", "setQuorum"],
  TUNER: [
    ...(["governor", 3n * DAY] as const),
    ...["addOperator", "addTier", "cancelFine", "confirmFine", "setTier", "unfreeze", "setPolicy"],
  ],
  REPAIR: ["governor", 3n * DAY, "approveFall", "removeMember"],
  GUARDIAN: ["guardian", 0n, "lockFine"],
  PAUSER: ["guardian", 0n, "pauseDeposits", "pauseRequests"],
};

const send = (_: Governed, who: HardhatEthersSigner, { target, data }: Call) =>
  who.sendTransaction({ to: target, data, ...GAS });
const viaManager = (p: Governed, who: HardhatEthersSigner, { target, data }: Call) =>
  p.authority.connect(who).execute(target, data, GAS);
const plan = (p: Governed, who: HardhatEthersSigner, { target, data }: Call, when = 0n) =>
  p.authority.connect(who).schedule(target, data, when, GAS);

async function expectNoPower(p: Governed, who: HardhatEthersSigner, call: Call): Promise<void> {
  const isManager = call.target === (await p.authority.getAddress());
  const [contract, error, args]: [Governed["token"] | Governed["authority"], string, unknown[]] = isManager
    ? [p.authority, "AccessManagerUnauthorizedAccount", [who.address, ROLES.ADMIN.id]]
    : [p.token, "AccessManagedUnauthorized", [who.address]];
  await expect(send(p, who, call))
    .to.be.revertedWithCustomError(contract, error)
    .withArgs(...args);
  for (const attempt of [viaManager, plan])
    await expect(attempt(p, who, call))
      .to.be.revertedWithCustomError(p.authority, "AccessManagerUnauthorizedCall")
      .withArgs(who.address, call.target, call.data.slice(0, 10));
}

/** The transaction succeeds, or fails by something that comes after the check. */
async function expectThrough(p: Governed, sent: Promise<unknown>): Promise<void> {
  const data = await sent.then(
    () => "0x",
    (error: unknown) => (error as { data: string }).data,
  );
  expect(data).to.match(/^0x/);
  for (const abi of [p.authority.interface, p.token.interface])
    abi.forEachError(({ name, selector }) => {
      if (REFUSALS.test(name)) expect(data.slice(0, 10), name).not.to.equal(selector);
    });
}

async function expectDelay(p: Governed, who: HardhatEthersSigner, call: Call, delay: bigint): Promise<void> {
  const id = await p.authority.hashOperation(who, call.target, call.data);
  for (const attempt of [send, viaManager])
    await expect(attempt(p, who, call))
      .to.be.revertedWithCustomError(p.authority, "AccessManagerNotScheduled")
      .withArgs(id);
  const start = BigInt(await time.latest()) + 10n;
  await time.setNextBlockTimestamp(start - 1n);
  await expect(plan(p, who, call, start + delay - 2n))
    .to.be.revertedWithCustomError(p.authority, "AccessManagerUnauthorizedCall")
    .withArgs(who.address, call.target, call.data.slice(0, 10));
  await time.setNextBlockTimestamp(start);
  await plan(p, who, call);
  await time.setNextBlockTimestamp(start + delay - 2n);
  await expect(viaManager(p, who, call))
    .to.be.revertedWithCustomError(p.authority, "AccessManagerNotReady")
    .withArgs(id);
  await time.setNextBlockTimestamp(start + delay - 1n);
  await expect(send(p, who, call))
    .to.be.revertedWithCustomError(p.authority, "AccessManagerNotReady")
    .withArgs(id);
  await time.setNextBlockTimestamp(start + delay);
  await expectThrough(p, send(p, who, call));
}

describe("Roles on a network", () => {
  for (const role of ROLE_NAMES) {
    const [holder, delay, ...names] = TABLE[role];
    const wait = delay === 0n ? "at once" : `after ${delay / DAY} days to the second`;

    it(`${role}: the ${holder} alone, ${wait}`, async () => {
      expect([ROLES[role].holder, delayOf(role, true)]).to.deep.equal([holder, delay]);
      const functions = assign(restricted()).filter((each) => each.role === role);
      expect(functions.map(({ name }) => name)).to.deep.equal(names);
      for (const each of functions) {
        const p = await loadFixture(governed);
        const call = await callOf(p, each);
        expect(call.data.slice(0, 10)).to.equal(each.selector);
        for (const who of ["deployer", "governor", "guardian", "stranger"] as const)
          if (who !== holder) await expectNoPower(p, p[who], call);
        if (delay === 0n) await expectThrough(p, send(p, p[holder], call));
        else await expectDelay(p, p[holder], call, delay);
      }
    });
  }

  it("are held as the table says, effective at once and without a change under way", async () => {
    const p = await loadFixture(governed);
    for (const role of ROLE_NAMES) {
      const [holder, delay] = TABLE[role];
      for (const who of ["deployer", "governor", "guardian", "stranger"] as const) {
        const [since, current, pending, effect] = await p.authority.getAccess(ROLES[role].id, p[who]);
        const isHeld = who === holder;
        expect(since !== 0n && since <= BigInt(await time.latest())).to.equal(isHeld);
        expect([current, pending, effect]).to.deep.equal([isHeld ? delay : 0n, 0n, 0n]);
      }
      expect(await p.authority.getRoleGrantDelay(ROLES[role].id)).to.equal(0n);
    }
  });

  it("forget a scheduled call a week after its time", async () => {
    const p = await loadFixture(governed);
    const call = {
      target: await p.oracle.getAddress(),
      data: p.oracle.interface.encodeFunctionData("setBounds", [p.bounds.target]),
    };
    await schedule(p, [call]);
    await time.increase(ROLES.ADMIN.delay + 7n * DAY);
    const id = await p.authority.hashOperation(p.governor, call.target, call.data);
    await expect(viaManager(p, p.governor, call))
      .to.be.revertedWithCustomError(p.authority, "AccessManagerExpired")
      .withArgs(id);
  });
});

describe("ADMIN's thirty days", () => {
  /** Everything with which governance could try to have power over ether sooner. */
  async function waysRound(p: Governed): Promise<Record<string, Call>> {
    const { authority, token, pool, operators, validators, oracle } = p;
    const manager = await authority.getAddress();
    const thief = p.stranger.address;
    const abi = authority.interface;
    const replacePool = token.interface.getFunction("replacePool").selector;
    const upgrade = operators.interface.getFunction("upgradeToAndCall").selector;
    const at = {
      token: await token.getAddress(),
      operators: await operators.getAddress(),
      validators: await validators.getAddress(),
      oracle: await oracle.getAddress(),
      pool: await pool.getAddress(),
    };
    const toManager = (data: string): Call => ({ target: manager, data });
    return {
      "make a thief administrator": toManager(abi.encodeFunctionData("grantRole", [ROLES.ADMIN.id, thief, 0])),
      "lower one's own delay": toManager(abi.encodeFunctionData("grantRole", [ROLES.ADMIN.id, p.governor.address, 0])),
      "take the role and grant it anew": toManager(
        abi.encodeFunctionData("revokeRole", [ROLES.ADMIN.id, p.governor.address]),
      ),
      "give replacePool to TUNER": toManager(
        abi.encodeFunctionData("setTargetFunctionRole", [at.token, [replacePool], ROLES.TUNER.id]),
      ),
      "give replacePool to everybody": toManager(
        abi.encodeFunctionData("setTargetFunctionRole", [at.token, [replacePool], 2n ** 64n - 1n]),
      ),
      "give upgrades to TUNER": toManager(
        abi.encodeFunctionData("setTargetFunctionRole", [at.operators, [upgrade], ROLES.TUNER.id]),
      ),
      "move the token to another authority": toManager(abi.encodeFunctionData("updateAuthority", [at.token, at.pool])),
      "make TUNER the admin of a role": toManager(
        abi.encodeFunctionData("setRoleAdmin", [ROLES.SEATS.id, ROLES.TUNER.id]),
      ),
      "make a thief cancel what voters decide": toManager(
        abi.encodeFunctionData("setRoleGuardian", [ROLES.TUNER.id, ROLES.PAUSER.id]),
      ),
      "give a thief TUNER without a delay": toManager(abi.encodeFunctionData("grantRole", [ROLES.TUNER.id, thief, 0])),
      "replace the pool": { target: at.token, data: token.interface.encodeFunctionData("replacePool", [at.oracle]) },
      "upgrade the operators' registry": {
        target: at.operators,
        data: operators.interface.encodeFunctionData("upgradeToAndCall", [at.pool, "0x"]),
      },
      "upgrade the validators' registry": {
        target: at.validators,
        data: validators.interface.encodeFunctionData("upgradeToAndCall", [at.pool, "0x"]),
      },
      "point to another proof module": {
        target: at.validators,
        data: validators.interface.encodeFunctionData("setBeaconProof", [at.pool]),
      },
      "point to other bounds": { target: at.oracle, data: oracle.interface.encodeFunctionData("setBounds", [at.pool]) },
    };
  }

  it("have no way round: role, function, authority or delay change no sooner than the pool itself", async () => {
    const p = await loadFixture(governed);
    const ways = await waysRound(p);
    const before = await p.token.pool();
    await schedule(p, Object.values(ways));
    const start = BigInt(await time.latest());
    // days apart, and at the last second
    for (const at of [
      3n * DAY,
      10n * DAY,
      14n * DAY,
      29n * DAY,
      30n * DAY - BigInt(2 * Object.keys(ways).length) - 1n,
    ]) {
      await time.increaseTo(start + at);
      for (const [way, call] of Object.entries(ways)) {
        const id = await p.authority.hashOperation(p.governor, call.target, call.data);
        for (const attempt of [send, viaManager])
          await expect(attempt(p, p.governor, call), way)
            .to.be.revertedWithCustomError(p.authority, "AccessManagerNotReady")
            .withArgs(id);
        for (const who of [p.stranger, p.guardian, p.deployer]) await expectNoPowerYet(p, who, call);
      }
    }
    expect(await p.token.pool()).to.equal(before);
  });

  /** As often as time allows: these are read only. */
  async function expectNoPowerYet(p: Governed, who: HardhatEthersSigner, { target, data }: Call): Promise<void> {
    await expect(p.authority.connect(who).execute.staticCall(target, data))
      .to.be.revertedWithCustomError(p.authority, "AccessManagerUnauthorizedCall")
      .withArgs(who.address, target, data.slice(0, 10));
  }

  it("pass before a role that was granted replaces the pool: the fourteen days that were three", async () => {
    const p = await loadFixture(governed);
    const next = await successor(p);
    const thief = p.stranger;
    const grant = (await waysRound(p))["make a thief administrator"] as Call;
    const start = BigInt(await time.latest());
    await schedule(p, [grant]);
    await time.increase(3n * DAY);
    const id = await p.authority.hashOperation(p.governor, grant.target, grant.data);
    await expect(viaManager(p, p.governor, grant))
      .to.be.revertedWithCustomError(p.authority, "AccessManagerNotReady")
      .withArgs(id);
    await expect(p.token.connect(thief).replacePool(next))
      .to.be.revertedWithCustomError(p.token, "AccessManagedUnauthorized")
      .withArgs(thief.address);
    await time.increaseTo(start + 30n * DAY);
    await execute(p, [grant]);
    await p.token.connect(thief).replacePool(next);
    expect(BigInt(await time.latest()) - start).to.be.greaterThan(30n * DAY);
  });

  it("are lowered only after thirty days, for thirty days later", async () => {
    const p = await loadFixture(governed);
    await decide(p, [(await waysRound(p))["lower one's own delay"] as Call]);
    const [, delay, pending, effect] = await p.authority.getAccess(ROLES.ADMIN.id, p.governor);
    expect([delay, pending]).to.deep.equal([30n * DAY, 0n]);
    expect(effect).to.equal(BigInt(await time.latest()) + 30n * DAY);
  });
});

async function successor(p: Governed, own: { oracle?: Addressable } = {}) {
  const peers = { ...(await peersOf(p.pool)), predecessor: p.pool, ...own };
  return ethers.deployContract("StakingPool", [p.authority, peers, await policyOf(p.pool)]);
}

async function successorOracle({ authority, token, bounds, oracle }: Governed) {
  const grid = {
    genesisTime: await oracle.genesisTime(),
    firstRefSlot: await oracle.lastRefSlot(),
    slotsPerFrame: await oracle.slotsPerFrame(),
    finalisationMargin: await oracle.finalisationMargin(),
    grace: await oracle.grace(),
  };
  return ethers.deployContract("ReportOracle", [authority, token, bounds, grid, [], 0n, oracle]);
}

describe("Replacing the pool on a network", () => {
  it("gives the new pool's functions their roles first, so that the guardian can pause it at once", async () => {
    const p = await loadFixture(governed);
    const next = await successor(p);
    const calls = await successionCalls(p, { pool: await next.getAddress() });
    expect(
      calls.map(({ target, data }) => p.authority.interface.parseTransaction({ data })?.name ?? target),
    ).to.deep.equal(["setTargetFunctionRole", "setTargetFunctionRole", await p.token.getAddress()]);
    await schedule(p, calls);
    const start = BigInt(await time.latest());
    await time.setNextBlockTimestamp(start + 30n * DAY - 1n);
    await expect(execute(p, calls)).to.be.revertedWithCustomError(p.authority, "AccessManagerNotReady");
    await execute(p, calls);
    expect(await p.token.pool()).to.equal(await next.getAddress());

    await expect(next.connect(p.governor).pauseDeposits(true))
      .to.be.revertedWithCustomError(next, "AccessManagedUnauthorized")
      .withArgs(p.governor.address);
    await expect(next.connect(p.guardian).pauseDeposits(true)).to.emit(next, "DepositsPaused").withArgs(true);
    const policy = {
      target: await next.getAddress(),
      data: next.interface.encodeFunctionData("setPolicy", [await policyOf(next)]),
    };
    await schedule(p, [policy]);
    await time.increase(ROLES.TUNER.delay);
    await execute(p, [policy]);
  });

  it("has roles for every function that the old contract's had, for a new oracle too", async () => {
    const p = await loadFixture(governed);
    const [pool, oracle] = [ethers.Wallet.createRandom().address, ethers.Wallet.createRandom().address];
    const calls = await successionCalls(p, { pool, oracle });
    await decide(p, calls.slice(0, -2));
    for (const { contract, selector, role } of assign(restricted())) {
      const address = { StakingPool: pool, ReportOracle: oracle }[contract];
      if (address !== undefined)
        expect(await p.authority.getTargetFunctionRole(address, selector)).to.equal(ROLES[role].id);
    }
  });

  it("ends with the new oracle's taking over, in the same transaction", async () => {
    const p = await loadFixture(governed);
    const oracle = await successorOracle(p);
    const pool = await successor(p, { oracle });
    await decide(p, await successionCalls(p, { pool: await pool.getAddress(), oracle: await oracle.getAddress() }));
    expect(await pool.oracle()).to.equal(await oracle.getAddress());
    expect([...(await oracle.members())]).to.deep.equal([...(await p.oracle.members())]);
    const [old, now] = [await p.oracle.committee(), await oracle.committee()];
    expect([now.members, now.quorum, now.version]).to.deep.equal([old.members, old.quorum, old.version + 1n]);
    expect(await oracle.lastRefSlot()).to.equal(await p.oracle.lastRefSlot());
    await expect(oracle.takeOver())
      .to.be.revertedWithCustomError(oracle, "NothingToTakeOver")
      .withArgs(await p.oracle.getAddress());
  });

  it("without them leaves the new pool's pause to ADMIN", async () => {
    const p = await loadFixture(governed);
    const next = await successor(p);
    await decide(p, (await successionCalls(p, { pool: await next.getAddress() })).slice(-1));
    await expect(next.connect(p.guardian).pauseDeposits(true))
      .to.be.revertedWithCustomError(next, "AccessManagedUnauthorized")
      .withArgs(p.guardian.address);
  });
});
