import { ssz } from "@lodestar/types";
import { expect } from "chai";
import { AbiCoder, Interface, getBytes, hexlify, id } from "ethers";
import { SimulatedBeacon } from "../../../../devnet/simulated/beacon.ts";
import { parseDepositEvent, parseWithdrawalRequests } from "../../../../devnet/simulated/execution.ts";
import {
  deriveValidatorKeys,
  signedDeposit,
  strangerPubkey,
  topUpDeposit,
  withdrawalCredentials,
} from "../../../../devnet/keys.ts";
import { DEPOSIT_CONTRACT, WITHDRAWAL_REQUESTS } from "../../../../devnet/predeploys.ts";
import {
  CREDENTIALS,
  ETH_GWEI,
  GWEI,
  VAULT,
  balanceOf,
  deposit,
  fundValidator,
  isActive,
  requestWithdrawal,
  rpc,
  startDevnet,
} from "./harness.ts";

const KEYS = deriveValidatorKeys(20);
const [KEY] = KEYS as [(typeof KEYS)[number]];
const ETH = 10n ** 18n;

describe("devnet life of a validator", () => {
  it("goes from the deposit contract through the pending queue to activity, with the specification's epochs", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await fundValidator(net, KEY);
    await beacon.advanceTo(32 * 3 + 31); // the last slot of epoch 3; epoch 2 will be the first finalised
    expect(beacon.stateAt().pendingDeposits(KEY.pubkey).length).to.equal(2);
    expect(beacon.stateAt().clBalanceGwei([KEY.pubkey])).to.equal(32n * ETH_GWEI);
    await beacon.advanceSlots(1);
    expect(beacon.stateAt().indexOf(KEY.pubkey)).to.equal(64);
    expect(beacon.stateAt().clBalanceGwei([KEY.pubkey])).to.equal(32n * ETH_GWEI);
    await isActive(net, KEY);
    // eligible at the end of 4 (for 5), 5 finalised at the end of 6, active at 6 + 5
    expect(beacon.stateAt().validator(KEY.pubkey)).to.include({ activationEligibilityEpoch: 5, activationEpoch: 11 });
    expect(beacon.epoch).to.equal(11);
  });

  it("counts on the real contract: the root of an empty tree first, then one more leaf each deposit", async () => {
    const net = await startDevnet();
    const contract = new Interface([
      "function get_deposit_root() view returns (bytes32)",
      "function get_deposit_count() view returns (bytes)",
    ]);
    const call = async (name: string): Promise<string> => {
      const data = await rpc(
        net.provider,
        "eth_call",
        { to: DEPOSIT_CONTRACT, data: contract.encodeFunctionData(name) },
        "latest",
      );
      return contract.decodeFunctionResult(name, data)[0];
    };
    // the deposit root of mainnet before the first deposit
    expect(await call("get_deposit_root")).to.equal(
      "0xd70a234731285c6804c2a4f56711ddb8c82c99740f207854891028af34e27e5e",
    );
    await fundValidator(net, KEY);
    expect(await call("get_deposit_count")).to.equal("0x0200000000000000");
  });

  it("discards a first deposit that the key did not sign, or signed for another amount, credentials or network", async () => {
    const net = await startDevnet();
    const [a, b, c, d] = KEYS as unknown as [typeof KEY, typeof KEY, typeof KEY, typeof KEY];
    const other = withdrawalCredentials(`0x${"22".repeat(20)}`);
    await deposit(net, topUpDeposit(a.pubkey, CREDENTIALS, 32n * ETH_GWEI)); // 96 zero bytes
    const wrong = [
      { key: b, of: signedDeposit(b, CREDENTIALS, 31n * ETH_GWEI) },
      { key: c, of: signedDeposit(c, other, 32n * ETH_GWEI) },
      { key: d, of: signedDeposit(d, CREDENTIALS, 32n * ETH_GWEI, Uint8Array.of(0x10, 0, 9, 0x10)) }, // Hoodi
    ];
    for (const { key, of } of wrong) {
      const value = {
        pubkey: getBytes(key.pubkey),
        withdrawalCredentials: getBytes(CREDENTIALS),
        amount: 32e9,
        signature: getBytes(of.signature),
      };
      const depositDataRoot = hexlify(ssz.phase0.DepositData.hashTreeRoot(value)) as typeof of.pubkey;
      await deposit(net, { ...of, withdrawalCredentials: CREDENTIALS, amountGwei: 32n * ETH_GWEI, depositDataRoot });
    }
    await net.beacon.advanceEpochs(6);
    expect(net.beacon.head.state.validators.length).to.equal(64);
    expect(net.beacon.head.state.pendingDeposits.length).to.equal(0);
  });

  it("starts on a chain whose deposit contract is in use already", async () => {
    const net = await startDevnet();
    await fundValidator(net, KEY);
    const second = await SimulatedBeacon.start(net.provider);
    expect(second.head.state.eth1DepositIndex).to.equal(2);
    await deposit(net, signedDeposit(KEYS[1] as typeof KEY, CREDENTIALS, 32n * ETH_GWEI));
    await second.advanceEpochs(6);
    expect(second.stateAt().indexOf((KEYS[1] as typeof KEY).pubkey)).to.equal(64);
    expect(second.stateAt().indexOf(KEY.pubkey), "deposited before its genesis").to.equal(undefined);
  });

  it("earns, and the sweep brings what exceeds 32 ETH to the execution layer without a call", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await fundValidator(net, KEY);
    await isActive(net, KEY); // at the first slot of epoch 11
    await beacon.advanceEpochs(10);
    const state = beacon.stateAt();
    // rewarded for the epochs 11 to 19: the one that just ended is not counted yet
    const earned = 9n * 32n * 347n;
    expect((await balanceOf(net, VAULT)) / GWEI + state.balanceGwei(KEY.pubkey)).to.equal(32n * ETH_GWEI + earned);
    expect(await balanceOf(net, VAULT)).to.be.greaterThan(0n);
    const before = beacon.blockAt(beacon.head.slot - 1);
    expect(await balanceOf(net, VAULT, before.execution.number), "not before the block that carries it").to.be.lessThan(
      await balanceOf(net, VAULT, beacon.head.execution.number),
    );
  });

  it("leaves through the real EIP-7002 contract, and its whole balance comes back", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceSlots(1);
    await fundValidator(net, KEY);
    await isActive(net, KEY);
    await beacon.advanceEpochs(255);
    await requestWithdrawal(net, VAULT, KEY.pubkey);
    await beacon.advanceSlots(1);
    expect(beacon.stateAt().validator(KEY.pubkey)?.exitEpoch, "ignored at 255 epochs").to.equal(Infinity);
    await beacon.advanceEpochs(1);
    await requestWithdrawal(net, VAULT, KEY.pubkey);
    const epoch = beacon.epoch;
    await beacon.advanceSlots(1);
    expect(beacon.stateAt().validator(KEY.pubkey)).to.include({ exitEpoch: epoch + 5, withdrawableEpoch: epoch + 261 });
    await beacon.advanceTo((epoch + 261) * 32 - 1);
    const settled = beacon.stateAt().balanceGwei(KEY.pubkey);
    const before = await balanceOf(net, VAULT);
    await beacon.advanceSlots(1);
    await beacon.advanceSlots(5); // sixteen a block
    expect(beacon.stateAt().balanceGwei(KEY.pubkey)).to.equal(0n);
    expect((await balanceOf(net, VAULT)) - before).to.equal(settled * GWEI);
    expect(settled).to.be.greaterThan(32n * ETH_GWEI - 1n);
  });

  it("takes sixteen EIP-7002 requests a block, and its fee falls with every slot, skipped ones too", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceSlots(1);
    const requests = async (): Promise<bigint[]> =>
      Promise.all(
        [0, 1, 2, 3].map(async (slot) =>
          BigInt(await rpc(net.provider, "eth_getStorageAt", WITHDRAWAL_REQUESTS, `0x${slot}`, "latest")),
        ),
      );
    for (let i = 0; i < 20; i++) await requestWithdrawal(net, VAULT, (KEYS[i] as typeof KEY).pubkey);
    await beacon.advanceSlots(1);
    expect(await requests(), "excess 20 - 2, none counted, head 16, tail 20").to.deep.equal([18n, 0n, 16n, 20n]);
    const slot = beacon.head.slot + 1;
    await beacon.advanceTo(slot + 3); // one block for the rest of the queue, two slots skipped, one block
    expect(beacon.blockAt(slot).slot).to.equal(slot);
    expect(await requests()).to.deep.equal([10n, 0n, 0n, 0n]);
  });

  it("pays a partial amount to a compounding validator", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceSlots(1);
    await deposit(net, signedDeposit(KEY, withdrawalCredentials(VAULT, "02"), 40n * ETH_GWEI));
    await isActive(net, KEY);
    await beacon.advanceEpochs(256);
    await requestWithdrawal(net, VAULT, KEY.pubkey, 3n * ETH_GWEI);
    const epoch = beacon.epoch;
    await beacon.advanceSlots(1);
    expect(beacon.head.state.pendingPartialWithdrawals).to.deep.equal([
      { validatorIndex: 64, amountGwei: 3e9, withdrawableEpoch: epoch + 5 + 256 },
    ]);
    const before = await balanceOf(net, VAULT);
    await beacon.advanceTo((epoch + 261) * 32);
    expect((await balanceOf(net, VAULT)) - before).to.equal(3n * ETH);
  });

  it("is slashed: the initial penalty at once, the correlation penalty half-way, the rest after 8192 epochs", async () => {
    const net = await startDevnet({ aprBp: 0 });
    const { beacon } = net;
    await fundValidator(net, KEY);
    await isActive(net, KEY);
    beacon.slash(KEY.pubkey);
    expect(beacon.stateAt().validator(KEY.pubkey)?.slashed, "with the next block").to.equal(false);
    await beacon.advanceSlots(1);
    expect(beacon.stateAt().validator(KEY.pubkey)).to.include({
      slashed: true,
      exitEpoch: 16,
      withdrawableEpoch: 11 + 8192,
    });
    expect(beacon.stateAt().balanceGwei(KEY.pubkey)).to.equal(32n * ETH_GWEI - 7_812_500n);
    expect(() => beacon.slash(KEY.pubkey)).to.throw("validator 64 is not slashable");
    await beacon.advanceTo((11 + 4096) * 32 + 31);
    expect(beacon.stateAt().balanceGwei(KEY.pubkey)).to.equal(32n * ETH_GWEI - 7_812_500n);
    await beacon.advanceSlots(1);
    // three times 32 ETH slashed, over the 2048 ETH of the 64 others, for each of its 32 ETH
    const correlation = (96_000_000_000n / 2048n) * 32n;
    expect(beacon.stateAt().balanceGwei(KEY.pubkey)).to.equal(32n * ETH_GWEI - 7_812_500n - correlation);
    await beacon.advanceTo((11 + 8192) * 32 + 5);
    expect(await balanceOf(net, VAULT)).to.equal((32n * ETH_GWEI - 7_812_500n - correlation) * GWEI);
  });

  it("leaves voluntarily, loses when offline, and can be penalised", async () => {
    const net = await startDevnet();
    const { beacon } = net;
    await beacon.advanceEpochs(255);
    expect(() => beacon.voluntaryExit(0)).to.throw("active for fewer than 256 epochs");
    await beacon.advanceEpochs(1);
    beacon.voluntaryExit(0);
    expect(() => beacon.voluntaryExit(1_000)).to.throw("no validator with index 1000");
    beacon.setOffline(1, true);
    beacon.penalise(2, ETH_GWEI);
    await beacon.advanceEpochs(1);
    expect(beacon.head.state.validators[0]?.exitEpoch).to.equal(256 + 5);
    expect(beacon.head.state.balancesGwei[1]).to.be.lessThan(32e9 + 1);
    expect(beacon.head.state.validators[2]?.effectiveBalanceGwei).to.equal(31e9);
  });

  it("brings a proposer's tips with the next block", async () => {
    const net = await startDevnet();
    net.beacon.creditExecutionReward(VAULT, 5n);
    net.beacon.creditExecutionReward(VAULT, 6n);
    expect(await balanceOf(net, VAULT)).to.equal(0n);
    await net.beacon.advanceEpochs(1);
    expect(await balanceOf(net, VAULT)).to.equal(11n);
    expect(await balanceOf(net, VAULT, net.beacon.blockAt(1).execution.number)).to.equal(11n);
    expect(await balanceOf(net, VAULT, net.beacon.blockAt(0).execution.number)).to.equal(0n);
  });

  it("stops and resumes finality", async () => {
    const { beacon } = await startDevnet();
    await beacon.advanceEpochs(6);
    expect(beacon.finalized().epoch).to.equal(4);
    expect(beacon.finalized().block.slot).to.equal(0); // jumped: the last block at or before slot 128
    beacon.stopFinality(true);
    await beacon.advanceEpochs(6);
    expect(beacon.finalized().epoch).to.equal(4);
    beacon.stopFinality(false);
    await beacon.advanceEpochs(2);
    expect(beacon.finalized().epoch).to.equal(12);
    expect(beacon.finalized().block.slot).to.equal(384);
  });

  it("finalises a reference slot, the last of an epoch, two epochs later, and returns its state", async () => {
    const { beacon } = await startDevnet();
    await beacon.advanceTo(32 * 9 - 1);
    const before = beacon.stateAt().clBalanceGwei([strangerPubkey(0)]);
    expect(beacon.isFinalized(287)).to.equal(false);
    const state = await beacon.finalize(287);
    expect(beacon.epoch).to.equal(11); // the checkpoint of epoch 9 is final
    expect(state.block.slot).to.equal(287);
    expect(state.clBalanceGwei([strangerPubkey(0)])).to.equal(before);
  });

  it("parses the event of the deposit contract", async () => {
    const data = AbiCoder.defaultAbiCoder().encode(
      ["bytes", "bytes", "bytes", "bytes", "bytes"],
      [KEY.pubkey, CREDENTIALS, "0x0040597307000000", `0x${"ab".repeat(96)}`, "0x0102000000000000"],
    );
    expect(parseDepositEvent(data)).to.include({ amountGwei: 32e9, index: 513n, pubkey: KEY.pubkey });
    expect(() => parseWithdrawalRequests(`0x${"00".repeat(75)}`)).to.throw("EIP-7002 returned 75 bytes");
    expect(id("DepositEvent(bytes,bytes,bytes,bytes,bytes)")).to.equal(
      "0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5",
    );
  });
});
