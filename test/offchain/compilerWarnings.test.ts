import { expect } from "chai";
import type { CompilationJob } from "hardhat/types/solidity";
import { isNews } from "../../scripts/lib/compilerWarnings.ts";

const OPENZEPPELIN = "npm/@openzeppelin/contracts@5.7.0/utils/structs/Checkpoints.sol";

/** A job over the files, of which the roots are what it is run for. */
function job(roots: string[], others: string[] = []): Pick<CompilationJob, "dependencyGraph"> {
  const resolved = (name: string) => ({
    inputSourceName: name,
    fsPath: name.replace(/^project/, "/clone").replace(/^npm\/(.*)@[\d.]+/, "/clone/node_modules/$1"),
  });
  const files = [...roots, ...others].map(resolved);
  const dependencyGraph = {
    getRoots: () => new Map(roots.map((name) => [name, resolved(name)])),
    getFileByInputSourceName: (name: string) => files.find(({ inputSourceName }) => inputSourceName === name),
  };
  return { dependencyGraph } as unknown as Pick<CompilationJob, "dependencyGraph">;
}

function warning(errorCode: string, file?: string) {
  const message = { component: "general", message: "", severity: "warning" as const, type: "Warning", errorCode };
  return file === undefined ? message : { ...message, sourceLocation: { file } };
}

describe("the compiler's warnings", () => {
  const pool = "project/contracts/pool/StakingPool.sol";
  const mock = "project/test/mocks/Mock.sol";

  it("leave out what is known, by number and file", () => {
    const all = job([pool], [OPENZEPPELIN]);
    expect(isNews(all, warning("6335", OPENZEPPELIN))).to.be.false;
    expect(isNews(all, warning("6335", pool)), "the same of our own").to.be.true;
    expect(isNews(all, warning("2018", OPENZEPPELIN)), "another of the library").to.be.true;
  });

  it("tell of a contract that is too large where it is built to be deployed, not where a mock imports it", () => {
    for (const code of ["5574", "3860"]) {
      expect(isNews(job([pool]), warning(code, pool))).to.be.true;
      expect(isNews(job([mock], [pool]), warning(code, pool))).to.be.false;
      expect(isNews(job([mock], [pool]), warning(code, mock))).to.be.false;
    }
  });

  it("are never mistaken for errors, and tell what has no place", () => {
    expect(isNews(job([pool], [OPENZEPPELIN]), { ...warning("6335", OPENZEPPELIN), severity: "error" })).to.be.true;
    expect(isNews(job([pool]), warning("5574"))).to.be.true;
    expect(isNews(job([pool]), warning("5574", "elsewhere.sol"))).to.be.true;
  });
});
