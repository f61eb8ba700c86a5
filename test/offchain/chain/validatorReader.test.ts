import { expect } from "chai";
import { id } from "ethers";
import { ValidatorReader, keyRootOf } from "../../../offchain/chain/validatorReader.ts";
import { pubkeyRoot } from "../../../offchain/beacon/proofs.ts";
import type { ValidatorBook } from "../../../offchain/chain/validatorBook.ts";
import { validatorBook } from "../../../offchain/chain/validatorBook.ts";
import { contractBalanceProof, contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { predeposit, prove, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { deriveValidatorKeys, signedDeposit } from "../../../devnet/keys.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { connection, ethers, loadFixture, provider } from "../../helpers/network.ts";

const ETH = 10n ** 18n;
const DEPOSIT_TOPIC = id("DepositEvent(bytes,bytes,bytes,bytes,bytes)");
const STATUS = ["unknown", "predeposited", "queued", "active", "exiting", "withdrawn", "dropped"] as const;

/** Seven keys of two operators: predeposited, queued, funded in turn and out of turn, below, asked to exit, exiting. */
async function busy() {
  const p = await startLocalProtocol(connection);
  const { validators, operators, governor, bob } = p;
  await operators.connect(governor).addOperator(0, bob.address, bob.address, "Two");
  await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 160n * ETH });
  const first = await predeposit(p, 3, 0);
  const second = await predeposit(p, 3, 3, bob, 2n);
  await prove(p, [...second, ...first]);
  const fundable = [...second.slice(0, 1), ...second.slice(2), ...first];
  await validators.connect(bob).fundOwn(second[1]?.pubkey ?? "0x", { value: 31n * ETH });
  await validators.connect(p.keeper).fundValidators(fundable.slice(0, 4).map(({ pubkey }) => pubkey));
  await predeposit(p, 1, 6);
  return { p, keys: [...first, ...second] };
}

/** The same without what changed since: what the registry's own records say. */
async function expectRecords(p: LocalProtocol, book: ValidatorBook): Promise<void> {
  for (const entry of book.values()) {
    const record = await p.validators.validator(entry.keyRoot);
    expect(STATUS[Number(record.status)], entry.keyRoot).to.equal(entry.status);
    expect(record.operatorId).to.equal(entry.operatorId);
    expect(record.sequence).to.equal(BigInt(entry.sequence ?? 0));
    expect(record.validatorIndex).to.equal(BigInt(entry.validatorIndex ?? 0));
    expect(record.slashed).to.equal(entry.slashed);
    expect(record.weightStopped).to.equal(entry.weightStopped);
    expect(record.exitRequestedAt !== 0n).to.equal(entry.exitRequested);
    expect(record.fundedGwei !== 0n).to.equal(entry.fundedBlock !== undefined);
    expect(keyRootOf(entry.pubkey)).to.equal(entry.keyRoot).to.equal(pubkeyRoot(entry.pubkey));
  }
}

