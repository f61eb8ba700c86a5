import type { Server } from "node:http";
import { expect } from "chai";
import { Wallet } from "ethers";
import { predeposit } from "../../../devnet/simulated/localProtocol.ts";
import { fundedWallets } from "../../../devnet/real/executionGenesis.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { connect } from "../../../offchain/chain/connect.ts";
import { ExecutionProvider } from "../../../offchain/chain/provider.ts";
import { ValidatorReader } from "../../../offchain/chain/validatorReader.ts";
import { BeaconClient } from "../../../offchain/beacon/client.ts";
import type { Keeper } from "../../../offchain/keeper/keeper.ts";
import { Sender } from "../../../offchain/keeper/sender.ts";
import { AppError, EXIT } from "../../../offchain/util/errors.ts";
import { portOf } from "../../../offchain/util/health.ts";
import { silentLog } from "../../../offchain/util/log.ts";
import { SENDER_RULES, blockedBy, kinds, startWorld } from "./world.ts";
import type { KeeperWorld } from "./world.ts";

type Fault = "answers an error" | "hangs";

describe("the keeper, when its execution node fails in the middle of a turn", function () {
  this.timeout(60_000);
  let world: KeeperWorld;
  let rpc: Server;
  let keeper: Keeper;
  /** By method: what happens instead, this many times. */
  const faults = new Map<string, { readonly fault: Fault; times: number }>();
  let now = 0;

  before(async () => {
    world = await startWorld();
    const { p, connection, api } = world;
    rpc = await serveRpc(
      {
        request: async (call) => {
          const planned = faults.get(call.method);
          if (planned === undefined || planned.times === 0) return connection.provider.request(call);
          planned.times -= 1;
          if (planned.fault === "hangs") await new Promise(() => undefined);
          throw new Error("the database is locked");
        },
      },
      0,
    );
    const [token, wrapped] = await Promise.all([p.token.getAddress(), p.wrapped.getAddress()]);
    const provider = new ExecutionProvider({
      urls: [`http://127.0.0.1:${portOf(rpc)}`],
      chainId: 31_337n,
      timeoutSeconds: 1,
    });
    const protocol = await connect(provider, { chainId: 31_337n, token, wrapped, fromBlock: 0 });
    const clock = { now: () => world.clock.now() + now, sleep: () => Promise.resolve() };
    const account = new Wallet(fundedWallets(9).at(-1)?.privateKey ?? "", provider);
    keeper = world.keeper({
      sources: {
        protocol,
        beacon: new BeaconClient({ urls: [api.url], clock: world.clock, chainId: 31_337n }),
        reader: new ValidatorReader(protocol.validators, provider, 0),
      },
      sender: new Sender(account, provider, clock, SENDER_RULES, silentLog),
      clock,
    });
    const keys = await predeposit(p, 1, 0);
    await p.beacon.advanceUntil((state) => keys.every(({ pubkey }) => state.validator(pubkey) !== undefined));
    await world.finalize();
  });
  afterEach(() => faults.clear());
  after(async () => {
    await world.close();
    rpc.closeAllConnections();
    rpc.close();
  });

  const fail = (method: string, fault: Fault, times = 1): void => void faults.set(method, { fault, times });
  const nonce = () => world.p.keeper.getNonce();

  for (const fault of ["answers an error", "hangs"] as const)
    it(`gives the turn up in one line where it can't read: ${fault}`, async () => {
      fail("eth_getLogs", fault, Infinity);
      fail("eth_getBlockByNumber", fault, Infinity);
      const error: unknown = await keeper.turn().catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(AppError);
      expect((error as AppError).exitCode).to.equal(EXIT.unavailable);
      expect((error as AppError).message).to.not.include("\n");
    });

  for (const fault of ["answers an error", "hangs"] as const)
    it(`sends nothing where it fails between plan and transaction, and tries again later: ${fault}`, async () => {
      const before = await nonce();
      fail("eth_estimateGas", fault);
      const { plan, done } = await keeper.turn();
      expect(kinds(plan.actions)).to.deep.equal(["proveValidators"]);
      expect(done).to.deep.equal([]);
      expect(await blockedBy(world, "proveValidators")).to.deep.equal(["waiting to try again"]);
      expect((await keeper.turn()).done, "not at once").to.deep.equal([]);
      expect(await nonce()).to.equal(before);
      now += 60;
    });

  it("never sends twice what was sent before the node failed: the next turn sees that it is done", async () => {
    const before = await nonce();
    fail("eth_getTransactionReceipt", "answers an error", Infinity);
    expect((await keeper.turn()).done).to.deep.equal([]);
    expect(await nonce(), "it was mined all the same").to.equal(before + 1);
    faults.clear();
    now += 60;
    const { plan, done } = await keeper.turn();
    expect(kinds(plan.actions)).to.deep.equal([]);
    expect(done).to.deep.equal([]);
    expect(await nonce()).to.equal(before + 1);
  });
});
