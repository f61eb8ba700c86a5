import { ssz } from "@lodestar/types";
import { expect } from "chai";
import { Interface, concat, getBytes, hexlify, randomBytes, sha256, zeroPadBytes } from "ethers";
import { pubkeyRoot } from "../../../devnet/keys.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { somePubkey } from "./beaconStates.ts";

const ETH = 10n ** 18n;
const CREDENTIALS = `0x01${"00".repeat(11)}${"be".repeat(20)}`;
const DEPOSIT = new Interface(["function deposit(bytes,bytes,bytes,bytes32) payable"]);

async function libraries() {
  return { libs: await ethers.deployContract("ValidatorLibraries") };
}

describe("SSZ", () => {
  it("hashes a public key as the specification does", async () => {
    const { libs } = await loadFixture(libraries);
    for (let i = 0; i < 5; i++) {
      const pubkey = hexlify(randomBytes(48));
      expect(await libs.pubkeyRoot(pubkey)).to.equal(hexlify(ssz.BLSPubkey.hashTreeRoot(getBytes(pubkey))));
      expect(await libs.pubkeyRoot(pubkey)).to.equal(sha256(zeroPadBytes(pubkey, 64)));
    }
  });

  it("refuses a public key of any other length", async () => {
    const { libs } = await loadFixture(libraries);
    for (const length of [0, 32, 47, 49, 64, 96]) {
      await expect(libs.pubkeyRoot(`0x${"11".repeat(length)}`))
        .to.be.revertedWithCustomError(libs, "BadPubkeyLength")
        .withArgs(length);
    }
  });

  it("merkleizes eight leaves", async () => {
    const { libs } = await loadFixture(libraries);
    const leaves = Array.from({ length: 8 }, () => hexlify(randomBytes(32)));
    let level = leaves;
    while (level.length > 1) {
      level = level.flatMap((left, i) => (i % 2 === 0 ? [sha256(concat([left, level[i + 1] ?? ""]))] : []));
    }
    expect(await libs.merkleize(leaves)).to.equal(level[0]);
  });
});

describe("DepositData", () => {
  it("computes the root of a top-up as the specification does", async () => {
    const { libs } = await loadFixture(libraries);
    for (let i = 0; i < 5; i++) {
      const pubkey = somePubkey(i);
      const root = ssz.phase0.DepositData.hashTreeRoot({
        pubkey: getBytes(pubkey),
        withdrawalCredentials: getBytes(CREDENTIALS),
        amount: 31_000_000_000,
        signature: new Uint8Array(96),
      });
      expect(await libs.topUpRoot(pubkeyRoot(pubkey), CREDENTIALS)).to.equal(hexlify(root));
    }
  });

  it("writes one key after another into the same call data", async () => {
    const { libs } = await loadFixture(libraries);
    const pubkeys = [hexlify(randomBytes(48)), hexlify(randomBytes(48))] as [string, string];
    const signatures = [hexlify(randomBytes(96)), hexlify(randomBytes(96))] as [string, string];
    const roots = [hexlify(randomBytes(32)), hexlify(randomBytes(32))] as [string, string];
    const data = await libs.depositCall(CREDENTIALS, pubkeys, signatures, roots);
    expect(data).to.equal(DEPOSIT.encodeFunctionData("deposit", [pubkeys[1], CREDENTIALS, signatures[1], roots[1]]));
  });

  it("refuses a signature of any other length", async () => {
    const { libs } = await loadFixture(libraries);
    const pubkeys: [string, string] = [somePubkey(0), somePubkey(1)];
    for (const length of [0, 95, 97, 128]) {
      const signatures: [string, string] = [`0x${"22".repeat(96)}`, `0x${"22".repeat(length)}`];
      await expect(libs.depositCall(CREDENTIALS, pubkeys, signatures, [CREDENTIALS, CREDENTIALS]))
        .to.be.revertedWithCustomError(libs, "BadSignatureLength")
        .withArgs(length);
    }
  });
});

describe("BondCurve", () => {
  it("requires the first bond, then the next one for each further validator", async () => {
    const { libs } = await loadFixture(libraries);
    for (const [count, required] of [
      [0n, 0n],
      [1n, 4n * ETH],
      [2n, 6n * ETH],
      [10n, 22n * ETH],
    ] as const) {
      expect((await libs.requiredBond(4n * ETH, 2n * ETH, count)).required).to.equal(required);
    }
  });

  it("passes at 98%, rounded up", async () => {
    const { libs } = await loadFixture(libraries);
    for (const [first, mark] of [
      [0n, 0n],
      [1n, 1n],
      [50n, 49n],
      [51n, 50n],
      [ETH, 98n * 10n ** 16n],
    ] as const) {
      expect((await libs.requiredBond(first, 0n, 1n)).passMark).to.equal(mark);
    }
  });
});
