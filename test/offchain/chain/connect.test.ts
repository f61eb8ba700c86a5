import { expect } from "chai";
import { JsonRpcProvider, Wallet } from "ethers";
import { connect, ConnectError, formatDeployment, parseDeployment } from "../../../offchain/chain/connect.ts";
import type { Protocol } from "../../../offchain/chain/connect.ts";
import { deploymentOf } from "../../../offchain/chain/deploymentFile.ts";
import { EXIT, AppError } from "../../../offchain/util/errors.ts";
import { startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { StakedEther__factory, WrappedStakedEther__factory } from "../../../typechain-types/index.ts";
import { connection, ethers, loadFixture } from "../../helpers/network.ts";
import { failure, sdkOf, watched } from "./harness.ts";

async function local() {
  const p = await startLocalProtocol(connection);
  const deployment = {
    chainId: 31_337n,
    token: p.token.target as string,
    wrapped: p.wrapped.target as string,
    fromBlock: 0,
  };
  return { p, deployment };
}

describe("connecting to the protocol", () => {
  it("finds every contract from the two that stay", async () => {
    const { p } = await loadFixture(local);
    const sdk = await sdkOf(p);
    for (const name of ["pool", "queue", "operators", "validators", "oracle", "withdrawalVault"] as const)
      expect(sdk[name].target, name).to.equal(p[name].target);
    expect(sdk.rewardsVault).to.equal(p.rewardsVault.target);
    expect(sdk.multicall).to.equal(false);
  });

  it("asks those that the addresses file names, all at once, and finds those anew that were replaced", async () => {
    const { p, deployment } = await loadFixture(local);
    const named = await deploymentOf(31_337n, p.contracts, 0);
    expect(parseDeployment(formatDeployment(named), "31337.json")).to.deep.equal(named);
    const { pool, ...others } = named.contracts ?? expect.fail("it names none");
    const targets = ({ pool: one, queue, operators, validators, oracle, withdrawalVault, rewardsVault }: Protocol) => [
      ...[one, queue, operators, validators, oracle, withdrawalVault].map(({ target }) => target),
      rewardsVault,
    ];
    const right = targets(await connect(ethers.provider, deployment));
    const { provider, asked } = watched();
    const once = await connect(provider, named);
    expect(targets(once)).to.deep.equal(right);
    const calls = asked.get("call") ?? 0;
    // a contract that is not the pool any more, and one that never was
    for (const wrong of [p.queue.target as string, Wallet.createRandom().address]) {
      asked.clear();
      const found = await connect(provider, { ...named, contracts: { pool: wrong, ...others } });
      expect(targets(found)).to.deep.equal(right);
      expect(asked.get("call")).to.be.greaterThan(calls);
    }
    const stranger = await new WrappedStakedEther__factory(p.alice).deploy(p.bob);
    const error = await failure(connect(provider, { ...named, wrapped: stranger.target as string }));
    expect(error).to.be.instanceOf(ConnectError).and.include({ kind: "miswired" });
    expect(pool).to.equal(p.pool.target);
  });

  it("reads the addresses file that it writes, and names every problem of another", async () => {
    const { deployment } = await loadFixture(local);
    expect(parseDeployment(formatDeployment(deployment), "31337.json")).to.deep.equal(deployment);
    expect(() => parseDeployment("{", "a.json")).to.throw(AppError, "a.json: not JSON");
    const wrong = JSON.stringify({ chainId: -1, token: "0x12", wrapped: deployment.wrapped, fromBlock: 0 });
    expect(() => parseDeployment(wrong, "a.json")).to.throw(/a\.json: chainId: .*\na\.json: token: an address/s);
  });

  it("refuses a node of another chain", async () => {
    const { deployment } = await loadFixture(local);
    const error = await failure(connect(ethers.provider, { ...deployment, chainId: 1n }));
    expect(error).to.be.instanceOf(ConnectError).and.include({ kind: "wrong-chain", exitCode: EXIT.usage });
    expect(error.message).to.equal("wrong chain: the node serves 31337, the protocol is on 1");
  });

  it("refuses addresses without a contract", async () => {
    const { deployment } = await loadFixture(local);
    const nowhere = Wallet.createRandom().address;
    for (const name of ["token", "wrapped"] as const) {
      const error = await failure(connect(ethers.provider, { ...deployment, [name]: nowhere }));
      expect(error).to.be.instanceOf(ConnectError).and.include({ kind: "not-deployed", exitCode: EXIT.usage });
      expect(error.message).to.contain(`no contract at ${nowhere} on chain 31337`);
    }
  });

  it("refuses contracts that are other ones, or of different deployments", async () => {
    const { p, deployment } = await loadFixture(local);
    const stranger = await new WrappedStakedEther__factory(p.alice).deploy(p.bob);
    const wrong = [
      [{ token: p.oracle.target as string }, "is not estETH"],
      [{ wrapped: stranger.target as string }, `wraps ${p.bob.address}, not`],
    ] as const;
    for (const [part, words] of wrong) {
      const error = await failure(connect(ethers.provider, { ...deployment, ...part }));
      expect(error, JSON.stringify(part)).to.be.instanceOf(ConnectError).and.include({ kind: "miswired" });
      expect(error.message).to.contain(words);
    }
  });

  it("refuses a deployment that stopped before it had a pool", async () => {
    const { p, deployment } = await loadFixture(local);
    const token = await new StakedEther__factory(p.alice).deploy(p.authority, p.queue);
    const wrapped = await new WrappedStakedEther__factory(p.alice).deploy(token);
    const addresses = { token: token.target as string, wrapped: wrapped.target as string };
    const error = await failure(connect(ethers.provider, { ...deployment, ...addresses }));
    expect(error).to.be.instanceOf(ConnectError).and.include({ kind: "not-deployed" });
    expect(error.message).to.contain("has no pool");
  });

  it("refuses a node that does not answer, with the code of a missing dependency", async () => {
    const { deployment } = await loadFixture(local);
    const gone = watched({
      getNetwork: () => Promise.reject(new Error("connect ECONNREFUSED 127.0.0.1:1")),
    });
    const error = await failure(connect(gone.provider, deployment));
    expect(error).to.be.instanceOf(AppError).and.include({ exitCode: EXIT.unavailable });
    const nobody = new JsonRpcProvider("http://127.0.0.1:1", 31_337, { staticNetwork: true });
    const refused = await failure(connect(nobody, deployment));
    nobody.destroy();
    expect(refused).to.include({ exitCode: EXIT.unavailable });
  });
});
