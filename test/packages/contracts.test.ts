import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ContractFactory } from "ethers";
import type { InterfaceAbi } from "ethers";
import { startLocalProtocol } from "../../devnet/simulated/localProtocol.ts";
import { packAll } from "../../scripts/lib/packages.ts";
import { connection, loadFixture } from "../helpers/network.ts";
import { EmptyProject } from "./project.ts";

const ETH = 10n ** 18n;
const NAME = "@estuary/contracts";

interface Compiled {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Record<string, Record<string, { abi: InterfaceAbi; evm: { bytecode: { object: string } } }>>;
}

interface Solc {
  compile(input: string, callbacks: { import: (path: string) => { contents: string } | { error: string } }): string;
}

async function running() {
  return startLocalProtocol(connection);
}

describe("@estuary/contracts, installed from its tarball", function () {
  this.timeout(120_000);
  const out = mkdtempSync(join(tmpdir(), "estuary-tarballs-"));
  let project: EmptyProject;
  before(async () => {
    project = new EmptyProject(["@openzeppelin/contracts"]);
    await project.install(NAME, packAll(out).contracts);
  });
  after(() => {
    rmSync(out, { recursive: true });
    rmSync(project.folder, { recursive: true });
  });

  /** With what is installed there, and nothing else. */
  function compile(sources: Readonly<Record<string, string>>): Compiled {
    const solc = createRequire(import.meta.url)("solc") as Solc;
    const input = {
      language: "Solidity",
      sources: Object.fromEntries(Object.entries(sources).map(([name, content]) => [name, { content }])),
      settings: { outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } }, evmVersion: "prague" },
    };
    const read = (path: string) => {
      try {
        return { contents: readFileSync(join(project.folder, "node_modules", path), "utf8") };
      } catch {
        return { error: `no ${path}` };
      }
    };
    return JSON.parse(solc.compile(JSON.stringify(input), { import: read })) as Compiled;
  }

  it("holds interfaces that compile without this repository, for 0.8.20 and later", () => {
    const folder = join(project.folder, "node_modules", NAME);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sol"));
    expect(files.length).to.be.above(12);
    for (const name of files)
      expect(readFileSync(join(folder, name), "utf8"), name).to.contain("pragma solidity >=0.8.20;");
    const all = files.map((name) => `import "${NAME}/${name}";`).join("\n");
    const { errors = [] } = compile({ "All.sol": `pragma solidity >=0.8.20;\n${all}` });
    expect(errors.filter(({ severity }) => severity === "error").map((error) => error.formattedMessage)).to.deep.equal(
      [],
    );
  });

  it("is enough for the documented vault, which stakes, is worth what it staked, and leaves", async () => {
    const path = `${NAME}/examples/Vault.sol`;
    const { errors = [], contracts } = compile({ "Own.sol": `pragma solidity >=0.8.20;\nimport "${path}";` });
    expect(errors.filter(({ severity }) => severity === "error")).to.deep.equal([]);
    const artifact = contracts[path]?.["Vault"];
    if (artifact === undefined) throw new Error("not compiled");
    const p = await loadFixture(running);
    const factory = new ContractFactory(artifact.abi, artifact.evm.bytecode.object, p.alice);
    const vault = await factory.deploy(p.token, p.wrapped);
    const call = (name: string, ...values: unknown[]) => vault.getFunction(name)(...values) as Promise<unknown>;
    await call("deposit", { value: 4n * ETH });
    const held = (await call("balanceOf", p.alice)) as bigint;
    expect(held).to.equal(await p.wrapped.balanceOf(vault));
    await expect(call("worth", p.alice), "before the first report").to.be.revertedWithCustomError(vault, "NotCalm");
    await p.committee.report();
    expect(await call("worth", p.alice)).to.be.closeTo(4n * ETH, 10n);
    await call("leave", held / 2n);
    expect(await p.queue.ownerOf(1n)).to.equal(p.alice.address);
    await expect(call("leave", held)).to.be.revertedWithCustomError(vault, "InsufficientBalance");
  });
});
