import { expect } from "chai";
import { ssz } from "@lodestar/types";
import { getBytes, hexlify, toBeHex } from "ethers";
import type { SimulatedBeacon } from "../../../../devnet/simulated/beacon.ts";
import { deriveValidatorKeys, strangerPubkey, topUpDeposit } from "../../../../devnet/keys.ts";
import {
  LAYOUTS,
  concatGindices,
  headerRoot,
  itemIndex,
  proveBalance,
  proveBlockRoot,
  proveHistoricalBlockRoot,
  proveValidator,
} from "../../../../offchain/beacon/proofs.ts";
import type { ForkName, ProvenValidator } from "../../../../offchain/beacon/proofs.ts";
import {
  CREDENTIALS,
  ETH_GWEI,
  beaconRoot,
  branchRoot,
  deposit,
  fundValidator,
  isActive,
  startDevnet,
} from "./harness.ts";
import type { Devnet } from "./harness.ts";

const KEYS = deriveValidatorKeys(3);
const [KEY] = KEYS as [(typeof KEYS)[number]];
const FORKS = ["electra", "fulu"] as const;

/** The root of the validator container from its fields, as a contract computes it. */
function validatorRoot(validator: ProvenValidator): string {
  const epoch = (value: bigint): number => (value === 2n ** 64n - 1n ? Infinity : Number(value));
  return hexlify(
    ssz.phase0.Validator.hashTreeRoot({
      pubkey: getBytes(validator.pubkey),
      withdrawalCredentials: getBytes(validator.withdrawalCredentials),
      effectiveBalance: Number(validator.effectiveBalanceGwei),
      slashed: validator.slashed,
      activationEligibilityEpoch: epoch(validator.activationEligibilityEpoch),
      activationEpoch: epoch(validator.activationEpoch),
      exitEpoch: epoch(validator.exitEpoch),
      withdrawableEpoch: epoch(validator.withdrawableEpoch),
    }),
  );
}

function balanceIn(leaf: string, index: bigint): bigint {
  const word = leaf.slice(2 + Number(index % 4n) * 16, 18 + Number(index % 4n) * 16);
  return BigInt(`0x${(word.match(/../g) ?? []).reverse().join("")}`);
}

async function activeDevnet(fork: "electra" | "fulu"): Promise<Devnet> {
  const net = await startDevnet({ fork });
  for (const key of KEYS) await fundValidator(net, key);
  await isActive(net, KEY);
  await net.beacon.advanceSlots(2);
  return net;
}

/** The state as the tree holds it, read back through SSZ, must say what the plain numbers say. */
function expectSameState(beacon: SimulatedBeacon): void {
  const { fork, node, state, header } = beacon.head;
  const type = ssz[fork].BeaconState as typeof ssz.electra.BeaconState;
  const value = type.tree_toValue(node);
  expect(value.slot).to.equal(state.slot);
  expect(value.balances).to.deep.equal(state.balancesGwei);
  expect(value.validators.map(({ effectiveBalance }) => effectiveBalance)).to.deep.equal(
    state.validators.map(({ effectiveBalanceGwei }) => effectiveBalanceGwei),
  );
  expect(value.validators.map(({ exitEpoch }) => exitEpoch)).to.deep.equal(
    state.validators.map(({ exitEpoch }) => exitEpoch),
  );
  expect(value.validators.map(({ pubkey }) => hexlify(pubkey))).to.deep.equal(
    state.validators.map(({ pubkey }) => pubkey),
  );
  expect(value.inactivityScores).to.deep.equal(state.inactivityScores);
  expect(value.pendingDeposits.map(({ amount }) => amount)).to.deep.equal(
    state.pendingDeposits.map(({ amountGwei }) => amountGwei),
  );
  expect(new Map(value.slashings.flatMap((gwei, position) => (gwei > 0 ? [[position, gwei]] : [])))).to.deep.equal(
    state.slashings,
  );
  expect(value.finalizedCheckpoint.epoch).to.equal(state.finalizedEpoch);
  expect(value.earliestExitEpoch).to.equal(state.earliestExitEpoch);
  expect(value.nextWithdrawalIndex).to.equal(state.nextWithdrawalIndex);
  expect(value.latestBlockHeader.slot).to.equal(state.slot);
  expect(hexlify(value.latestBlockHeader.stateRoot), "filled in by the next slot").to.equal(toBeHex(0, 32));
  expect(hexlify(value.latestExecutionPayloadHeader.blockHash)).to.equal(beacon.head.execution.hash);
  // From scratch, not from the incremental tree:
  expect(hexlify(type.hashTreeRoot(value))).to.equal(header.stateRoot);
}

