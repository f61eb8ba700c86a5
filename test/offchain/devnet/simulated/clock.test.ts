import { expect } from "chai";
import { SimulatedBeacon } from "../../../../devnet/simulated/beacon.ts";
import { deriveValidatorKeys, signedDeposit, strangerPubkey } from "../../../../devnet/keys.ts";
import { BEACON_ROOTS, WITHDRAWAL_REQUESTS, installPredeploys } from "../../../../devnet/predeploys.ts";
import { CREDENTIALS, ETH_GWEI, VAULT, balanceOf, beaconRoot, deposit, rpc, send, startDevnet } from "./harness.ts";
import type { Devnet } from "./harness.ts";

const [KEY_A, KEY_B, KEY_C] = deriveValidatorKeys(3) as [Key, Key, Key];
type Key = ReturnType<typeof deriveValidatorKeys>[number];

async function latest(net: Devnet): Promise<{ number: number; timestamp: number }> {
  const block = await rpc(net.provider, "eth_getBlockByNumber", "latest", false);
  return { number: Number(block.number), timestamp: Number(block.timestamp) };
}

async function setNextTime(net: Devnet, timestamp: number): Promise<void> {
  await rpc(net.provider, "evm_setNextBlockTimestamp", `0x${timestamp.toString(16)}`);
}

