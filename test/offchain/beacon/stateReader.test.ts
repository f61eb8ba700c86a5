import { expect } from "chai";
import { ssz } from "@lodestar/types";
import { getBytes, hexlify } from "ethers";
import { proveInBytes } from "../../../offchain/beacon/stateProofs.ts";
import { StateStream, readStateBytes } from "../../../offchain/beacon/stateReader.ts";
import { proveBalance, proveValidator } from "../../../offchain/beacon/proofs.ts";
import type { ForkName } from "../../../offchain/beacon/proofs.ts";
import { contractBalanceProof, contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { makeState } from "../../../scripts/lib/bench/state.ts";

const CREDENTIALS = `0x01${"00".repeat(11)}${"be".repeat(20)}`;

function pubkey(index: number): Hex {
  return `0x${(index + 1).toString(16).padStart(96, "a")}`;
}

/** Nine validators: 3 exited, 5 not active yet, 7 slashed; deposits of 2 (two), 8 and a stranger. */
function smallState(fork: ForkName) {
  const view = ssz[fork].BeaconState.defaultViewDU();
  view.slot = 32 * 100 + 31;
  view.genesisValidatorsRoot = new Uint8Array(32).fill(9);
  for (let i = 0; i < 9; i++) {
    view.validators.push(
      ssz.phase0.Validator.toViewDU({
        pubkey: getBytes(pubkey(i)),
        withdrawalCredentials: getBytes(CREDENTIALS),
        effectiveBalance: 32_000_000_000 + i,
        slashed: i === 7,
        activationEligibilityEpoch: 1,
        activationEpoch: i === 5 ? 101 : 2,
        exitEpoch: i === 3 ? 100 : Infinity,
        withdrawableEpoch: i === 3 ? 356 : Infinity,
      }),
    );
    view.balances.push(31_000_000_000 + i);
  }
  for (const [index, amount] of [
    [2, 5],
    [100, 1],
    [8, 7],
    [2, 6],
  ] as const)
    view.pendingDeposits.push(
      ssz.electra.PendingDeposit.toViewDU({
        pubkey: getBytes(pubkey(index)),
        withdrawalCredentials: getBytes(CREDENTIALS),
        amount,
        signature: new Uint8Array(96),
        slot: 0,
      }),
    );
  view.slashings.set(3, 11);
  view.slashings.set(8_000, 2 ** 40);
  view.finalizedCheckpoint.epoch = 98;
  view.latestBlockHeader.slot = 3_200;
  view.latestBlockHeader.bodyRoot = new Uint8Array(32).fill(4);
  view.commit();
  return view;
}

describe("a serialized state", () => {
  for (const fork of ["electra", "fulu", "gloas"] as const) {
    it(`is read without being deserialized: ${fork}`, () => {
      const view = smallState(fork);
      const contents = readStateBytes(view.serialize(), fork, [pubkey(7), pubkey(3), pubkey(2), pubkey(50)]);
      expect(contents).to.deep.include({
        fork,
        slot: 3_231,
        genesisValidatorsRoot: `0x${"09".repeat(32)}`,
        finalizedEpoch: 98,
        validatorCount: 9,
        // all but 3, which exits with this epoch, and 5, which starts after it
        totalActiveBalanceGwei: 7n * 32_000_000_000n + 28n,
        slashingsGwei: 11n + 2n ** 40n,
        pendingDepositsGwei: [[pubkey(2), 11n]],
      });
      expect(contents.latestBlock).to.deep.include({ slot: 3_200, bodyRoot: `0x${"04".repeat(32)}` });
      expect(contents.validators.map(({ index }) => index)).to.deep.equal([2, 3, 7]);
      expect(contents.validators[1]).to.deep.equal({
        pubkey: pubkey(3),
        index: 3,
        withdrawalCredentials: CREDENTIALS,
        balanceGwei: 31_000_000_003n,
        effectiveBalanceGwei: 32_000_000_003n,
        slashed: false,
        activationEligibilityEpoch: 1n,
        activationEpoch: 2n,
        exitEpoch: 100n,
        withdrawableEpoch: 356n,
      });
      expect(contents.validators[2]?.slashed).to.equal(true);
      expect(contents.validators[2]?.exitEpoch).to.equal(2n ** 64n - 1n);
    });

    it(`gives the proofs that its whole tree gives: ${fork}`, () => {
      const view = smallState(fork);
      const header = {
        slot: 3_231n,
        proposerIndex: 1n,
        parentRoot: `0x${"01".repeat(32)}`,
        stateRoot: hexlify(view.hashTreeRoot()) as Hex,
        bodyRoot: `0x${"02".repeat(32)}`,
      } as const;
      const source = { fork, header, state: view.node };
      const proofs = proveInBytes(view.serialize(), fork, header, 77n, [8, 0, 3]);
      for (const [i, index] of [8, 0, 3].entries()) {
        const expected = contractValidatorProof({ ...proveValidator(source, index), timestamp: 77n, header });
        expect(proofs.validators[i]).to.deep.equal(expected);
        expect(proofs.balances[i]).to.deep.equal(contractBalanceProof(proveBalance(source, index)));
      }
      const other = { ...header, stateRoot: header.parentRoot };
      expect(() => proveInBytes(view.serialize(), fork, other, 77n, [0])).to.throw(
        "another state than that of slot 3231",
      );
      expect(() => proveInBytes(view.serialize(), fork, header, 77n, [9])).to.throw("no validator with index 9");
    });
  }

  it("is the same in pieces of any size", () => {
    const { bytes, pubkeys } = makeState(997, 40);
    const whole = readStateBytes(bytes, "electra", pubkeys);
    expect(whole.validators.map(({ pubkey: key }) => key)).to.deep.equal(pubkeys);
    expect(whole.validators.every(({ balanceGwei }) => balanceGwei === 32_000_012_345n)).to.equal(true);
    expect(whole.totalActiveBalanceGwei).to.equal(997n * 32_000_000_000n);
    for (const size of [1_000, 4_093, 65_536, 2_736_713, bytes.length]) {
      const stream = new StateStream("electra", bytes.length, pubkeys);
      for (let from = 0; from < bytes.length; from += size) stream.write(bytes.subarray(from, from + size));
      expect(stream.end()).to.deep.equal(whole);
    }
    // byte by byte where records are
    const stream = new StateStream("electra", bytes.length, pubkeys);
    stream.write(bytes.subarray(0, 2_736_700));
    for (let from = 2_736_700; from < 2_760_000; from++) stream.write(bytes.subarray(from, from + 1));
    stream.write(bytes.subarray(2_760_000));
    expect(stream.end()).to.deep.equal(whole);
  });

  it("is refused cut off, too long, of another fork, or with fewer balances than validators", () => {
    const { bytes, pubkeys } = makeState(10, 2);
    expect(() => readStateBytes(bytes.subarray(0, 1_000), "electra", pubkeys)).to.throw(
      "1000 bytes are not a beacon state",
    );
    expect(() => readStateBytes(bytes, "fulu", pubkeys)).to.throw("are not a beacon state of fulu");
    const short = new StateStream("electra", bytes.length, pubkeys);
    short.write(bytes.subarray(0, -1));
    expect(() => short.end()).to.throw("are not a beacon state of electra");
    const view = smallState("electra");
    view.balances.push(1);
    expect(() => readStateBytes(view.serialize(), "electra", [])).to.throw("validators and balances differ in number");
    expect(() => readStateBytes(bytes, "electra", ["0x1234"])).to.throw("not a public key of 48 bytes");
  });
});
