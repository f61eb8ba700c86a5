import { expect } from "chai";
import { ssz } from "@lodestar/types";
import { getBytes, hexlify } from "ethers";
import { hashState } from "../../../offchain/beacon/stateProofs.ts";
import { StateStream, readStateBytes } from "../../../offchain/beacon/stateReader.ts";
import { HEADER_DEPTH, proveBalance, proveBlockRoot, proveValidator } from "../../../offchain/beacon/proofs.ts";
import type { ForkName, Header } from "../../../offchain/beacon/proofs.ts";
import { contractBalanceProof, contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { makeState } from "../../../scripts/lib/bench/state.ts";

const CREDENTIALS = `0x01${"00".repeat(11)}${"be".repeat(20)}`;

function pubkey(index: number): Hex {
  return `0x${(index + 1).toString(16).padStart(96, "a")}`;
}

async function pause(): Promise<void> {
  return Promise.resolve();
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "it did not fail",
    (error: unknown) => (error as Error).message,
  );
}

function headerOf(view: ReturnType<typeof smallState>): Header {
  return {
    slot: 3_231n,
    proposerIndex: 1n,
    parentRoot: `0x${"01".repeat(32)}`,
    stateRoot: hexlify(view.hashTreeRoot()) as Hex,
    bodyRoot: `0x${"02".repeat(32)}`,
  };
}

/** Nine validators unless told: 3 exited, 5 not active yet, 7 slashed; deposits of 2 (two), 8 and a stranger. */
function smallState(fork: ForkName, validators = 9) {
  const view = ssz[fork].BeaconState.defaultViewDU();
  view.slot = 32 * 100 + 31;
  view.genesisValidatorsRoot = new Uint8Array(32).fill(9);
  for (let i = 0; i < validators; i++) {
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
    it(`is read without being deserialized: ${fork}`, async () => {
      const view = smallState(fork);
      const keys = [pubkey(7), pubkey(3), pubkey(2), pubkey(50)];
      const contents = await readStateBytes(view.serialize(), fork, keys, pause);
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

    it(`gives the proofs that its whole tree gives: ${fork}`, async () => {
      // in Gloas up to the fourth subtree of validators and the third of balances
      const view = smallState(fork, 23);
      view.blockRoots.set(3_000, getBytes(`0x${"03".repeat(32)}`));
      view.historicalRoots.push(new Uint8Array(32).fill(8));
      const header = headerOf(view);
      const source = { fork, header, state: view.node };
      const state = await hashState(view.serialize(), fork, header, pause);
      for (const index of [0, 3, 8, 20, 21, 22]) {
        const expected = contractValidatorProof({ ...proveValidator(source, index), timestamp: 77n, header });
        expect(state.validator(index, 77n)).to.deep.equal(expected);
        expect(state.balance(index)).to.deep.equal(contractBalanceProof(proveBalance(source, index)));
      }
      expect(state.blockRoot(3_000)).to.deep.equal(proveBlockRoot(source, 3_000).nodes.slice(0, -HEADER_DEPTH));
      expect(() => state.validator(23, 77n)).to.throw("no validator with index 23 in the state of slot 3231");
      expect(() => state.balance(23)).to.throw("no validator with index 23");
      expect(() => state.blockRoot(3_231)).to.throw("block_roots of slot 3231 does not hold slot 3231");
      const other = { ...header, stateRoot: header.parentRoot };
      expect(await failure(hashState(view.serialize(), fork, other, pause))).to.include(
        "another state than that of slot 3231",
      );
    });

    it(`has the root that its whole tree has, with nobody in it: ${fork}`, async () => {
      const view = smallState(fork, 0);
      const state = await hashState(view.serialize(), fork, headerOf(view), pause);
      expect(() => state.validator(0, 1n)).to.throw("no validator with index 0");
    });
  }

  it("is hashed a piece at a time, and no further once it is to end", async () => {
    const { bytes } = makeState(100_000, 1);
    let pauses = 0;
    const stop = async (): Promise<void> => {
      pauses += 1;
      return pauses === 20 ? Promise.reject(new Error("enough")) : Promise.resolve();
    };
    const header = headerOf(smallState("electra"));
    expect(await failure(hashState(bytes, "electra", header, stop))).to.equal("enough");
    expect(pauses).to.equal(20);
  });

  it("is the same in pieces of any size", async () => {
    const { bytes, pubkeys } = makeState(997, 40);
    const whole = await readStateBytes(bytes, "electra", pubkeys, pause);
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

  it("is refused cut off, too long, of another fork, or with fewer balances than validators", async () => {
    const { bytes, pubkeys } = makeState(10, 2);
    const fails = async (...[part, fork, keys]: [Uint8Array, ForkName, readonly Hex[]]): Promise<string> =>
      failure(readStateBytes(part, fork, keys, pause));
    expect(await fails(bytes.subarray(0, 1_000), "electra", pubkeys)).to.include("1000 bytes are not a beacon state");
    expect(await fails(bytes, "fulu", pubkeys)).to.include("are not a beacon state of fulu");
    const short = new StateStream("electra", bytes.length, pubkeys);
    short.write(bytes.subarray(0, -1));
    expect(() => short.end()).to.throw("are not a beacon state of electra");
    const view = smallState("electra");
    view.balances.push(1);
    expect(await fails(view.serialize(), "electra", [])).to.include("validators and balances differ in number");
    expect(await fails(bytes, "electra", ["0x1234"])).to.include("not a public key of 48 bytes");
  });
});
