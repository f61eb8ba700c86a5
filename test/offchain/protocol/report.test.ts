import { expect } from "chai";
import { AbiCoder, Wallet, concat, id, keccak256, recoverAddress } from "ethers";
import { REPORT_TYPES, reportDigest, reportDomain, reportHash } from "../../../offchain/protocol/report.ts";
import type { Report } from "../../../offchain/protocol/report.ts";
import { gwei, wei } from "../../../offchain/protocol/units.ts";

const ORACLE = "0x00000000000000000000000000000000000000a1";
const report: Report = {
  refSlot: 39_199n,
  blockRoot: `0x${"11".repeat(32)}`,
  clBalanceGwei: gwei(64_000_000_001n),
  leavingGwei: gwei(32_000_000_003n),
  withdrawalVaultBalance: wei(5n),
  rewardsVaultBalance: wei(2n ** 128n - 1n),
  incident: true,
  prevReportHash: `0x${"22".repeat(32)}`,
  committeeVersion: 3n,
  validUntil: 1_800_000_000n,
};

describe("the report's hash", () => {
  const coder = AbiCoder.defaultAbiCoder();
  const typeHash = id(
    "Report(uint64 refSlot,bytes32 blockRoot,uint64 clBalanceGwei,uint64 leavingGwei,uint128 withdrawalVaultBalance,uint128 rewardsVaultBalance,bool incident,bytes32 prevReportHash,uint32 committeeVersion,uint64 validUntil)",
  );
  const structHash = keccak256(
    coder.encode(
      ["bytes32", "uint64", "bytes32", "uint64", "uint64", "uint128", "uint128", "bool", "bytes32", "uint32", "uint64"],
      [typeHash, ...Object.values(report)],
    ),
  );

  it("is EIP-712's hashStruct", () => {
    expect(reportHash(report)).to.equal(structHash);
  });

  it("is signed with the chain and the oracle in the domain", () => {
    const domain = keccak256(
      coder.encode(
        ["bytes32", "bytes32", "bytes32", "uint256", "address"],
        [
          id("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
          id("Estuary ReportOracle"),
          id("1"),
          31_337n,
          ORACLE,
        ],
      ),
    );
    const digest = keccak256(concat(["0x1901", domain, structHash]));
    expect(reportDigest(report, 31_337n, ORACLE)).to.equal(digest);
    expect(reportDigest(report, 1n, ORACLE)).not.to.equal(digest);
    expect(reportDigest(report, 31_337n, `0x${"00".repeat(20)}`)).not.to.equal(digest);
  });

  it("differs when any field does", () => {
    const changes: Partial<Report>[] = [
      { refSlot: 39_200n },
      { blockRoot: `0x${"33".repeat(32)}` },
      { clBalanceGwei: gwei(64_000_000_000n) },
      { leavingGwei: gwei(0n) },
      { withdrawalVaultBalance: wei(6n) },
      { rewardsVaultBalance: wei(0n) },
      { incident: false },
      { prevReportHash: `0x${"33".repeat(32)}` },
      { committeeVersion: 4n },
      { validUntil: 1_800_000_001n },
    ];
    const hashes = new Set([report, ...changes.map((change) => ({ ...report, ...change }))].map(reportHash));
    expect(hashes.size).to.equal(1 + Object.keys(report).length);
  });

  it("is what a wallet signs", async () => {
    const wallet = new Wallet(`0x${"42".repeat(32)}`);
    const signature = await wallet.signTypedData(reportDomain(31_337n, ORACLE), REPORT_TYPES, report);
    expect(recoverAddress(reportDigest(report, 31_337n, ORACLE), signature)).to.equal(wallet.address);
  });

  it("refuses numbers out of range", () => {
    expect(() => reportHash({ ...report, clBalanceGwei: gwei(2n ** 64n) })).to.throw("out-of-bounds");
    expect(() => reportHash({ ...report, leavingGwei: gwei(2n ** 64n) })).to.throw("out-of-bounds");
    expect(() => reportHash({ ...report, refSlot: -1n })).to.throw("out-of-bounds");
  });
});
