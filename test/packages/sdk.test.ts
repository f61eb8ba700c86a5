import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { serveRpc } from "../../devnet/rpcServer.ts";
import { startLocalProtocol } from "../../devnet/simulated/localProtocol.ts";
import { writeDeployment } from "../../offchain/chain/deploymentFile.ts";
import { packAll } from "../../scripts/lib/packages.ts";
import { connection, loadFixture, provider } from "../helpers/network.ts";
import { EmptyProject } from "./project.ts";

const TSC = resolve("node_modules/typescript/bin/tsc");
const VITE = resolve("node_modules/vite/bin/vite.js");

async function running() {
  return startLocalProtocol(connection);
}

describe("@estuary/sdk, installed from its tarball into an empty project", function () {
  this.timeout(180_000);
  const out = mkdtempSync(join(tmpdir(), "estuary-tarballs-"));
  let project: EmptyProject;
  let examples: readonly string[] = [];
  let server: Server | undefined;

  before(async () => {
    const { sdk } = packAll(out);
    project = new EmptyProject(["ethers", "zod", "@types/node"]);
    await project.install("@estuary/sdk", sdk);
    const page = readFileSync(join(project.folder, "node_modules/@estuary/sdk/README.md"), "utf8");
    examples = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, text = ""], index) => {
      const name = `example${index + 1}.ts`;
      project.write(name, text);
      return name;
    });
  });
  afterEach(() => {
    server?.close();
    server?.closeAllConnections();
  });
  after(() => {
    rmSync(out, { recursive: true });
    rmSync(project.folder, { recursive: true });
  });

  it("depends on zod alone, and leaves ethers to whoever installs it", () => {
    const manifest = JSON.parse(
      readFileSync(join(project.folder, "node_modules/@estuary/sdk/package.json"), "utf8"),
    ) as { dependencies: object; peerDependencies: object; devDependencies?: object };
    expect(manifest.dependencies).to.have.all.keys("zod");
    expect(manifest.peerDependencies).to.have.all.keys("ethers");
    expect(manifest.devDependencies).to.be.undefined;
  });

  it("type-checks the documented examples, declarations of libraries included, in both ways of finding modules", async () => {
    for (const [module, moduleResolution] of [
      ["nodenext", "nodenext"],
      ["esnext", "bundler"],
    ] as const) {
      const compilerOptions = {
        ...{ module, moduleResolution, target: "es2022", lib: ["es2024", "dom"], types: ["node"] },
        ...{ strict: true, noEmit: true, exactOptionalPropertyTypes: true },
      };
      project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: examples }));
      await project.node([TSC, "-p", "."]);
    }
  });

  it("finds a mistake in an argument: the types are not `any`", async () => {
    project.write(
      "wrong.ts",
      'import { ABIS } from "@estuary/sdk/abis";\nimport type { StakedEther } from "@estuary/sdk/types";\n' +
        'import { readProtocol } from "@estuary/sdk";\nvoid readProtocol("no protocol");\n' +
        "export const shares = (token: StakedEther): Promise<string> => token.getTotalShares();\nABIS.Nothing;\n",
    );
    const options = ["--module", "nodenext", "--noEmit", "--strict", "--skipLibCheck", "--types", "node"];
    const failure = await project.node([TSC, ...options, "wrong.ts"]).then(
      () => "",
      (error: unknown) => String(error),
    );
    expect(failure.match(/wrong\.ts\(\d/g)).to.have.length(3);
  });

  it("runs the documented examples under Node", async () => {
    const p = await loadFixture(running);
    const file = join(project.folder, "deployment.json");
    const [token, wrapped] = await Promise.all([p.token.getAddress(), p.wrapped.getAddress()]);
    writeDeployment(file, { chainId: 31_337n, token, wrapped, fromBlock: 0 });
    server = await serveRpc(provider, 0);
    const env = { RPC_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, DEPLOYMENT: file };
    const printed: string[] = [];
    for (const example of examples) printed.push(await project.node([example], env));
    expect(printed).to.have.length(3);
    expect(printed[0]).to.match(/^[\d.]+ ETH pooled\n$/);
    expect(printed[1]).to.match(/^staked 2000000000000000000 wei\nrefused: RequestTooSmall\n$/);
    expect(printed[2]).to.match(/has 11 wei; \d+ entries\n$/);
  });

  it("builds for a browser with Vite, without a module of Node", async () => {
    project.write("index.html", '<!doctype html><script type="module" src="./app.ts"></script>');
    project.write(
      "app.ts",
      'import * as sdk from "@estuary/sdk";\nimport { ABIS } from "@estuary/sdk/abis";\nimport * as twin from "@estuary/sdk/protocol";\n' +
        "document.title = Object.keys({ ...sdk, ...ABIS, ...twin }).join();\n",
    );
    const printed = await project.node([VITE, "build", "--outDir", "dist"]);
    expect(printed).to.not.contain("externalized");
    const assets = join(project.folder, "dist/assets");
    const built = readdirSync(assets).map((name) => readFileSync(join(assets, name), "utf8"));
    expect(built.join("")).to.not.match(/["'](node:\w+|fs|path)["']/);
  });
});
