/** Who may report what, and when: ReportOracle, Committee and ReportBounds. */
import { expect } from "chai";
import { compactSignature } from "../../../devnet/committee.ts";
import type { CompactSignature } from "../../../devnet/committee.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { protocol } from "../../helpers/protocol.ts";
import type { Protocol } from "../../helpers/protocol.ts";
import { refusalOf } from "../../helpers/refusal.ts";
import { ETH, apply, fundWithoutKeys, request } from "../../helpers/reporting.ts";
import { REPORT_TYPES, reportDigest, reportDomain, reportHash } from "../../../offchain/protocol/report.ts";
import type { Report } from "../../../offchain/protocol/report.ts";
import { gwei, wei } from "../../../offchain/protocol/units.ts";

const FRAME_SLOTS = 225n * 32n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const NO_SIGNATURE = { r: ethers.ZeroHash, vs: ethers.ZeroHash };
const { time } = networkHelpers;

/** Alice staked 1,000 ether; one report was accepted and the next one is ready. */
async function reported() {
  const p = await loadFixture(protocol);
  await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 1_000n * ETH });
  await p.report();
  const report = await p.readReport();
  return { p, report, signatures: await p.sign(report) };
}

async function signBy(p: Protocol, report: Report, ...members: number[]): Promise<CompactSignature[]> {
  const domain = reportDomain(31_337n, await p.oracle.getAddress());
  const { wallets } = p.committee;
  return Promise.all(
    wallets
      .filter((_, i) => members.includes(i))
      .map(async (wallet) => compactSignature(await wallet.signTypedData(domain, REPORT_TYPES, { ...report }))),
  ).then((sorted) => {
    const order = [...new Set(members)].sort((x, y) => x - y);
    return members.map((i) => sorted[order.indexOf(i)] ?? NO_SIGNATURE);
  });
}

function member(p: Protocol, i: number): string {
  return p.committee.wallets[i]?.address ?? "";
}

async function submit(p: Protocol, report: Report, count?: number) {
  return p.oracle.connect(p.keeper).submitReport(report, await p.sign(report, count));
}

describe("ReportOracle: accepting", () => {
  it("takes a report from anyone with enough signatures, once", async () => {
    const { p, report, signatures } = await loadFixture(reported);
    await expect(p.oracle.connect(p.carol).submitReport(report, signatures))
      .to.emit(p.oracle, "ReportAccepted")
      .withArgs(report.refSlot, reportHash(report), 5n, 0n);
    expect(await p.oracle.lastRefSlot()).to.equal(report.refSlot);
    expect(await p.oracle.lastReportHash()).to.equal(reportHash(report));
    await expect(p.oracle.submitReport(report, signatures))
      .to.be.revertedWithCustomError(p.oracle, "ReferenceNotNewer")
      .withArgs(report.refSlot, report.refSlot);
  });

  it("signs what the twin signs", async () => {
    const { p, report } = await loadFixture(reported);
    expect(await p.oracle.reportDigest(report)).to.equal(reportDigest(report, 31_337n, await p.oracle.getAddress()));
  });

  it("takes more signatures than the quorum, and frames may be skipped", async () => {
    const { p } = await loadFixture(reported);
    const report = await p.readReport({}, 3);
    await submit(p, report, 9);
    expect(await p.oracle.lastRefSlot()).to.equal(report.refSlot);
    // of three frames two count
    const [rebase] = await p.token.queryFilter(p.token.filters.TokenRebased(), "latest");
    expect(rebase?.args.timeElapsed).to.equal(2n * 86_400n);
  });

  it("offers no frame before its reference slot has passed", async () => {
    const { p, report } = await loadFixture(reported);
    await submit(p, report);
    const refTime = BigInt(p.beacon.timeOf(Number(report.refSlot + FRAME_SLOTS)));
    await networkHelpers.mine(1, { interval: 0 });
    await time.increaseTo(refTime);
    expect(await p.oracle.nextRefSlot()).to.equal(report.refSlot);
    await time.increaseTo(refTime + 1n);
    expect(await p.oracle.nextRefSlot()).to.equal(report.refSlot + FRAME_SLOTS);
  });

  it("says which frame can be reported now", async () => {
    const { p, report } = await loadFixture(reported);
    expect(await p.oracle.nextRefSlot()).to.equal(report.refSlot);
    await submit(p, report);
    expect(await p.oracle.nextRefSlot()).to.equal(report.refSlot);
    const day = 86_400;
    await time.increase(3 * day);
    expect(await p.oracle.nextRefSlot()).to.equal(report.refSlot + 3n * FRAME_SLOTS);
  });
});

