/** The programs of npm run, as processes: help before anything is built, and settings that are missing. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { DEFAULT_PARAMETERS } from "../../../devnet/real/chainConfig.ts";
import { USAGE } from "../../../scripts/lib/usage.ts";
import type { ProgramName } from "../../../scripts/lib/usage.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const { scripts, version } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  scripts: Record<string, string>;
  version: string;
};
const NAMES = Object.keys(USAGE) as ProgramName[];

/** A script of package.json with arguments, with no program on the path but Node itself: what would build or start anything fails. */
function run(name: string, ...args: string[]) {
  const [, ...words] = (scripts[name] ?? "")
    .replace(/^exec /, "")
    .replace(/^tsx /, "node --import tsx ")
    .split(" ");
  const env = { HOME: root, PATH: "/nowhere" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [...words, ...args], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("the programs of npm run", () => {
  for (const name of NAMES)
    for (const option of name === "devnet" ? ["--help", "-h"] : ["--help"])
      it(`answer ${name} -- ${option} at once, with exit code 0`, () => {
        const { status, stdout, stderr } = run(name, option);
        expect({ status, stderr }).to.deep.equal({ status: 0, stderr: "" });
        expect(stdout.trim()).to.equal(USAGE[name]);
        expect(stdout)
          .to.match(/^usage: npm (run )?[\w:]+ -- /)
          .and.include("Exit codes: 0 ");
      });

  it("say the devnet's defaults as they are", () => {
    const { genesisValidators, fork, rewardFactor } = DEFAULT_PARAMETERS;
    expect(USAGE.devnet)
      .to.include(`beacon node (${genesisValidators})`)
      .and.include(`beacon chain (${fork})`)
      .and.include(`mainnet (${rewardFactor}:`);
  });

  it("tell the version of package.json", () => {
    expect(run("estuary", "--version")).to.deep.equal({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("name all settings of a deployment that are missing, a line each, with exit code 2", () => {
    const words = ["--import", "tsx", "scripts/deploy.ts", "--network", "hoodi"];
    const env = { HOME: "/nowhere", PATH: "/nowhere", ESTUARY_QUORUM: "1", ESTUARY_COMMITTEE: "0x12" };
    const { status, stderr } = spawnSync(process.execPath, words, { cwd: root, env, encoding: "utf8" });
    expect(stderr.trim().split("\n")).to.deep.equal([
      "HOODI_RPC_URL: missing, or not what it must be",
      "HOODI_PRIVATE_KEY: missing, or not what it must be",
      ...["ESTUARY_GOVERNOR: missing", "ESTUARY_GUARDIAN: missing", "ESTUARY_TREASURY: missing"],
      "ESTUARY_COMMITTEE: not an address: 0x12",
    ]);
    expect(status).to.equal(2);
  });
});
