import { expect } from "chai";
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { concat, sha256 } from "ethers";
import type { Provider } from "ethers";
import { network } from "hardhat";
import { contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { predeposit, prove, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { connect } from "../../../offchain/chain/connect.ts";
import type { Protocol } from "../../../offchain/chain/connect.ts";
import { EventsMissing } from "../../../offchain/chain/feed.ts";
import { readHistory } from "../../../offchain/chain/history.ts";
import { readLogs } from "../../../offchain/chain/logs.ts";
import { ExecutionProvider } from "../../../offchain/chain/provider.ts";
import { readOperatorNames, readOperatorsOf } from "../../../offchain/chain/read/operator.ts";
import { readWithdrawals } from "../../../offchain/chain/read/withdrawals.ts";
import { ValidatorReader } from "../../../offchain/chain/validatorReader.ts";
import { EXIT } from "../../../offchain/util/errors.ts";
import { closeServer } from "../../../offchain/util/health.ts";
import { behind, hostileNode, withoutLogs } from "../../helpers/hostile/rpc.ts";
import type { Behaviour, HostileNode } from "../../helpers/hostile/rpc.ts";
import { failure } from "./harness.ts";

const ETH = 10n ** 18n;

describe("events that a node leaves out", function () {
  this.timeout(120_000);
  let p: LocalProtocol;
  let server: Server;
  let url = "";
  let head = 0;
  const nodes: HostileNode[] = [];
  const providers: ExecutionProvider[] = [];

  /** Keys in every state, reports with fees, requests open and claimed. */
  before(async () => {
    const connection = await network.create();
    const rpc = connection.provider;
    p = await startLocalProtocol(connection);
    const { validators, operators, pool, alice, bob, beacon, keeper, governor, guardian, committee } = p;
    await operators.connect(governor).addOperator(0, bob.address, bob.address, "Two");
    await pool.connect(alice).deposit(alice, alice, { value: 200n * ETH });
    const first = await predeposit(p, 3, 0);
    const second = await predeposit(p, 3, 3, bob, 2n);
    await prove(p, [...first, ...second]);
    await validators.connect(bob).fundOwn(second[1]?.pubkey ?? "0x", { value: 31n * ETH });
    const fundable = [...first, ...second.slice(0, 1), ...second.slice(2)];
    await validators.connect(keeper).fundValidators(fundable.slice(0, 3).map(({ pubkey }) => pubkey));
    const [one, two] = [first[0]?.pubkey ?? "0x", first[1]?.pubkey ?? "0x"] as const;
    await beacon.advanceUntil((state) => (state.validator(two)?.activationEpoch ?? Infinity) + 256 < beacon.epoch);
    beacon.voluntaryExit(one);
    beacon.slash(two);
    await beacon.advanceSlots(2);
    await validators.connect(keeper).proveExiting(contractValidatorProof(beacon.proveValidator(one)));
    await validators.connect(keeper).proveSlashed(contractValidatorProof(beacon.proveValidator(two)));
    await committee.report({}, 9);
    await operators.connect(guardian).lockFine(2, ETH, `0x${"11".repeat(32)}`);
    const record = await validators.validator(keyRoot(second[2]?.pubkey ?? "0x"));
    if (record.status === 2n) await validators.connect(keeper).dropQueued([keyRoot(second[2]?.pubkey ?? "0x")]);
    await p.queue.connect(alice).requestWithdrawals([ETH, 2n * ETH], alice);
    // what is to be left out below is older than what is read again
    await rpc.request({ method: "hardhat_mine", params: ["0x80"] });
    head = Number(await rpc.request({ method: "eth_blockNumber" }));
    server = await serveRpc(connection.provider, 0);
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => closeServer(server));
  afterEach(async () => {
    for (const provider of providers.splice(0)) provider.destroy();
    for (const node of nodes.splice(0)) await node.close();
  });

  function keyRoot(pubkey: string): string {
    return sha256(concat([pubkey, `0x${"00".repeat(16)}`]));
  }
  async function node(...calls: Behaviour[]): Promise<HostileNode> {
    const made = await hostileNode(url, { calls });
    nodes.push(made);
    return made;
  }
  function through(...urls: string[]): ExecutionProvider {
    const made = new ExecutionProvider({ urls, chainId: 31_337n, timeoutSeconds: 5 });
    providers.push(made);
    return made;
  }
  function readerOf(provider: Provider): ValidatorReader {
    return new ValidatorReader(p.validators, provider, 0);
  }
  async function sdk(provider: Provider): Promise<Protocol> {
    const [token, wrapped] = [await p.token.getAddress(), await p.wrapped.getAddress()];
    return connect(provider, { chainId: 31_337n, token, wrapped, fromBlock: 0 });
  }

  const KINDS = [
    "Predeposited",
    "Proven",
    "Funded",
    "FundedOwn",
    "Dropped",
    "Exiting",
    "Slashed",
    "WeightStopped",
  ] as const;
  for (const kind of [...KINDS, "all"] as const)
    it(`are noticed by what the registries count: ${kind}; the next node is asked, and without one nothing is read`, async () => {
      const topic = kind === "all" ? undefined : p.validators.interface.getEvent(kind).topicHash;
      const pruned = await node(withoutLogs(({ topics }) => topic === undefined || topics[0] === topic));
      const right = await readerOf(through(url)).bookAt(head);
      const error = await failure(readerOf(through(pruned.url)).bookAt(head));
      expect(error).to.be.instanceOf(EventsMissing).and.include({ exitCode: EXIT.unavailable });
      expect(error.message).to.contain("leaves out events");
      const provider = through(pruned.url, url);
      expect(await readerOf(provider).bookAt(head)).to.deep.equal(right);
      // the good one stays the first to be asked
      const asked = pruned.asked.length;
      await provider.getBlockNumber();
      expect(pruned.asked.length).to.equal(asked);
    });

  it("are found again where a reader had lost them long ago, without another node", async () => {
    const { topicHash } = p.validators.interface.getEvent("Predeposited");
    let isShort = true;
    const flaky = await node(async (call, forward) =>
      isShort ? withoutLogs(({ topics }) => topics[0] === topicHash)(call, forward) : undefined,
    );
    const reader = readerOf(through(flaky.url));
    // before the first proof nothing counts them
    const proven = await p.validators.queryFilter(p.validators.filters.Proven());
    const early = (proven[0]?.blockNumber ?? 0) - 1;
    expect((await reader.bookAt(early)).size).to.equal(0);
    isShort = false;
    expect(await reader.bookAt(head)).to.deep.equal(await readerOf(through(url)).bookAt(head));
  });

  it("at a machine that is behind are not taken for none: it must have the last block (field E06)", async () => {
    let isBehind = true;
    const late = await node(
      behind(
        () => 20,
        () => isBehind,
      ),
    );
    const address = await p.validators.getAddress();
    const right = await readLogs(through(url), { address }, 0, head);
    expect(await readLogs(through(late.url, url), { address }, 0, head)).to.have.length(right.length);
    setTimeout(() => (isBehind = false), 700);
    expect(await readLogs(through(late.url), { address }, 0, head)).to.have.length(right.length);
    isBehind = true;
    expect((await failure(readLogs(through(late.url), { address }, 0, head))).message).to.contain("does not have");
  });

  it("in ranges that are too wide are asked in narrower ones, whose width is kept", async () => {
    const refusing = await node(async ({ method, params }) => {
      if (method !== "eth_getLogs") return undefined;
      const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
      const width = Number(toBlock) - Number(fromBlock) + 1;
      return width > 50 ? { error: { code: -32_602, message: "up to a 50 block range" } } : undefined;
    });
    const provider = through(refusing.url);
    const address = await p.validators.getAddress();
    const right = await readLogs(through(url), { address }, 0, head);
    expect(await readLogs(provider, { address }, 0, head)).to.have.length(right.length);
    const asked = refusing.count("eth_getLogs");
    await readLogs(provider, { address }, 0, head);
    expect(refusing.count("eth_getLogs") - asked).to.be.at.most(Math.ceil(head / 25));
  });

  it("are noticed in the history of the rate, an owner's requests, and the operators' names and accounts", async () => {
    const pruned = await node(withoutLogs(() => true));
    const [bad, good] = [await sdk(through(pruned.url)), await sdk(through(pruned.url, url))];
    for (const read of [
      async (from: Protocol) => (await readHistory(from)).items.length,
      async (from: Protocol) => (await readWithdrawals(from, p.alice.address)).requests.length,
      async (from: Protocol) => (await readOperatorNames(from, [1n, 2n])).size,
      async (from: Protocol) => (await readOperatorsOf(from, p.bob.address)).length,
    ]) {
      expect(await failure(read(bad))).to.be.instanceOf(EventsMissing);
      expect(await read(good)).to.be.greaterThan(0);
    }
  });

  it("or that no interface knows don't stop a reader: they are passed over and counted (K8)", async () => {
    const { topicHash } = p.validators.interface.getEvent("Slashed");
    const strange = await node(async ({ method }, forward) => {
      if (method !== "eth_getLogs") return undefined;
      const { result } = (await forward()) as { result: { topics: string[] }[] };
      const [first] = result;
      return {
        result:
          first === undefined ? [] : [...result, { ...first, topics: [topicHash], data: "0x12", logIndex: "0x99" }],
      };
    });
    const reader = readerOf(through(strange.url));
    expect(await reader.bookAt(head)).to.deep.equal(await readerOf(through(url)).bookAt(head));
    expect(reader.skipped).to.be.greaterThan(0);
  });

  it("cost a reading on five round trips, comparing included", async () => {
    const plain = await node();
    const reader = readerOf(through(plain.url));
    await reader.bookAt(head);
    const before = plain.asked.length;
    await reader.bookAt(head);
    expect(plain.asked.length - before).to.be.at.most(5);
  });
});