describe("ReportOracle: refusing", () => {
  async function expectRefused(overrides: Partial<Report>, error: string, args: (r: Report) => unknown[]) {
    const { p, report } = await loadFixture(reported);
    const bad = { ...report, ...overrides };
    const before = [await p.pool.books(), await p.token.totals(), await p.oracle.lastReportHash()];
    await expect(submit(p, bad))
      .to.be.revertedWithCustomError(p.oracle, error)
      .withArgs(...args(bad));
    expect([await p.pool.books(), await p.token.totals(), await p.oracle.lastReportHash()]).to.deep.equal(before);
  }

  it("an older reference", async () => {
    const { p, report } = await loadFixture(reported);
    const last = await p.oracle.lastRefSlot();
    for (const refSlot of [last, last - FRAME_SLOTS, 0n])
      await expect(submit(p, { ...report, refSlot }))
        .to.be.revertedWithCustomError(p.oracle, "ReferenceNotNewer")
        .withArgs(refSlot, last);
  });

  it("a reference off the grid", async () => {
    const { p, report } = await loadFixture(reported);
    const last = await p.oracle.lastRefSlot();
    for (const refSlot of [last + 1n, report.refSlot - 1n, report.refSlot + 1n, report.refSlot + 32n])
      await expect(submit(p, { ...report, refSlot }))
        .to.be.revertedWithCustomError(p.oracle, "ReferenceOffGrid")
        .withArgs(refSlot, last, FRAME_SLOTS);
  });

  it("a reference in the future", async () => {
    const { p, report } = await loadFixture(reported);
    const refSlot = report.refSlot + FRAME_SLOTS;
    const refTime = BigInt(p.beacon.timeOf(Number(refSlot)));
    const now = BigInt(await time.latest()) + 100n;
    await time.setNextBlockTimestamp(now);
    await expect(submit(p, { ...report, refSlot }))
      .to.be.revertedWithCustomError(p.oracle, "ReferenceInFuture")
      .withArgs(refSlot, refTime, now);
  });

  it("a reference of this very second, but not of the one before", async () => {
    const { p, report } = await loadFixture(reported);
    await submit(p, report);
    const refSlot = report.refSlot + FRAME_SLOTS;
    const refTime = BigInt(p.beacon.timeOf(Number(refSlot)));
    const { version } = await p.oracle.committee();
    const next = { ...report, refSlot, committeeVersion: version, prevReportHash: reportHash(report) };
    await time.setNextBlockTimestamp(refTime);
    await expect(submit(p, next))
      .to.be.revertedWithCustomError(p.oracle, "ReferenceInFuture")
      .withArgs(refSlot, refTime, refTime);
    await time.setNextBlockTimestamp(refTime + 1n);
    await submit(p, next);
    expect(await p.oracle.lastRefSlot()).to.equal(refSlot);
  });

  it("an expired report", async () => {
    const { p, report } = await loadFixture(reported);
    const now = BigInt(await time.latest()) + 100n;
    await time.setNextBlockTimestamp(now);
    await expect(submit(p, { ...report, validUntil: now - 1n }))
      .to.be.revertedWithCustomError(p.oracle, "ReportExpired")
      .withArgs(now - 1n, now);
    await time.setNextBlockTimestamp(now + 1n);
    await submit(p, { ...report, validUntil: now + 1n });
  });

  it("another predecessor", async () => {
    const { p } = await loadFixture(reported);
    const last = await p.oracle.lastReportHash();
    await expectRefused({ prevReportHash: ethers.ZeroHash }, "WrongPreviousReport", (r) => [r.prevReportHash, last]);
  });

  it("another committee's version", async () => {
    await expectRefused({ committeeVersion: 2n }, "WrongCommitteeVersion", () => [2n, 1n]);
    await expectRefused({ committeeVersion: 0n }, "WrongCommitteeVersion", () => [0n, 1n]);
  });

  it("another block root than EIP-4788 has", async () => {
    const { report } = await loadFixture(reported);
    await expectRefused({ blockRoot: ethers.id("other") }, "WrongBlockRoot", (r) => [r.blockRoot, report.blockRoot]);
  });

  it("a tampered field: the signatures are then someone else's", async () => {
    const { p, report, signatures } = await loadFixture(reported);
    const changes: Partial<Report>[] = [
      { clBalanceGwei: gwei(report.clBalanceGwei + 1n) },
      { leavingGwei: gwei(0n), clBalanceGwei: gwei(report.clBalanceGwei + 2n) },
      { withdrawalVaultBalance: wei(1n) },
      { rewardsVaultBalance: wei(1n) },
      { incident: true },
      { validUntil: report.validUntil + 1n },
    ];
    for (const change of changes) {
      const sent = p.oracle.submitReport({ ...report, ...change }, signatures);
      expect(await refusalOf(p.oracle, sent)).to.be.oneOf(["NotMember", "SignaturesNotSorted"]);
    }
  });
});

