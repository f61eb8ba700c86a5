/** A daemon as a process of its own: started, and told to stop as soon as it logs. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** @param env nothing of this shell's settings goes along @returns the exit code, and all that it logged */
export async function terminated(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const file = fileURLToPath(new URL(`../../scripts/${script}`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { cwd, env: { PATH: process.env["PATH"] ?? "", ...env } });
  let output = "";
  let isTold = false;
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => {
      output += bytes.toString();
      if (isTold || !output.includes('"msg"')) return;
      isTold = true;
      // in the middle of its first turn
      setTimeout(() => child.kill("SIGTERM"), 200);
    });
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { code, output };
}
