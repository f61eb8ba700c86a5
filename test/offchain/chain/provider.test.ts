import { expect } from "chai";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Wallet, keccak256 } from "ethers";
import type { ExecutionProvider } from "../../../offchain/chain/provider.ts";
import { openProvider } from "../../../offchain/chain/provider.ts";
import { AppError, EXIT } from "../../../offchain/util/errors.ts";
import { failure } from "./harness.ts";

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params?: readonly unknown[];
}

interface Node {
  readonly url: string;
  asked: number;
  /** Answers with this status from now on. */
  status: number;
}

describe("the execution layer's nodes", () => {
  const servers: Server[] = [];
  const providers: ExecutionProvider[] = [];

  /** Answers every method with the chain's id, or `body`, or what `answer` has for it. */
  async function serve(
    chainId: number,
    body?: string,
    answer: (call: Call) => object | undefined = () => undefined,
  ): Promise<Node> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        node.asked += 1;
        const payload = JSON.parse(Buffer.concat(chunks).toString()) as Call | Call[];
        const one = (call: Call) => ({
          jsonrpc: "2.0",
          id: call.id,
          ...(answer(call) ?? { result: `0x${chainId.toString(16)}` }),
        });
        const text = body ?? JSON.stringify(Array.isArray(payload) ? payload.map(one) : one(payload));
        response.writeHead(node.status);
        response.end(text);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    const node: Node = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: 0, status: 200 };
    return node;
  }

  /** A port that nobody listens on. */
  async function gone(): Promise<string> {
    const node = await serve(5);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    return node.url;
  }

  async function open(nodes: readonly Node[], extra: readonly string[] = []): Promise<ExecutionProvider> {
    const provider = await openProvider([...extra, ...nodes.map(({ url }) => url)], { timeoutSeconds: 2 });
    providers.push(provider);
    return provider;
  }

  afterEach(() => {
    for (const provider of providers.splice(0)) provider.destroy();
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  it("are asked in turn when one fails, and the one that answered is kept", async () => {
    const [first, second] = [await serve(5), await serve(5)];
    const provider = await open([first, second], [await gone()]);
    expect((await provider.getNetwork()).chainId).to.equal(5n);
    expect(await provider.getBlockNumber()).to.equal(5);
    for (const status of [503, 429, 408]) {
      [first.status, second.status] = [status, 200];
      expect(await provider.getBlockNumber()).to.equal(5);
    }
    [first.status, first.asked] = [200, 0];
    expect(await provider.getBlockNumber()).to.equal(5);
    expect(first.asked).to.equal(0);
  });

  it("are unavailable together, by the name of each host and without its path", async () => {
    const node = await serve(5);
    const provider = await open([node]);
    node.status = 500;
    const error = await failure(provider.getBlockNumber());
    expect(error).to.be.instanceOf(AppError).and.include({ exitCode: EXIT.unavailable });
    expect(error.message).to.match(/^execution node 127\.0\.0\.1:\d+: answered 500$/);
    const none = await failure(openProvider([`${await gone()}/secret`, (await serve(5, "<html>")).url]));
    expect(none.message).to.contain(": ECONNREFUSED").and.contain("not JSON").and.not.contain("secret");
    expect((await failure(openProvider([]))).message).to.contain("no execution node is configured");
  });

  it("are asked in turn whatever a status says of one of them: its key, plan, path or size", async () => {
    const [first, second] = [await serve(5), await serve(5)];
    const provider = await open([first, second]);
    for (const status of [400, 401, 402, 403, 404, 405, 410, 413, 415, 500]) {
      [first.status, second.status] = second.asked > first.asked ? [200, status] : [status, 200];
      expect(await provider.getBlockNumber(), String(status)).to.equal(5);
    }
  });

  it("don't ask another about what is final", async () => {
    const said = [
      [{ code: 3, message: "execution reverted", data: "0x12345678" }, "eth_call"],
      [{ code: -32_015, message: "VM execution error.", data: "Reverted 0x12345678" }, "eth_call"],
      [{ code: -32_000, message: "VM Exception while processing transaction: revert" }, "eth_estimateGas"],
      [{ code: -32_602, message: "invalid argument 0: hex string has length 3" }, "eth_getBalance"],
      [{ code: -32_601, message: "the method eth_x does not exist/is not available" }, "eth_x"],
    ] as const;
    for (const [error, wanted] of said) {
      const first = await serve(5, undefined, ({ method }) => (method === wanted ? { error } : undefined));
      const second = await serve(5);
      const provider = await open([first, second]);
      second.asked = 0;
      const thrown = await failure(provider.send(wanted, [{}]));
      expect(second.asked, error.message).to.equal(0);
      if (wanted !== "eth_call") continue;
      expect((thrown as { data?: unknown }).data).to.equal("0x12345678");
    }
  });

  it("send a transaction on by the next when one fails, and take it as sent when the first had taken it all the same", async () => {
    const wallet = new Wallet(`0x${"11".repeat(32)}`);
    const raw = await wallet.signTransaction({ to: wallet.address, nonce: 3, gasLimit: 21_000, chainId: 5, type: 2 });
    const hash = keccak256(raw);
    const sent: string[] = [];
    const first = await serve(5, undefined, ({ method, params }) => {
      if (method !== "eth_sendRawTransaction") return undefined;
      sent.push(`first ${String(params?.[0] === raw)}`);
      first.status = 503;
      return { result: hash };
    });
    let [refusal, known] = ["", null as object | null];
    const second = await serve(5, undefined, ({ method, params }) => {
      if (method === "eth_getTransactionByHash") return { result: params?.[0] === hash ? known : null };
      if (method !== "eth_sendRawTransaction") return undefined;
      sent.push(`second ${String(params?.[0] === raw)}`);
      return refusal === "" ? { result: hash } : { error: { code: -32_000, message: refusal } };
    });
    const provider = await open([first, second]);
    expect(await provider.send("eth_sendRawTransaction", [raw])).to.equal(hash);
    expect(sent).to.deep.equal(["first true", "second true"]);
    for (refusal of ["already known", "nonce too low"]) {
      known = { hash };
      expect(await provider.send("eth_sendRawTransaction", [raw])).to.equal(hash);
      known = null;
      expect((await failure(provider.send("eth_sendRawTransaction", [raw]))).message).to.include(refusal);
    }
  });

  it("must all serve one chain", async () => {
    const error = await failure(open([await serve(5), await serve(6)]));
    expect(error).to.include({ exitCode: EXIT.usage });
    expect(error.message).to.match(/^wrong chain: 127\.0\.0\.1:\d+ serves 5, 127\.0\.0\.1:\d+ serves 6$/);
  });
});