describe("ReportOracle: the reference block's root", () => {
  it("is found behind missed slots, the reference slot itself included", async () => {
    const { p, report } = await loadFixture(reported);
    await submit(p, report);
    const refSlot = report.refSlot + FRAME_SLOTS;
    await p.beacon.advanceTo(Number(refSlot) - 2);
    await p.beacon.missSlots(5);
    await p.beacon.advanceSlots(1);
    const next = await p.readReport();
    expect(next.refSlot).to.equal(refSlot);
    expect(p.beacon.blockAt(Number(refSlot)).slot).to.equal(Number(refSlot) - 2);
    await expect(submit(p, { ...next, blockRoot: ethers.id("other") })).to.be.revertedWithCustomError(
      p.oracle,
      "WrongBlockRoot",
    );
    await submit(p, next);
  });

  for (const { missed, compared } of [
    { missed: 31, compared: true },
    { missed: 32, compared: false },
  ])
    it(`is ${compared ? "found" : "not looked for"} behind ${missed} missed slots after the reference`, async () => {
      const { p, report } = await loadFixture(reported);
      await submit(p, report);
      const refSlot = report.refSlot + FRAME_SLOTS;
      await p.beacon.advanceTo(Number(refSlot));
      await p.beacon.missSlots(missed);
      await p.beacon.advanceSlots(1);
      expect(p.beacon.head.slot).to.equal(Number(refSlot) + missed + 1);
      const { version } = await p.oracle.committee();
      const blockRoot = ethers.id("other");
      const next = { ...report, refSlot, committeeVersion: version, prevReportHash: reportHash(report), blockRoot };
      if (compared) await expect(submit(p, next)).to.be.revertedWithCustomError(p.oracle, "WrongBlockRoot");
      else await submit(p, next);
      expect(await p.oracle.lastRefSlot()).to.equal(compared ? report.refSlot : refSlot);
    });

  it("is not compared when EIP-4788 keeps it no longer", async () => {
    const { p, report } = await loadFixture(reported);
    const refTime = p.beacon.timeOf(Number(report.refSlot));
    await time.setNextBlockTimestamp(refTime + 8_191 * 12 + 1);
    await submit(p, { ...report, blockRoot: ethers.id("unknown") });
  });

  it("is not compared while no block follows the reference", async () => {
    const { p, report } = await loadFixture(reported);
    await submit(p, report);
    const refSlot = report.refSlot + FRAME_SLOTS;
    const { version } = await p.oracle.committee();
    await time.setNextBlockTimestamp(p.beacon.timeOf(Number(refSlot)) + 5);
    const early = { ...report, refSlot, committeeVersion: version, prevReportHash: reportHash(report) };
    await submit(p, { ...early, blockRoot: ethers.id("not yet") });
  });
});

