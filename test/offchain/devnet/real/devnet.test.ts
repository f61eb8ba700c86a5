import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { JsonRpcProvider } from "ethers";
import { DEFAULT_PARAMETERS } from "../../../../devnet/real/chainConfig.ts";
import { OtherDevnetError, startDevnet } from "../../../../devnet/real/devnet.ts";
import type { Devnet } from "../../../../devnet/real/devnet.ts";
import { fundedWallets } from "../../../../devnet/real/executionGenesis.ts";
import { choosePorts } from "../../../../devnet/real/processes.ts";
import { mined } from "../../../../devnet/scenario/world.ts";
import { expectRejection } from "./expectRejection.ts";

describe("the real devnet", () => {
  const folder = mkdtempSync(join(tmpdir(), "estuary-devnet-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const events: string[] = [];
  const start = async (genesisValidators = 32): Promise<Devnet> =>
    startDevnet({
      folder,
      parameters: { ...DEFAULT_PARAMETERS, genesisValidators },
      ports: await choosePorts(),
      pace: { slotMs: 0, blockEvery: 4 },
      feeRecipient: "0x00000000000000000000000000000000000fee00",
      onEvent: (line) => events.push(line),
    });
  const reach = async (devnet: Devnet, slot: number): Promise<void> => {
    for (;;) {
      const status = await devnet.status().catch(() => undefined);
      if ((status?.slot ?? 0) >= slot) return;
      await sleep(50);
    }
  };

  it("runs both clients, goes on when one of them is killed, and continues from its folder", async function () {
    this.timeout(300_000);
    let devnet = await start();
    let reached: number;
    try {
      const provider = new JsonRpcProvider(devnet.rpcUrl, DEFAULT_PARAMETERS.chainId, {
        staticNetwork: true,
        cacheTimeout: -1,
      });
      const [alice, bob] = fundedWallets(2);
      if (alice === undefined || bob === undefined) throw new Error("no accounts");
      const { hash } = await mined(alice.connect(provider).sendTransaction({ to: bob, value: 1n }));
      await reach(devnet, 16);

      devnet.execution.kill();
      const { slot } = await devnet.status();
      await reach(devnet, slot + 12);
      expect(events).to.have.length(1);
      expect(events[0]).to.match(/execution client ended \(SIGKILL\): starting it again/);
      expect(await provider.getTransactionReceipt(hash), "nothing is lost").to.not.be.null;

      devnet.beacon.kill();
      await devnet.beacon.whenHealthy();
      await reach(devnet, slot + 24);
      expect(devnet.crashes(), "what is killed has not crashed").to.equal(0);
      expect(devnet.memory()).to.be.within(1, 1_024);
      ({ slot: reached } = await devnet.status());
      provider.destroy();
    } finally {
      await devnet.stop();
    }
    expect(devnet.execution.isRunning || devnet.beacon.isRunning).to.be.false;

    devnet = await start();
    try {
      expect((await devnet.status()).slot).to.be.at.least(reached);
      await reach(devnet, reached + 8);
    } finally {
      await devnet.stop();
    }
    const { message } = await expectRejection(start(33), OtherDevnetError);
    expect(message).to.contain("genesisValidators is 32 there, not 33").and.not.contain("fork");
  });
});
