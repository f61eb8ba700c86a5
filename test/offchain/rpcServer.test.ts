import { expect } from "chai";
import { JsonRpcProvider } from "ethers";
import type { AddressInfo } from "node:net";
import { serveRpc } from "../../devnet/rpcServer.ts";
import { provider } from "../helpers/network.ts";

describe("The network served by npm run dev", () => {
  it("answers ethers, batches and malformed requests over HTTP", async () => {
    const server = await serveRpc(provider, 0);
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const client = new JsonRpcProvider(url, undefined, { staticNetwork: true });
      expect((await client.getNetwork()).chainId).to.equal(31_337n);
      client.destroy();
      const post = async (body: string): Promise<unknown> => (await fetch(url, { method: "POST", body })).json();
      expect(
        await post('[{"id":1,"method":"eth_chainId"},{"id":2,"method":"eth_nothing"},{"id":3}]'),
      ).to.have.nested.property("[0].result", "0x7a69");
      expect(await post("{")).to.have.nested.property("error.code", -32_700);
      expect(await post('{"id":3}')).to.have.nested.property("error.code", -32_600);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
