import { expect } from "chai";
import { readOutlook } from "../../../offchain/chain/read/outlook.ts";
import { readWithdrawals } from "../../../offchain/chain/read/withdrawals.ts";
import { wei } from "../../../offchain/protocol/units.ts";
import { fundValidators, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { connection, loadFixture } from "../../helpers/network.ts";
import { ETH, sdkOf } from "./harness.ts";

/** 32 ETH at a validator, and a request that the buffer can't pay. */
async function staked() {
  const p = await startLocalProtocol(connection);
  const { alice, carol } = p;
  await p.pool.connect(alice).deposit(alice, alice, { value: 40n * ETH });
  await p.pool.connect(carol).deposit(carol, carol, { value: 20n * ETH });
  await fundValidators(p, 1, 0);
  await p.committee.report();
  return p;
}

describe("what a withdrawal would have to wait for", () => {
  it("is told before the request as it is told after it, whether the ether is there or not", async () => {
    const p = await loadFixture(staked);
    const sdk = await sdkOf(p);
    for (const amount of [ETH, 38n * ETH]) {
      const before = (await readOutlook(sdk)).waitFor(wei(amount));
      await p.queue.connect(p.alice).requestWithdrawals([amount], p.alice);
      const { requests } = await readWithdrawals(sdk, p.alice.address);
      const after = requests.at(-1)?.wait;
      expect(before.reason).to.equal(after?.reason);
      expect(before.earliest).to.equal(after?.earliest);
      const apart = before.expected - (after?.expected ?? 0n);
      const frame = await p.queue.frame();
      expect(apart <= frame && apart >= -frame, `${apart} s apart`).to.equal(true);
    }
  });

  it("names what waits before, and when the next report is expected", async () => {
    const p = await loadFixture(staked);
    const sdk = await sdkOf(p);
    await p.queue.connect(p.carol).requestWithdrawals([5n * ETH], p.carol);
    const { ahead, buffer, nextReport, block } = await readOutlook(sdk);
    expect(ahead).to.equal(await p.pool.promised());
    expect(buffer).to.equal(await p.pool.buffer());
    expect(nextReport > block.timestamp).to.equal(true);
    expect(nextReport - (await p.pool.books()).lastReportTime).to.equal(await p.queue.frame());
  });
});
