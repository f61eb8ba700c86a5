import { expect } from "chai";
import { fundValidators } from "../../../devnet/simulated/localProtocol.ts";
import { BeaconClient } from "../../../offchain/beacon/client.ts";
import { ValidatorReader } from "../../../offchain/chain/validatorReader.ts";
import { readSnapshot } from "../../../offchain/keeper/snapshot.ts";
import { answers, changesJson, hostileBeacon, on } from "../../helpers/hostile/beacon.ts";
import { ETH, startWorld } from "./world.ts";
import type { KeeperWorld } from "./world.ts";

describe("the keeper, where its beacon node leaves out validators", function () {
  this.timeout(60_000);
  let world: KeeperWorld;

  before(async () => {
    world = await startWorld();
    const { p } = world;
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 62n * ETH });
    await fundValidators(p, 2, 0);
    await world.finalize();
  });
  after(async () => world.close());

  it("plans nothing without one that was funded before that state, and asks the next node", async () => {
    const short = await hostileBeacon(
      world.api.url,
      on(/debug/, answers(404)),
      on(
        /\/validators/,
        changesJson((json: { data: unknown[] }) => ({ ...json, data: json.data.slice(1) })),
      ),
    );
    const { protocol, clock } = world;
    const read = async (...urls: string[]) => {
      const beacon = new BeaconClient({ urls, clock, chainId: 31_337n });
      const { provider } = protocol;
      return readSnapshot({ protocol, beacon, reader: new ValidatorReader(protocol.validators, provider, 0) });
    };
    const failure: unknown = await read(short.url).catch((error: unknown) => error);
    expect((failure as Error).message).to.include("lacks 1 of 2 validators");
    expect((await read(short.url, world.api.url)).state.validators.size).to.equal(2);
    await short.close();
  });
});