describe("ReportOracle: signatures", () => {
  it("too few", async () => {
    const { p, report } = await loadFixture(reported);
    for (const count of [4, 1, 0])
      await expect(submit(p, report, count))
        .to.be.revertedWithCustomError(p.oracle, "NotEnoughSignatures")
        .withArgs(BigInt(count), 5n);
  });

  it("unsorted, or one twice", async () => {
    const { p, report } = await loadFixture(reported);
    await expect(p.oracle.submitReport(report, await signBy(p, report, 0, 2, 1, 3, 4)))
      .to.be.revertedWithCustomError(p.oracle, "SignaturesNotSorted")
      .withArgs(member(p, 2), member(p, 1));
    await expect(p.oracle.submitReport(report, await signBy(p, report, 0, 1, 1, 3, 4)))
      .to.be.revertedWithCustomError(p.oracle, "SignaturesNotSorted")
      .withArgs(member(p, 1), member(p, 1));
  });

  it("a stranger's among them", async () => {
    const { p, report, signatures } = await loadFixture(reported);
    const domain = reportDomain(31_337n, await p.oracle.getAddress());
    const stranger = compactSignature(await p.carol.signTypedData(domain, REPORT_TYPES, { ...report }));
    const all = [...(await p.sign(report, 9)), stranger]
      .map((signature) => ({
        signature,
        signer: ethers.verifyTypedData(
          domain,
          REPORT_TYPES,
          { ...report },
          {
            r: signature.r,
            yParityAndS: signature.vs,
          },
        ),
      }))
      .sort((a, b) => (BigInt(a.signer) < BigInt(b.signer) ? -1 : 1));
    await expect(
      p.oracle.submitReport(
        report,
        all.map(({ signature }) => signature),
      ),
    )
      .to.be.revertedWithCustomError(p.oracle, "NotMember")
      .withArgs(p.carol);
    await p.oracle.submitReport(report, signatures);
  });

  it("Security: malleable: the flipped signature is rejected, so is none", async () => {
    const { p, report, signatures } = await loadFixture(reported);
    const { r, vs } = signatures[0] ?? NO_SIGNATURE;
    const parity = BigInt(vs) >> 255n;
    const s = BigInt(vs) - (parity << 255n);
    // the other s of the same signature is above half the order: refused wherever 255 bits hold it, another s otherwise
    const high = ORDER - s;
    const flipped = { r, vs: ethers.toBeHex(((1n - parity) << 255n) | (high & ((1n << 255n) - 1n)), 32) };
    const attempt = expect(p.oracle.submitReport(report, [flipped, ...signatures.slice(1)]));
    if (high < 1n << 255n)
      await attempt.to.be
        .revertedWithCustomError(p.oracle, "ECDSAInvalidSignatureS")
        .withArgs(ethers.toBeHex(high, 32));
    else await attempt.to.be.revert(ethers);
    const highest = { r, vs: ethers.toBeHex((1n << 255n) - 1n, 32) };
    await expect(p.oracle.submitReport(report, [highest, ...signatures.slice(1)]))
      .to.be.revertedWithCustomError(p.oracle, "ECDSAInvalidSignatureS")
      .withArgs(highest.vs);
    // nobody's signature recovers to the zero address, which sorts before all
    await expect(p.oracle.submitReport(report, [NO_SIGNATURE, ...signatures.slice(1)]))
      .to.be.revertedWithCustomError(p.oracle, "SignaturesNotSorted")
      .withArgs(ethers.ZeroAddress, ethers.ZeroAddress);
    await p.oracle.submitReport(report, signatures);
  });

  it("of another chain or another oracle do not count", async () => {
    const { p, report } = await loadFixture(reported);
    const domain = reportDomain(1n, await p.oracle.getAddress());
    const signatures = await Promise.all(
      p.committee.wallets.map(async (wallet) =>
        compactSignature(await wallet.signTypedData(domain, REPORT_TYPES, { ...report })),
      ),
    );
    const sent = p.oracle.submitReport(report, signatures);
    expect(await refusalOf(p.oracle, sent)).to.be.oneOf(["NotMember", "SignaturesNotSorted"]);
  });
});

