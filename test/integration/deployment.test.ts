import { expect } from "chai";
import { inspectDeployment } from "../../deploy/lib/inspect.ts";
import { ROLES } from "../../deploy/roles.ts";
import { peopleFrom, SettingsError } from "../../deploy/lib/people.ts";
import { ethers, loadFixture } from "../helpers/network.ts";
import { protocol } from "../helpers/protocol.ts";
import type { Protocol } from "../helpers/protocol.ts";

const SOMEBODY = "0x00000000000000000000000000000000000000A1";

const expectedOf = ({ deployer, governor, guardian }: Protocol) => ({
  ...{ deployer: deployer.address, governor: governor.address, guardian: guardian.address },
  hasDelays: false,
});

describe("A deployment", () => {
  it("is wired as designed and leaves the deployer no role", async () => {
    const p = await loadFixture(protocol);
    const { problems, holdings } = await inspectDeployment(p.contracts, expectedOf(p));
    expect(problems).to.deep.equal([]);
    expect(holdings.map(({ name, account, delay }) => `${name} ${account} ${delay}`)).to.have.members([
      `ADMIN ${p.governor.address} 0`,
      `SEATS ${p.governor.address} 0`,
      `TUNER ${p.governor.address} 0`,
      `REPAIR ${p.governor.address} 0`,
      `GUARDIAN ${p.guardian.address} 0`,
      `PAUSER ${p.guardian.address} 0`,
    ]);
  });

  it("is refused when the deployer holds a role again", async () => {
    const p = await loadFixture(protocol);
    await p.authority.connect(p.governor).grantRole(ROLES.PAUSER.id, p.deployer, 0);
    const { problems } = await inspectDeployment(p.contracts, expectedOf(p));
    expect(problems).to.deep.equal([`the deployer ${p.deployer.address} still holds the role PAUSER`]);
  });

  it("to a network is refused when nothing waits", async () => {
    const p = await loadFixture(protocol);
    const { problems } = await inspectDeployment(p.contracts, { ...expectedOf(p), hasDelays: true });
    expect(problems).to.deep.equal([
      `the governor ${p.governor.address} waits 0 s as ADMIN, not 2592000 s`,
      `the governor ${p.governor.address} waits 0 s as SEATS, not 864000 s`,
      `the governor ${p.governor.address} waits 0 s as TUNER, not 259200 s`,
      `the governor ${p.governor.address} waits 0 s as REPAIR, not 259200 s`,
    ]);
  });

  it("is refused when a contract is not wired as designed", async () => {
    const p = await loadFixture(protocol);
    const stranger = await ethers.deployContract("ReportBounds");
    await p.oracle.connect(p.governor).setBounds(stranger);
    const { problems } = await inspectDeployment(p.contracts, expectedOf(p));
    expect(problems).to.deep.equal([
      `oracle.bounds is ${await stranger.getAddress()}, not ${await p.bounds.getAddress()}`,
    ]);
  });

  it("refuses governance by strangers", async () => {
    const p = await loadFixture(protocol);
    await expect(p.pool.connect(p.deployer).pauseDeposits(true))
      .to.be.revertedWithCustomError(p.pool, "AccessManagedUnauthorized")
      .withArgs(p.deployer.address);
    await expect(p.token.connect(p.deployer).replacePool(p.oracle))
      .to.be.revertedWithCustomError(p.token, "AccessManagedUnauthorized")
      .withArgs(p.deployer.address);
  });

  it("names every setting that is missing or malformed", () => {
    expect(() =>
      peopleFrom({ ESTUARY_GOVERNOR: "me", ESTUARY_COMMITTEE: `${SOMEBODY}, nobody`, ESTUARY_QUORUM: "1" }),
    ).to.throw(
      SettingsError,
      [
        "ESTUARY_GOVERNOR: not an address: me",
        "ESTUARY_GUARDIAN: missing",
        "ESTUARY_TREASURY: missing",
        "ESTUARY_COMMITTEE: not an address: nobody",
        "ESTUARY_QUORUM: more than half of the 2 members, and at most all of them",
      ].join("\n"),
    );
  });

  it("takes governance from the environment", () => {
    const people = peopleFrom({
      ESTUARY_GOVERNOR: SOMEBODY,
      ESTUARY_GUARDIAN: SOMEBODY,
      ESTUARY_TREASURY: SOMEBODY,
      ESTUARY_COMMITTEE: SOMEBODY,
      ESTUARY_QUORUM: "1",
    });
    expect(people).to.deep.equal({
      governor: SOMEBODY,
      guardian: SOMEBODY,
      treasury: SOMEBODY,
      committee: [SOMEBODY],
      quorum: 1n,
    });
  });
});
