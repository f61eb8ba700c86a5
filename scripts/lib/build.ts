/** Builds the contracts in a process that ends with this one. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const END_WITH_PARENT = import.meta.resolve("../../devnet/real/endWithParent.ts");

/** What is printed goes to stderr. @throws Error when it fails, or the signal aborts it */
export async function buildContracts(signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.resolve("../../node_modules/hardhat/dist/src/cli.js")), "build", "--no-tests"],
    {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      stdio: ["ignore", 2, 2],
      // the compiler is a process of Hardhat's: it ends with Hardhat
      env: { ...process.env, NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --import=${END_WITH_PARENT}` },
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) throw new Error("the contracts could not be built");
}