function expectLayoutOf(fork: ForkName): void {
  const at = (path: (string | number)[]): bigint => ssz[fork].BeaconState.getPathInfo(path).gindex;
  for (const index of [0, 1, 4, 5, 20, 21, 84, 85, 1_000_000, 2 ** 40 - 1]) {
    expect(itemIndex(fork, "validators", index)).to.equal(at(["validators", index]));
    if (index < 2 ** 38) expect(itemIndex(fork, "balances", index)).to.equal(at(["balances", 4 * index + 3]));
  }
  for (const slot of [0, 4_095, 8_191])
    expect(LAYOUTS[fork].blockRoots + BigInt(slot)).to.equal(at(["blockRoots", slot]));
  for (const summary of [0, 3, 2 ** 24 - 1])
    expect((LAYOUTS[fork].historicalSummaries + BigInt(summary)) * 2n).to.equal(
      at(["historicalSummaries", summary, "blockSummaryRoot"]),
    );
}

describe("the layout of Gloas", () => {
  it("has the generalised indices of the SSZ types", () => expectLayoutOf("gloas"));
});

describe("devnet proofs", () => {
  for (const fork of FORKS) {
    describe(fork, () => {
      let net: Devnet;
      let beacon: SimulatedBeacon;
      before(async () => {
        net = await activeDevnet(fork);
        ({ beacon } = net);
      });

      it("uses the generalised indices of the SSZ types", () => {
        const header = ssz.phase0.BeaconBlockHeader.getPathInfo(["stateRoot"]).gindex;
        const fromRoot = (path: (string | number)[]): bigint =>
          concatGindices(header, ssz[fork].BeaconState.getPathInfo(path).gindex);
        expect(header).to.equal(11n);
        expect(fromRoot(["validators", 0])).to.equal(1572301627719680n);
        expect(fromRoot(["validators", 77])).to.equal(1572301627719680n + 77n);
        expect(fromRoot(["balances", 0])).to.equal(393625162743808n);
        expect(fromRoot(["balances", 77])).to.equal(393625162743808n + 19n);
        expectLayoutOf(fork);
      });

      it("keeps an SSZ state that is equal to the plain one, with a root that is right from scratch", async () => {
        expect(beacon.head.fork).to.equal(fork);
        expectSameState(beacon);
      }).timeout(60_000);

      it("links headers: the parent's root, and the root that EIP-4788 returns", async () => {
        const { head } = beacon;
        const parent = beacon.blockAt(head.slot - 1);
        expect(head.header.parentRoot).to.equal(parent.root);
        expect(headerRoot(parent.header)).to.equal(parent.root);
        expect(await beaconRoot(net, beacon.proofTimestamp(parent.slot))).to.equal(parent.root);
      });

      it("proves a validator with 50 nodes against the root in EIP-4788", async () => {
        for (const key of KEYS) {
          const proof = beacon.proveValidator(key.pubkey);
          const root = await beaconRoot(net, proof.timestamp);
          expect(proof.nodes.length).to.equal(50);
          expect(proof.gindex).to.equal(1572301627719680n + proof.validatorIndex);
          expect(proof.leaf).to.equal(validatorRoot(proof.validator));
          expect(branchRoot(proof)).to.equal(root);
          expect(headerRoot(proof.header)).to.equal(root);
          expect(proof.validator).to.include({
            pubkey: key.pubkey,
            withdrawalCredentials: CREDENTIALS,
            effectiveBalanceGwei: 32_000_000_000n,
            slashed: false,
            exitEpoch: 2n ** 64n - 1n,
          });
        }
      });

      it("fails for a changed leaf, node, index or length", () => {
        const proof = beacon.proveValidator(KEY.pubkey);
        const root = headerRoot(proof.header);
        const other = beacon.proveValidator(strangerPubkey(5));
        expect(branchRoot(proof, other.leaf)).to.not.equal(root);
        expect(branchRoot({ ...proof, gindex: other.gindex })).to.not.equal(root);
        expect(branchRoot({ ...proof, nodes: [other.leaf, ...proof.nodes.slice(1)] })).to.not.equal(root);
        expect(() => branchRoot({ ...proof, nodes: proof.nodes.slice(1) })).to.throw("does not fit");
      });

      it("proves a balance with 48 nodes", async () => {
        for (const pubkey of [...KEYS.map((key) => key.pubkey), strangerPubkey(0), strangerPubkey(63)]) {
          const proof = beacon.proveBalance(pubkey);
          expect(proof.nodes.length).to.equal(48);
          expect(proof.gindex).to.equal(393625162743808n + proof.validatorIndex / 4n);
          expect(branchRoot(proof)).to.equal(await beaconRoot(net, proof.timestamp));
          expect(balanceIn(proof.leaf, proof.validatorIndex)).to.equal(proof.balanceGwei);
          expect(proof.balanceGwei).to.equal(beacon.stateAt(Number(proof.header.slot)).balanceGwei(pubkey));
        }
      });

      it("refuses a key that is not in the registry, and an index beyond it", () => {
        const source = { fork: beacon.head.fork, header: beacon.head.header, state: beacon.head.node };
        expect(() => beacon.proveValidator(KEY.pubkey, 0)).to.throw("is not in the registry at slot 0");
        expect(() => proveValidator(source, 67)).to.throw("no validator with index 67");
        expect(() => proveBalance(source, 67)).to.throw("no balance with index 67");
      });
    });
  }

  it("hops to an older block through block_roots, up to 8192 slots back", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceSlots(5);
    await beacon.advanceTo(5 + 8192);
    await beacon.advanceSlots(1);
    const proof = beacon.proveBlockRoot(5);
    expect(proof.header.slot).to.equal(8197n);
    expect(proof.nodes.length).to.equal(22);
    expect(proof.gindex).to.equal(5808128n + 5n);
    expect(proof.leaf).to.equal(beacon.blockAt(5).root);
    expect(branchRoot(proof)).to.equal(await beaconRoot(net, proof.timestamp));
    expect(beacon.proveBlockRoot(4_000).leaf, "an empty slot repeats the last root").to.equal(beacon.blockAt(5).root);
    const block = beacon.blockAt(8197);
    const source = { fork: block.fork, header: block.header, state: block.node };
    expect(() => proveBlockRoot(source, 4)).to.throw("block_roots of slot 8197 does not hold slot 4");
    expect(() => proveBlockRoot(source, 8197)).to.throw("does not hold slot 8197");
  });

  it("keeps the oldest roots of block_roots until their positions come round", async () => {
    const { beacon } = await startDevnet();
    await beacon.advanceSlots(12);
    await beacon.advanceTo(8192 + 10);
    await beacon.advanceSlots(1);
    for (const slot of [10, 11, 12]) expect(beacon.proveBlockRoot(slot).leaf).to.equal(beacon.blockAt(slot).root);
  });

  it("hops to any older block through historical_summaries", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceSlots(3);
    await beacon.advanceTo(9_000);
    await beacon.advanceTo(3 * 8192);
    await beacon.advanceSlots(1);
    const { historicalSummaries } = ssz.electra.BeaconState.getViewDU(beacon.head.node);
    expect(historicalSummaries.length).to.equal(3);
    for (const [slot, root] of [
      [2, beacon.blockAt(2).root],
      [8191, beacon.blockAt(3).root],
      [8999, beacon.blockAt(3).root],
      [9000, beacon.blockAt(9000).root],
    ] as const) {
      const proof = beacon.proveBlockRoot(slot);
      const viaSummary = slot + 8192 < beacon.provenSlot;
      expect(proof.nodes.length, `slot ${slot}`).to.equal(viaSummary ? 48 : 22);
      expect(proof.leaf).to.equal(root);
      expect(branchRoot(proof)).to.equal(await beaconRoot(net, proof.timestamp));
    }
    const source = { fork: beacon.head.fork, header: beacon.head.header, state: beacon.head.node };
    const { blockRoots } = ssz.electra.BeaconState.getViewDU(beacon.head.node);
    expect(() => proveHistoricalBlockRoot(source, 2, blockRoots.node)).to.throw("not those of summary 0");
    expect(() => proveHistoricalBlockRoot(source, 30_000, blockRoots.node)).to.throw(
      "no historical summary of slot 30000",
    );
  });

  it("gets the vector for a summary from the state at the first slot after it, as from a beacon node", async () => {
    const { beacon } = await startDevnet();
    await beacon.advanceTo(100);
    await beacon.advanceTo(8192);
    const { blockRoots } = ssz.electra.BeaconState.getViewDU(beacon.head.node);
    await beacon.advanceTo(17_000);
    const source = { fork: beacon.head.fork, header: beacon.head.header, state: beacon.head.node };
    const proof = proveHistoricalBlockRoot(source, 100, blockRoots.node);
    expect(proof.leaf).to.equal(beacon.blockAt(100).root);
    expect(branchRoot(proof)).to.equal(beacon.head.root);
    const capella = 6_209_536; // on mainnet the list starts with this slot
    expect(proveHistoricalBlockRoot(source, capella + 100, blockRoots.node, capella)).to.deep.equal(proof);
  });

  it("keeps past states as they were", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    for (const key of KEYS) await fundValidator(net, key);
    await isActive(net, KEY);
    await beacon.advanceSlots(1);
    const slot = beacon.provenSlot;
    const proof = beacon.proveValidator(KEY.pubkey, slot);
    const balance = beacon.proveBalance(KEY.pubkey, slot);
    beacon.slash(KEY.pubkey);
    await deposit(net, topUpDeposit(KEY.pubkey, CREDENTIALS, ETH_GWEI));
    await beacon.advanceDays(2);
    expectSameState(beacon);
    expect(beacon.proveValidator(KEY.pubkey, slot)).to.deep.equal(proof);
    expect(beacon.proveBalance(KEY.pubkey, slot)).to.deep.equal(balance);
    expect(beacon.stateAt(slot).validator(KEY.pubkey)?.slashed).to.equal(false);
    expect(beacon.stateAt().validator(KEY.pubkey)?.slashed).to.equal(true);
  }).timeout(60_000);
});