describe("Committee", () => {
  it("lists its members, ascending, in the code of a contract that does nothing", async () => {
    const { p } = await loadFixture(reported);
    const addresses = p.committee.wallets.map(({ address }) => address);
    expect([...(await p.oracle.members())]).to.deep.equal(addresses);
    for (const address of addresses) expect(await p.oracle.isMember(address)).to.equal(true);
    await p.oracle.connect(p.governor).removeMember(addresses[4] ?? "");
    await p.oracle.connect(p.governor).addMember(p.carol);
    const expected = [...addresses.filter((_, i) => i !== 4), p.carol.address];
    expected.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
    expect([...(await p.oracle.members())]).to.deep.equal(expected);
    const list = await ethers.deployContract("MemberList", [expected]);
    expect(
      ethers.AbiCoder.defaultAbiCoder().decode(["address[]"], await ethers.provider.getCode(list))[0],
    ).to.deep.equal(expected);
    expect(await ethers.provider.call({ to: await list.getAddress(), data: "0x12345678" })).to.equal("0x");
  });

  it("changes by governance only", async () => {
    const { p } = await loadFixture(reported);
    const stranger = p.oracle.connect(p.carol);
    for (const call of [
      () => stranger.addMember(p.carol),
      () => stranger.removeMember(member(p, 0)),
      () => stranger.setQuorum(6),
      () => stranger.approveFall(ethers.ZeroHash, true),
      () => stranger.setBounds(p.bounds),
    ])
      await expect(call()).to.be.revertedWithCustomError(p.oracle, "AccessManagedUnauthorized").withArgs(p.carol);
  });

  it("keeps a quorum of more than half that can be reached", async () => {
    const { p } = await loadFixture(reported);
    const oracle = p.oracle.connect(p.governor);
    for (const quorum of [4n, 10n, 0n])
      await expect(oracle.setQuorum(quorum))
        .to.be.revertedWithCustomError(oracle, "QuorumOutOfRange")
        .withArgs(quorum, 9n);
    await expect(oracle.setQuorum(9)).to.emit(oracle, "QuorumChanged").withArgs(9n);
    await expect(oracle.removeMember(member(p, 0)))
      .to.emit(oracle, "MemberRemoved")
      .withArgs(member(p, 0), 8n, 8n);
    await oracle.setQuorum(5);
    await oracle.addMember(p.carol);
    await expect(oracle.addMember(p.bob)).to.emit(oracle, "MemberAdded").withArgs(p.bob, 10n, 6n);
    expect((await oracle.committee()).version).to.equal(6n);
  });

  it("refuses a member twice, none, more than 64, a stranger's removal and the last one's", async () => {
    const { p } = await loadFixture(reported);
    const oracle = p.oracle.connect(p.governor);
    await expect(oracle.addMember(member(p, 3)))
      .to.be.revertedWithCustomError(oracle, "AlreadyMember")
      .withArgs(member(p, 3));
    await expect(oracle.addMember(ethers.ZeroAddress)).to.be.revertedWithCustomError(oracle, "InvalidMember");
    await expect(oracle.removeMember(p.carol)).to.be.revertedWithCustomError(oracle, "NotMember").withArgs(p.carol);
    for (let i = 9; i < 64; i++) await oracle.addMember(ethers.toBeHex(i, 20));
    await expect(oracle.addMember(p.carol)).to.be.revertedWithCustomError(oracle, "InvalidMember").withArgs(p.carol);
    for (let i = 9; i < 64; i++) await oracle.removeMember(ethers.toBeHex(i, 20));
    for (let i = 1; i < 9; i++) await oracle.removeMember(member(p, i));
    await expect(oracle.removeMember(member(p, 0))).to.be.revertedWithCustomError(oracle, "LastMember");
  });

  it("Security: membership changes mid-report: what was signed for the old set must be signed again", async () => {
    const { p, report, signatures } = await loadFixture(reported);
    const oracle = p.oracle.connect(p.governor);
    await oracle.removeMember(member(p, 0));
    await expect(oracle.submitReport(report, signatures))
      .to.be.revertedWithCustomError(oracle, "WrongCommitteeVersion")
      .withArgs(1n, 2n);
    const again = { ...report, committeeVersion: 2n };
    await expect(oracle.submitReport(again, await p.sign(again)))
      .to.be.revertedWithCustomError(oracle, "NotMember")
      .withArgs(member(p, 0));
    await oracle.submitReport(again, await signBy(p, again, 1, 2, 3, 4, 5));
  });

  it("Security: '== quorum': a report with more signatures than a lowered quorum still passes", async () => {
    const { p, report } = await loadFixture(reported);
    const oracle = p.oracle.connect(p.governor);
    await oracle.setQuorum(8);
    for (const i of [7, 8]) await oracle.removeMember(member(p, i));
    expect((await oracle.committee()).quorum).to.equal(7n);
    await oracle.setQuorum(4);
    const again = { ...report, committeeVersion: (await oracle.committee()).version };
    await oracle.submitReport(again, await signBy(p, again, 0, 1, 2, 3, 4, 5, 6));
  });
});

