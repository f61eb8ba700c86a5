/** `npm run dev -- --devnet`: the app on the real clients of `npm run devnet`, with the committee's daemons and the keeper. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { controlHandler } from "../../../devnet/dev/control.ts";
import type { Controls } from "../../../devnet/dev/control.ts";
import { walletAccounts, walletOf } from "../../../devnet/dev/month.ts";
import { servePages } from "../../../devnet/dev/pages.ts";
import { TEST_ETHER } from "../../../devnet/dev/simulatedControls.ts";
import { DEVNET_SETTINGS } from "../../../devnet/real/protocol.ts";
import type { DeployedProtocol } from "../../../devnet/real/protocol.ts";
import { SLOTS_PER_EPOCH } from "../../../offchain/protocol/frames.ts";
import { AppError, EXIT } from "../../../offchain/util/errors.ts";
import { readOptions } from "../devnet/options.ts";
import { runDevnet } from "../devnet/run.ts";
import { LOCAL_APP, buildLocalApp } from "../build.ts";
import type { DevOptions } from "./options.ts";

const LOOK_SECONDS = 2;

/** @throws as `runDevnet` */
export async function runOnDevnet(options: DevOptions, stop: AbortSignal): Promise<void> {
  const { folder, daySeconds, fresh } = options;
  if (fresh && existsSync(folder)) {
    if (!existsSync(join(folder, "devnet.json")))
      throw new AppError(EXIT.usage, `--fresh: ${folder} holds no devnet, and is left as it is`);
    rmSync(folder, { recursive: true });
  }
  const frameSlots = Number(DEVNET_SETTINGS.epochsPerFrame * SLOTS_PER_EPOCH);
  const slotMs = Math.round((daySeconds * 1_000) / frameSlots);
  const built = buildLocalApp(stop);
  built.catch(() => undefined);
  const devnetOptions = {
    ...readOptions(["--daemons", "--slot-ms", String(slotMs)]),
    rpcPort: options.port,
    beaconPort: options.beaconPort,
    folder,
  };
  await runDevnet(devnetOptions, stop, async (devnet, protocol) => {
    await built;
    const { token, wrapped } = protocol.contracts;
    const { chainId } = devnet.options.parameters;
    const addresses = { token: await token.getAddress(), wrapped: await wrapped.getAddress() };
    const pages = await servePages({
      folder: LOCAL_APP,
      rpcUrl: devnet.rpcUrl,
      port: options.appPort,
      config: {
        network: "Devnet",
        deployment: { chainId, ...addresses, fromBlock: 0 },
        rpc: ["rpc"],
        clock: "chain",
        pollSeconds: LOOK_SECONDS,
        accounts: walletAccounts(),
        control: "control",
      },
      also: { control: controlHandler(devnetControls(protocol, daySeconds)) },
    });
    return { name: "the app", url: pages.url, close: () => pages.close() };
  });
}

/** Of real clients: their time can't be moved, and what they do is not this program's. */
function devnetControls({ contracts, provider }: DeployedProtocol, daySeconds: number): Controls {
  const { oracle } = contracts;
  return {
    state: async () => {
      const [block, last, slotsPerFrame, genesisTime] = await Promise.all([
        provider.getBlock("latest"),
        oracle.lastRefSlot(),
        oracle.slotsPerFrame(),
        oracle.genesisTime(),
      ]);
      const time = block?.timestamp ?? 0;
      const frame = Number(slotsPerFrame) * 12;
      const lastTime = Number(genesisTime + last * 12n);
      const nextReference = lastTime + (Math.floor((time - lastTime) / frame) + 1) * frame;
      return {
        network: "devnet",
        daySeconds,
        time,
        nextReference,
        silentUntil: undefined,
        validators: [],
        testEther: String(TEST_ETHER),
      };
    },
    testEther: async (to) => {
      const sent = await walletOf("faucet").connect(provider).sendTransaction({ to, value: TEST_ETHER });
      await sent.wait();
    },
  };
}