describe("the validators of the protocol, from its events", () => {
  it("are what the registry's records say, through every state", async () => {
    const { p, keys } = await loadFixture(busy);
    const reader = new ValidatorReader(p.validators, ethers.provider, 0);
    const now = async () => reader.bookAt(await ethers.provider.getBlockNumber());
    const book = await now();
    expect([...book.values()].map(({ status }) => status)).to.deep.equal([
      ...["active", "active", "queued", "active", "active", "active", "predeposited"],
    ]);
    expect([...book.values()].filter(({ outOfTurn }) => outOfTurn).map(({ pubkey }) => pubkey)).to.deep.equal([
      keys[4]?.pubkey,
    ]);
    await expectRecords(p, book);

    const { beacon, validators, keeper } = p;
    const [one, two, three] = [keys[0], keys[1], keys[3]] as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];
    await beacon.advanceUntil(
      (state) => (state.validator(three.pubkey)?.activationEpoch ?? Infinity) + 256 < beacon.epoch,
    );
    beacon.slash(one.pubkey);
    beacon.voluntaryExit(two.pubkey);
    beacon.penalise(three.pubkey, 300_000_000n);
    await beacon.advanceSlots(2);
    await p.committee.report();
    await validators.connect(keeper).proveSlashed(contractValidatorProof(beacon.proveValidator(one.pubkey)));
    await validators.connect(keeper).proveExiting(contractValidatorProof(beacon.proveValidator(two.pubkey)));
    await validators
      .connect(keeper)
      .proveBelow(
        contractValidatorProof(beacon.proveValidator(three.pubkey)),
        contractBalanceProof(beacon.proveBalance(three.pubkey)),
      );
    const later = await now();
    expect(later.get(keyRootOf(one.pubkey))?.slashed).to.equal(true);
    expect(later.get(keyRootOf(two.pubkey))).to.include({ status: "exiting", weightStopped: true });
    expect(later.get(keyRootOf(two.pubkey))?.withdrawableEpoch).to.be.greaterThan(256n);
    expect(later.get(keyRootOf(three.pubkey))?.weightStopped).to.equal(true);
    await expectRecords(p, later);
  });

  it("are read again as of any earlier block, and counted as funded from their funding on", async () => {
    const { p, keys } = await loadFixture(busy);
    const reader = new ValidatorReader(p.validators, ethers.provider, 0);
    const last = await ethers.provider.getBlockNumber();
    const own = await p.validators.queryFilter(p.validators.filters.FundedOwn());
    const block = own[0]?.blockNumber ?? 0;
    const owned = keys[4]?.pubkey;
    expect(await reader.fundedKeysAt(last)).to.have.members([0, 1, 3, 4, 5].map((index) => keys[index]?.pubkey));
    expect(await reader.fundedKeysAt(block)).to.deep.equal([owned]);
    expect(await reader.fundedKeysAt(block - 1)).to.deep.equal([]);
    expect(await new ValidatorReader(p.validators, ethers.provider, 0).fundedKeysAt(block)).to.deep.equal([owned]);
  });

  it("go on from where reading stopped, in any pieces; a failure moves nothing", async () => {
    const { p } = await loadFixture(busy);
    const last = await ethers.provider.getBlockNumber();
    const expected = await new ValidatorReader(p.validators, ethers.provider, 0).bookAt(last);
    let broken = false;
    let asked = 0;
    const flaky = new Proxy(ethers.provider, {
      get: (target, property) => {
        const value = Reflect.get(target, property) as unknown;
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (property === "getLogs") asked += 1;
          if (broken && property === "getTransactionReceipt") throw new Error("connection lost");
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    const reader = new ValidatorReader(p.validators, flaky, 0);
    for (let block = 5; block < last; block += 7) {
      broken = true;
      await reader
        .bookAt(block)
        .catch((error: unknown) => expect((error as Error).message).to.equal("connection lost"));
      broken = false;
      await reader.bookAt(block, { range: 3 });
    }
    expect(await reader.bookAt(last, { unsettled: 0 })).to.deep.equal(expected);
    const before = asked;
    expect(await reader.bookAt(last, { unsettled: 0 })).to.deep.equal(expected);
    expect(asked, "nothing new to read").to.equal(before);
  });

  it("are read anew when a block that was read is replaced", async () => {
    const { p, keys } = await loadFixture(busy);
    const reader = new ValidatorReader(p.validators, ethers.provider, 0);
    const snapshot = (await provider.request({ method: "evm_snapshot" })) as string;
    await predeposit(p, 1, 7);
    const block = await ethers.provider.getBlockNumber();
    expect((await reader.bookAt(block)).size).to.equal(keys.length + 2);
    await provider.request({ method: "evm_revert", params: [snapshot] });
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 1n });
    expect((await reader.bookAt(await ethers.provider.getBlockNumber())).size).to.equal(keys.length + 1);
  });

  it("refuse a block that the node does not have, and events out of nothing", async () => {
    const { p } = await loadFixture(busy);
    const reader = new ValidatorReader(p.validators, ethers.provider, 0);
    const last = await ethers.provider.getBlockNumber();
    const error = await reader.bookAt(last + 1).catch((failure: unknown) => failure);
    expect((error as Error).message).to.equal(`the node does not have execution block ${last + 1}`);
    expect(() => validatorBook([{ kind: "Slashed", block: 1, keyRoot: "0x01" }])).to.throw("never predeposited");
  });

  it("agree with the registry at every block, through drops, second places and fundings of two tiers", async () => {
    const p = await startLocalProtocol(connection);
    const { validators, operators, bob, keeper, governor, guardian } = p;
    const start = await ethers.provider.getBlockNumber();
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 300n * ETH });
    await operators.connect(bob).join(1, bob, "Two");
    await operators.connect(bob).addBond(2, { value: 5n * ETH });
    const one = await predeposit(p, 4, 0);
    const two = await predeposit(p, 4, 4, bob, 2n);
    await prove(p, [...one, ...two]);
    const keys = [...one, ...two];
    const fundNext = async (): Promise<void> => {
      const [tier, sequence] = await validators.nextToFund();
      for (const { pubkey } of keys) {
        const record = await validators.validator(keyRootOf(pubkey));
        if (record.status === 2n && record.tier === tier && record.sequence === sequence)
          await validators.connect(keeper).fundValidators([pubkey]);
      }
    };
    await fundNext();
    const rootOf = (index: number): Hex => keyRootOf(two[index]?.pubkey ?? "0x");
    const dropped = [1, 2].map(rootOf);
    await operators.connect(guardian).lockFine(2, 5n * ETH, `0x${"11".repeat(32)}`);
    await validators.connect(keeper).dropQueued(dropped);
    await operators.connect(governor).cancelFine(2);
    await fundNext();
    await fundNext();
    await validators.connect(bob).requeue(dropped.slice(1));
    await validators.connect(bob).fundOwn(two[3]?.pubkey ?? "0x", { value: 31n * ETH });
    for (let n = 0; n < 4; n++) await fundNext().catch(() => undefined);
    await validators.connect(bob).requeue(dropped.slice(0, 1));

    const last = await ethers.provider.getBlockNumber();
    const reader = new ValidatorReader(validators, ethers.provider, 0);
    let most = 0;
    for (let block = start; block <= last; block++) {
      const records = await Promise.all(
        keys.map(async ({ pubkey }) => ({
          pubkey,
          record: await validators.validator(keyRootOf(pubkey), { blockTag: block }),
        })),
      );
      const funded = records.filter(({ record }) => record.fundedGwei !== 0n).map(({ pubkey }) => pubkey);
      expect(await reader.fundedKeysAt(block), `block ${block}`).to.have.members(funded);
      const book = await reader.bookAt(block);
      for (const { pubkey, record } of records)
        expect(book.get(keyRootOf(pubkey))?.status ?? "unknown").to.equal(STATUS[Number(record.status)]);
      most = Math.max(most, funded.length);
    }
    expect(most).to.be.at.least(6);
    expect((await reader.bookAt(last)).get(dropped[0] ?? "0x")?.sequence).to.be.greaterThan(3);
  });

  it("stay readable whatever a stranger's contract emits beside a predeposit", async () => {
    const { p } = await loadFixture(busy);
    const { validators, operators, nodeOperator, operatorId } = p;
    const manager = "0x000000000000000000000000000000000000bad0";
    const registry = (await validators.getAddress()).slice(2);
    // passes its call on to the registry, then emits the deposit contract's topic without any data
    const forward = `0x365f5f375f5f365f3473${registry}5af1507f${DEPOSIT_TOPIC.slice(2)}5f5fa100`;
    await provider.request({ method: "hardhat_setCode", params: [manager, forward] });
    await operators.connect(nodeOperator).setManager(operatorId, manager);
    const [key] = deriveValidatorKeys(1, 7);
    if (key === undefined) throw new Error("no key");
    const deposit = signedDeposit(key, (await validators.withdrawalCredentials()) as Hex, 10n ** 9n);
    const { pubkey, signature, depositDataRoot } = deposit;
    const data = validators.interface.encodeFunctionData("predeposit", [
      operatorId,
      [pubkey],
      [signature],
      [depositDataRoot],
    ]);
    const receipt = await (
      await p.alice.sendTransaction({ to: manager, data, value: ETH, gasLimit: 1_000_000 })
    ).wait();
    expect(receipt?.logs.map(({ topics }) => topics[0])).to.include(DEPOSIT_TOPIC);
    const reader = new ValidatorReader(validators, ethers.provider, 0);
    const book = await reader.bookAt(await ethers.provider.getBlockNumber());
    expect(book.get(keyRootOf(pubkey))).to.include({ pubkey, status: "predeposited" });
  });

  it("keep a request until the exit is proven, and take a second withdrawal of a key as the first", () => {
    const key = { keyRoot: "0x0a", pubkey: "0x0b" } as const;
    const { keyRoot } = key;
    const events = [
      { kind: "Predeposited", block: 1, operatorId: 1n, keys: [key] },
      { kind: "Proven", block: 2, keyRoot, tier: 0, sequence: 0, validatorIndex: 9 },
      { kind: "Funded", block: 3, tier: 0, from: 0, to: 1 },
      { kind: "ExitRequested", block: 4, keyRoot },
      { kind: "ExitRequested", block: 5, keyRoot },
      { kind: "Exiting", block: 6, keyRoot, withdrawableEpoch: 7n },
      { kind: "Withdrawn", block: 8, keyRoot },
      { kind: "Slashed", block: 9, keyRoot },
      { kind: "Withdrawn", block: 10, keyRoot },
    ] as const;
    const after = (block: number) => validatorBook(events.slice(0, block)).get(keyRoot);
    expect(after(5)).to.include({ status: "active", exitRequested: true });
    expect(after(6)).to.include({ status: "exiting", exitRequested: false });
    expect(after(7)).to.include({ status: "withdrawn", slashed: false });
    expect(after(9)).to.include({ status: "withdrawn", slashed: true, fundedBlock: 3 });
  });

  it("put a dropped key back at another place", () => {
    const key = { keyRoot: "0x0a", pubkey: "0x0b" } as const;
    const { keyRoot } = key;
    const events = [
      { kind: "Predeposited", block: 1, operatorId: 1n, keys: [key] },
      { kind: "Proven", block: 2, keyRoot, tier: 0, sequence: 0, validatorIndex: 9 },
      { kind: "Dropped", block: 3, keyRoot },
      { kind: "Funded", block: 4, tier: 0, from: 0, to: 2 },
      { kind: "Proven", block: 5, keyRoot, tier: 1, sequence: 4, validatorIndex: 9 },
      { kind: "Funded", block: 6, tier: 0, from: 2, to: 9 },
      { kind: "Funded", block: 7, tier: 1, from: 3, to: 5 },
    ] as const;
    expect(validatorBook(events.slice(0, 4)).get(keyRoot)).to.include({ status: "dropped", fundedBlock: undefined });
    expect(validatorBook(events).get(keyRoot)).to.include({ status: "active", tier: 1, sequence: 4, fundedBlock: 7 });
  });
});