describe("ReportOracle: equivocation", () => {
  async function two() {
    const { p, report } = await loadFixture(reported);
    return { p, a: report, b: { ...report, incident: true } };
  }

  async function prove(p: Protocol, a: Report, b: Report, i: number, j = i) {
    const [sa = NO_SIGNATURE] = await signBy(p, a, i);
    const [sb = NO_SIGNATURE] = await signBy(p, b, j);
    return p.oracle.connect(p.carol).proveEquivocation(a, sa, b, sb);
  }

  it("removes whoever signed two reports for one slot, by anyone's proof", async () => {
    const { p, a, b } = await loadFixture(two);
    await expect(prove(p, a, b, 2))
      .to.emit(p.oracle, "MemberRemoved")
      .withArgs(member(p, 2), 8n, 5n);
    expect(await p.oracle.isMember(member(p, 2))).to.equal(false);
    await expect(prove(p, a, b, 2))
      .to.be.revertedWithCustomError(p.oracle, "NotMember")
      .withArgs(member(p, 2));
  });

  it("is no proof: one report twice, two signers, two slots, two versions of the committee", async () => {
    const { p, a, b } = await loadFixture(two);
    const later = { ...b, refSlot: b.refSlot + FRAME_SLOTS };
    const newer = { ...b, committeeVersion: 2n };
    const cases: [Report, Report, number, number][] = [
      [a, a, 2, 2],
      [a, b, 2, 3],
      [a, later, 2, 2],
      [a, newer, 2, 2],
    ];
    for (const [x, y, i, j] of cases)
      await expect(prove(p, x, y, i, j))
        .to.be.revertedWithCustomError(p.oracle, "NotEquivocation")
        .withArgs(member(p, i), member(p, j), x.refSlot, y.refSlot);
    expect((await p.oracle.committee()).members).to.equal(9n);
  });

  it("of a stranger removes nobody", async () => {
    const { p, a, b } = await loadFixture(two);
    const domain = reportDomain(31_337n, await p.oracle.getAddress());
    const [sa, sb] = await Promise.all(
      [a, b].map(async (report) => compactSignature(await p.carol.signTypedData(domain, REPORT_TYPES, { ...report }))),
    );
    await expect(p.oracle.proveEquivocation(a, sa ?? NO_SIGNATURE, b, sb ?? NO_SIGNATURE))
      .to.be.revertedWithCustomError(p.oracle, "NotMember")
      .withArgs(p.carol);
  });
});