describe("devnet clock", () => {
  it("mines an execution block at exactly each slot's time", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    expect(beacon.genesisTime).to.equal((await latest(net)).timestamp);
    await beacon.advanceSlots(3);
    expect(beacon.head.slot).to.equal(3);
    expect((await latest(net)).timestamp).to.equal(beacon.genesisTime + 36);
    expect(beacon.head.execution.number).to.equal((await latest(net)).number);
  });

  it("goes on where the clock ran past the epoch that was asked for, as it does in a long test run", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await deposit(net, signedDeposit(KEY_A, CREDENTIALS, ETH_GWEI));
    await setNextTime(net, beacon.genesisTime + 100 * 12);
    await rpc(net.provider, "evm_mine");
    await beacon.advanceEpochs(1);
    expect(beacon.head.slot).to.be.at.least(100);
    await beacon.advanceUntil((state) => state.validator(KEY_A.pubkey) !== undefined);
    await beacon.advanceEpochs(1);
    expect(beacon.stateAt().validator(KEY_A.pubkey)?.effectiveBalanceGwei).to.equal(Number(ETH_GWEI));
  });

  it("stores the root of the parent block under each block's time in the real EIP-4788 contract", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceSlots(2);
    expect(await beaconRoot(net, beacon.timeOf(2))).to.equal(beacon.blockAt(1).root);
    expect(await beaconRoot(net, beacon.timeOf(1))).to.equal(beacon.blockAt(0).root);
    expect(beacon.proofTimestamp(1)).to.equal(BigInt(beacon.timeOf(2)));
    expect(await beaconRoot(net, beacon.timeOf(3)), "not yet").to.equal(undefined);
    expect(() => beacon.proofTimestamp(2)).to.throw(RangeError, "not in EIP-4788");
  });

  it("keeps a transaction after a slot's block out of that slot's state, and in the next one", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceSlots(1);
    await deposit(net, signedDeposit(KEY_A, CREDENTIALS, ETH_GWEI));
    expect((await latest(net)).timestamp).to.be.greaterThan(beacon.timeOf(1));
    await beacon.advanceSlots(1);
    expect(beacon.stateAt(1).pendingDeposits(KEY_A.pubkey).length).to.equal(0);
    expect(
      beacon
        .stateAt(2)
        .pendingDeposits(KEY_A.pubkey)
        .map(({ slot }) => slot),
    ).to.deep.equal([2]);
  });

  it("gives each slot that users' transactions ran through a block with exactly what happened up to its time", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceSlots(1);
    await setNextTime(net, beacon.timeOf(2)); // the last second of slot 2
    await deposit(net, signedDeposit(KEY_A, CREDENTIALS, ETH_GWEI));
    await setNextTime(net, beacon.timeOf(2) + 1); // the first of slot 3
    await deposit(net, signedDeposit(KEY_B, CREDENTIALS, ETH_GWEI));
    await setNextTime(net, beacon.timeOf(5) + 6); // slot 6; 4 and 5 stay empty
    await deposit(net, signedDeposit(KEY_C, CREDENTIALS, ETH_GWEI));
    await beacon.advanceSlots(1);
    expect(beacon.head.slot).to.equal(6);
    const held = [1, 2, 3, 4, 5, 6].map(
      (slot) => beacon.stateAt(slot).clBalanceGwei([KEY_A, KEY_B, KEY_C].map((key) => key.pubkey)) / ETH_GWEI,
    );
    expect(held).to.deep.equal([0n, 1n, 2n, 2n, 2n, 3n]);
    expect([1, 2, 3, 4, 5, 6].map((slot) => beacon.blockAt(slot).slot)).to.deep.equal([1, 2, 3, 3, 3, 6]);
    for (const [slot, parent] of [
      [2, 1],
      [3, 2],
      [6, 3],
    ] as const) {
      expect(await beaconRoot(net, beacon.timeOf(slot)), `slot ${slot}`).to.equal(beacon.blockAt(parent).root);
    }
    expect(await beaconRoot(net, beacon.timeOf(4)), "an empty slot has no entry").to.equal(undefined);
  });

  it("produces the slot after a transaction that was mined at exactly a slot's time", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await setNextTime(net, beacon.timeOf(1));
    await deposit(net, signedDeposit(KEY_A, CREDENTIALS, ETH_GWEI));
    await beacon.advanceSlots(1);
    expect([beacon.head.slot, beacon.blockAt(1).slot]).to.deep.equal([2, 1]);
    expect(beacon.stateAt(1).pendingDeposits(KEY_A.pubkey).length).to.equal(1);
  });

  it("sweeps nothing into execution blocks that users' transactions made", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceTo(3 * 32 - 1);
    await setNextTime(net, beacon.timeOf(96)); // rewards have just been paid
    await send(net, VAULT, "0x", 1n);
    await beacon.advanceSlots(1);
    const swept = [95, 96, 97].map((slot) => beacon.stateAt(slot).state.nextWithdrawalIndex);
    expect(swept[1]).to.equal(swept[0]);
    expect(swept[2]).to.equal((swept[1] ?? 0) + 16);
  });

  it("survives more transactions than a slot has seconds", async () => {
    const net = await startDevnet();
    for (let i = 0; i < 30; i++) await send(net, VAULT, "0x", 1n);
    await net.beacon.advanceSlots(1);
    expect((await latest(net)).timestamp).to.equal(net.beacon.timeOf(net.beacon.head.slot));
    expect(net.beacon.blockAt(1).slot).to.equal(1);
    expect(net.beacon.blockAt(2).slot).to.equal(2);
  });

  it("misses slots on both layers", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceSlots(1);
    await beacon.missSlots(3); // 2, 3, 4
    await send(net, VAULT, "0x", 1n);
    expect((await latest(net)).timestamp).to.be.greaterThan(beacon.timeOf(4));
    await beacon.advanceSlots(1);
    expect(beacon.head.slot).to.equal(5);
    expect(beacon.blockAt(4).slot).to.equal(1);
    expect(beacon.proofTimestamp(4)).to.equal(BigInt(beacon.timeOf(5)));
    expect(await beaconRoot(net, beacon.timeOf(5))).to.equal(beacon.blockAt(1).root);
    expect(await beaconRoot(net, beacon.timeOf(3))).to.equal(undefined);
  });

  it("sweeps nothing in missed slots, and once in every slot that a jump passes", async () => {
    const { beacon } = await startDevnet({ genesisValidators: 60 });
    await beacon.missSlots(10);
    await beacon.advanceTo(12);
    // two sweeps that find nothing, each 16,384 validators further in a ring of 60
    expect(beacon.head.state.nextWithdrawalValidatorIndex).to.equal((2 * 16_384) % 60);
  });

  it("misses the next slot after a jump, too, and refuses to stop at a missed one", async () => {
    const { beacon } = await startDevnet();
    await beacon.advanceEpochs(1);
    await beacon.missSlots(1);
    await beacon.missSlots(1);
    let refused: unknown;
    await beacon.advanceTo(33).catch((error: unknown) => (refused = error));
    expect(String(refused)).to.include("slot 33 is missed");
    await beacon.advanceTo(35);
    expect(beacon.blockAt(34).slot).to.equal(32);
  });

  it("jumps to a slot with one block, after one for what was waiting", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await deposit(net, signedDeposit(KEY_A, CREDENTIALS, ETH_GWEI));
    await beacon.advanceTo(1_000);
    expect([beacon.head.slot, beacon.blockAt(999).slot]).to.deep.equal([1_000, 1]);
    expect((await latest(net)).timestamp).to.equal(beacon.timeOf(1_000));
    expect(await beaconRoot(net, beacon.timeOf(1_000))).to.equal(beacon.blockAt(1).root);
  });

  it("mines what waits in the pool when automatic mining is off", async () => {
    const net = await startDevnet();
    await rpc(net.provider, "evm_setAutomine", false);
    await rpc(net.provider, "eth_sendTransaction", { from: net.user, to: VAULT, value: "0x5" });
    await net.beacon.advanceSlots(1);
    expect(await balanceOf(net, VAULT)).to.equal(5n);
    expect(await rpc(net.provider, "hardhat_getAutomine")).to.equal(false);
  });

  it("takes an EIP-7002 request that waits in the pool", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceEpochs(256);
    await rpc(net.provider, "evm_setAutomine", false);
    const owner = `0x${"57".repeat(20)}`;
    await rpc(net.provider, "hardhat_impersonateAccount", owner);
    await rpc(net.provider, "eth_sendTransaction", {
      from: owner,
      to: WITHDRAWAL_REQUESTS,
      data: `${strangerPubkey(0)}${"00".repeat(8)}`,
      value: "0x1",
    });
    await beacon.advanceSlots(1);
    expect(beacon.stateAt().validator(strangerPubkey(0))?.exitEpoch).to.equal(261);
  });

  it("goes back with the execution layer when a snapshot is restored", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceSlots(2);
    beacon.setOffline(3, true);
    beacon.penalise(4, ETH_GWEI);
    const snapshot = await rpc(net.provider, "evm_snapshot");
    const root = beacon.head.root;
    await deposit(net, signedDeposit(KEY_A, CREDENTIALS, ETH_GWEI));
    await beacon.advanceDays(40); // past a historical summary
    beacon.setOffline(3, false);
    beacon.penalise(0, ETH_GWEI);
    await rpc(net.provider, "evm_revert", snapshot);
    expect(beacon.head).to.include({ slot: 2, root });
    await beacon.advanceEpochs(3);
    const state = beacon.stateAt();
    expect(state.state.balancesGwei[3], "still offline").to.be.lessThan(32e9);
    expect(state.state.balancesGwei[4], "still to be penalised").to.be.lessThan(32e9 - 9e8);
    expect(state.state.balancesGwei[0]).to.equal(32e9);
    expect(state.pendingDeposits(KEY_A.pubkey)).to.deep.equal([]);
    expect(beacon.proveBlockRoot(1).leaf).to.equal(beacon.blockAt(1).root);
    await beacon.advanceTo(20_000);
    await beacon.advanceSlots(1);
    expect(beacon.proveBlockRoot(1).leaf, "through a summary of this branch").to.equal(beacon.blockAt(1).root);
  });

  it("refuses to go on when the chain went back to before its start", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    const snapshot = await rpc(net.provider, "evm_snapshot");
    const later = await SimulatedBeacon.start(net.provider);
    await later.advanceSlots(1);
    await rpc(net.provider, "evm_revert", snapshot);
    expect(() => later.head).to.throw("before this beacon started");
    const another = await rpc(net.provider, "evm_snapshot");
    await rpc(net.provider, "evm_revert", another);
    expect(() => later.head, "for good").to.throw("before this beacon started");
    await beacon.advanceSlots(1);
    expect(beacon.head.slot).to.equal(1);
  });

  it("starts with code and storage at the mainnet addresses, and leaves existing code alone", async () => {
    const net = await startDevnet();
    await rpc(net.provider, "hardhat_setCode", BEACON_ROOTS, "0x00");
    await installPredeploys(net.provider);
    expect(await rpc(net.provider, "eth_getCode", BEACON_ROOTS, "latest")).to.equal("0x00");
  });
});