describe("devnet SSZ state", () => {
  it("forgets a slashing after 8192 epochs, like the plain state", async () => {
    const { beacon } = await startDevnet({ genesisValidators: 10 });
    beacon.slash(3);
    await beacon.advanceSlots(1);
    expectSameState(beacon);
    expect(beacon.head.state.slashings.size).to.equal(1);
    await beacon.advanceEpochs(8192);
    expectSameState(beacon);
    expect(beacon.head.state.slashings.size).to.equal(0);
  }).timeout(60_000);
});

describe("devnet fork boundary", () => {
  it("upgrades from Electra to Fulu at the first slot of the epoch, and proofs hold on both sides", async () => {
    const net = await startDevnet({ fork: "electra", fuluForkEpoch: 2 });
    const { beacon } = net;
    await beacon.advanceTo(63);
    await beacon.advanceSlots(2);
    expect([63, 64, 65].map((slot) => beacon.blockAt(slot).fork)).to.deep.equal(["electra", "fulu", "fulu"]);
    const state = ssz.fulu.BeaconState.getViewDU(beacon.head.node);
    expect(hexlify(state.fork.previousVersion)).to.equal("0x05000000");
    expect(hexlify(state.fork.currentVersion)).to.equal("0x06000000");
    expect(state.fork.epoch).to.equal(2);
    expect(state.proposerLookahead.length).to.equal(64);
    expectSameState(beacon);
    await beacon.advanceSlots(1);
    for (const slot of [63, 64]) {
      const proof = beacon.proveValidator(strangerPubkey(1), slot);
      expect(proof.header.slot).to.equal(BigInt(slot));
      expect(branchRoot(proof)).to.equal(await beaconRoot(net, proof.timestamp));
    }
    expect(branchRoot(beacon.proveBlockRoot(63))).to.equal(
      await beaconRoot(net, beacon.proofTimestamp(beacon.provenSlot)),
    );
  }).timeout(60_000);

  it("upgrades in the middle of a jump, and goes back to before it with a snapshot", async () => {
    const net = await startDevnet({ fuluForkEpoch: 10 });
    const { beacon } = net;
    await beacon.advanceEpochs(1);
    const snapshot = await net.provider.request({ method: "evm_snapshot" });
    await beacon.advanceEpochs(20);
    expect(beacon.head.fork).to.equal("fulu");
    expect(ssz.fulu.BeaconState.getViewDU(beacon.head.node).fork.epoch).to.equal(10);
    await net.provider.request({ method: "evm_revert", params: [snapshot] });
    expect(beacon.head.fork).to.equal("electra");
    await beacon.advanceEpochs(1);
    expect(beacon.head.fork).to.equal("electra");
    expectSameState(beacon);
  }).timeout(60_000);
});