describe("ReportBounds and escalation", () => {
  /** 31 of 32 validators' worth at the consensus layer, in the books; the committee says what they hold. */
  async function invested() {
    const p = await loadFixture(protocol);
    await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 1_000n * ETH });
    await fundWithoutKeys(p, 32n);
    await p.report({ clBalanceGwei: gwei(1_024n * 10n ** 9n) });
    return p;
  }

  /** A report that lowers T by `bp` hundredths of a basis point, exactly. */
  async function falling(p: Protocol, centiBp: bigint): Promise<Report> {
    const { clLast } = await p.pool.books();
    const loss = ((await p.token.getTotalPooledEther()) * centiBp) / 1_000_000n;
    return p.readReport({ clBalanceGwei: gwei((clLast - loss) / 10n ** 9n) });
  }

  it("measures a fall in basis points, rounded up", async () => {
    const { bounds } = await loadFixture(invested);
    expect(await bounds.fallBp(10_000n, 1n, 10_000n, 1n)).to.equal(0n);
    expect(await bounds.fallBp(10_000n, 1n, 20_000n, 1n)).to.equal(0n);
    expect(await bounds.fallBp(10_000n, 1n, 9_999n, 1n)).to.equal(1n);
    expect(await bounds.fallBp(100_000n, 1n, 99_989n, 1n)).to.equal(2n);
    expect(await bounds.fallBp(10_000n, 1n, 0n, 1n)).to.equal(10_000n);
    expect(await bounds.fallBp(10_000n, 1n, 10_000n, 2n)).to.equal(5_000n);
    const most = 2n ** 128n - 1n;
    expect(await bounds.fallBp(most, 1n, 1n, most)).to.equal(10_000n);
  });

  it("asks for a supermajority above 50 bp and for governance above 300 bp in the window", async () => {
    const { bounds } = await loadFixture(invested);
    expect(await bounds.required(50n, 300n, 5n, 9n)).to.deep.equal([5n, false]);
    expect(await bounds.required(51n, 300n, 5n, 9n)).to.deep.equal([7n, false]);
    expect(await bounds.required(51n, 300n, 8n, 9n)).to.deep.equal([8n, false]);
    expect(await bounds.required(1n, 301n, 5n, 9n)).to.deep.equal([5n, true]);
    expect(await bounds.required(51n, 301n, 2n, 3n)).to.deep.equal([3n, true]);
  });

  it("a small fall passes with the quorum, is remembered for 30 days, and is an incident until the next report", async () => {
    const p = await loadFixture(invested);
    expect(await p.oracle.incident()).to.equal(false);
    const report = await falling(p, 4_000n);
    await expect(submit(p, report))
      .to.emit(p.oracle, "ReportAccepted")
      .withArgs(report.refSlot, reportHash(report), 5n, 40n);
    const executed = BigInt(await time.latest());
    expect(await p.oracle.fallInWindowBp()).to.be.within(40n, 41n);
    expect(await p.oracle.incident()).to.equal(true);
    await submit(p, await falling(p, 0n));
    expect(await p.oracle.incident()).to.equal(false);
    await time.increaseTo(executed + 30n * 86_400n - 1n);
    expect(await p.oracle.fallInWindowBp()).to.be.within(40n, 41n);
    await time.increaseTo(executed + 30n * 86_400n);
    expect(await p.oracle.fallInWindowBp()).to.equal(0n);
  });

  it("more than 50 bp needs seven of nine, and changes nothing without them", async () => {
    const p = await loadFixture(invested);
    const report = await falling(p, 6_000n);
    const before = await p.token.totals();
    await expect(submit(p, report, 6))
      .to.be.revertedWithCustomError(p.oracle, "NotEnoughSignatures")
      .withArgs(6n, 7n);
    expect(await p.token.totals()).to.deep.equal(before);
    await submit(p, report, 7);
  });

  it("Security: a committee that cuts the total is bounded over a window: more than 300 bp in 30 days needs governance", async () => {
    const p = await loadFixture(invested);
    for (let i = 0; i < 2; i++) await submit(p, await falling(p, 14_000n), 9);
    const report = await falling(p, 3_000n);
    await expect(submit(p, report, 9)).to.be.revertedWithCustomError(p.oracle, "FallNeedsGovernance");
    await expect(p.oracle.connect(p.governor).approveFall(reportHash(report), true))
      .to.emit(p.oracle, "FallApproved")
      .withArgs(reportHash(report), true);
    // for this report only
    const other = { ...report, incident: true };
    await expect(submit(p, other, 9)).to.be.revertedWithCustomError(p.oracle, "FallNeedsGovernance");
    await p.oracle.connect(p.governor).approveFall(reportHash(report), false);
    await expect(submit(p, report, 9)).to.be.revertedWithCustomError(p.oracle, "FallNeedsGovernance");
    await p.oracle.connect(p.governor).approveFall(reportHash(report), true);
    await submit(p, report);
    expect(await p.oracle.fallInWindowBp()).to.be.within(310n, 313n);
  });

  it("one fall deeper than 300 bp needs both", async () => {
    const p = await loadFixture(invested);
    const report = await falling(p, 50_000n);
    await p.oracle.connect(p.governor).approveFall(reportHash(report), true);
    await expect(submit(p, report)).to.be.revertedWithCustomError(p.oracle, "NotEnoughSignatures").withArgs(5n, 7n);
    await submit(p, report, 7);
  });

  it("Security: a committee that inflates the total adds at most the capped gain", async () => {
    const p = await loadFixture(invested);
    const before = await p.token.getTotalPooledEther();
    await submit(p, await p.readReport({ clBalanceGwei: gwei(2n ** 64n - 1n) }));
    const { maxAprBp } = await p.pool.policy();
    expect(await p.token.getTotalPooledEther()).to.equal(before + (before * maxAprBp) / (365n * 10_000n));
  });

  it("an incident in the report, or a report overdue, is an incident", async () => {
    const p = await loadFixture(invested);
    const report = await p.readReport({ incident: true, clBalanceGwei: gwei(1_024n * 10n ** 9n) });
    await submit(p, report);
    expect(await p.oracle.incident()).to.equal(true);
    const calm = await p.readReport({ clBalanceGwei: gwei(1_024n * 10n ** 9n) });
    await submit(p, calm);
    expect(await p.oracle.incident()).to.equal(false);
    const openUntil = await p.oracle.openUntil(calm.refSlot);
    await time.increaseTo(openUntil);
    expect(await p.oracle.incident()).to.equal(false);
    await time.increaseTo(openUntil + 1n);
    expect(await p.oracle.incident()).to.equal(true);
  });

  it("bounds are replaced by governance, and only by a contract", async () => {
    const p = await loadFixture(invested);
    const oracle = p.oracle.connect(p.governor);
    await expect(oracle.setBounds(p.carol)).to.be.revertedWithCustomError(oracle, "ZeroAddress");
    const bounds = await ethers.deployContract("ReportBounds");
    await expect(oracle.setBounds(bounds)).to.emit(oracle, "BoundsChanged").withArgs(bounds);
  });
});

