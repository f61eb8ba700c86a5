/**
 * A Hardhat plugin that leaves out, one by one, the compiler's warnings that nobody here can act on. Whatever else it warns of is printed,
 * and fails the continuous integration.
 */
import type { HardhatPlugin } from "hardhat/types/plugins";
import type { CompilationJob, CompilerOutputError } from "hardhat/types/solidity";

interface Known {
  /** The compiler's number of the warning. */
  readonly errorCode: string;
  /** The end of the path that it is about. */
  readonly file: string;
}

const KNOWN: readonly Known[] = [
  // Functions named `at`, a keyword of some later version.
  { errorCode: "6335", file: "node_modules/@openzeppelin/contracts/utils/structs/Checkpoints.sol" },
  // Transient storage where guards against re-entry are kept, which clear it at the end of each call.
  { errorCode: "2394", file: "node_modules/@openzeppelin/contracts/utils/TransientSlot.sol" },
  // A payable fallback without `receive`: EIP-7002 answers a call without data with its fee, and `receive` can't answer.
  { errorCode: "3628", file: "/test/mocks/ExitRequestsStub.sol" },
];

/** As the compiler gives it: Hardhat's type leaves out where. */
export type CompilerMessage = CompilerOutputError & {
  /** A name by which the compiler knows the file. */
  readonly sourceLocation?: { readonly file: string };
};

/** Code and initcode over the limits of mainnet. */
const TOO_LARGE = ["5574", "3860"];

export const compilerWarnings: HardhatPlugin = {
  id: "estuary-compiler-warnings",
  hookHandlers: {
    solidity: () =>
      Promise.resolve({
        default: () =>
          Promise.resolve({
            getCompilationJobErrors: (context, job, output, next) =>
              next(context, job, { ...output, errors: (output.errors ?? []).filter((error) => isNews(job, error)) }),
          }),
      }),
  },
};

/** Whether somebody can do something about it. Errors always are. */
export function isNews(job: Pick<CompilationJob, "dependencyGraph">, error: CompilerMessage): boolean {
  if (error.severity === "error" || error.sourceLocation === undefined) return true;
  const { dependencyGraph } = job;
  const file = dependencyGraph.getFileByInputSourceName(error.sourceLocation.file);
  if (file === undefined) return true;
  const path = file.fsPath.replaceAll("\\", "/");
  if (KNOWN.some((known) => known.errorCode === error.errorCode && path.endsWith(known.file))) return false;
  if (!TOO_LARGE.includes(error.errorCode ?? "")) return true;
  // A job compiles what its roots import along with them, by their settings, and throws it away: what is deployed comes from the job in
  // which the contract is a root. Contracts of tests that are too large for the network fail to deploy there.
  const isDeployed = [...dependencyGraph.getRoots().values()].some(
    ({ inputSourceName }) => inputSourceName === file.inputSourceName,
  );
  return isDeployed && !file.inputSourceName.startsWith("project/test/");
}