describe("ReportOracle: its grid", () => {
  it("refuses frames that are no whole epochs, and a first reference that ends none", async () => {
    const { p } = await loadFixture(reported);
    const factory = await ethers.getContractFactory("ReportOracle");
    const grid = { genesisTime: 0n, firstRefSlot: 31n, slotsPerFrame: 32n, finalisationMargin: 0n, grace: 0n };
    for (const change of [{ slotsPerFrame: 0n }, { slotsPerFrame: 33n }, { firstRefSlot: 32n }]) {
      const wrong = { ...grid, ...change };
      await expect(factory.deploy(p.authority, p.token, p.bounds, wrong, [p.alice.address], 1n, ethers.ZeroAddress))
        .to.be.revertedWithCustomError(factory, "InvalidFrame")
        .withArgs(wrong.slotsPerFrame, wrong.firstRefSlot);
    }
    await expect(factory.deploy(p.authority, p.token, p.bounds, grid, [p.alice.address], 2n, ethers.ZeroAddress))
      .to.be.revertedWithCustomError(factory, "QuorumOutOfRange")
      .withArgs(2n, 1n);
  });

  it("cuts rounds off a margin before the reference", async () => {
    const { p, report } = await loadFixture(reported);
    await request(p, p.alice, ETH);
    await submit(p, report);
    const refTime = BigInt(p.beacon.timeOf(Number(report.refSlot)));
    expect((await p.pool.books()).lastCutoff).to.equal(refTime - 3_600n);
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
  });
});
