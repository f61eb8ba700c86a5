/** Serves a state over loopback and lets a fresh process work on it. */
import { execFile } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/**
 * @param script beside this file; it reads its task from the file that its argument names
 * @returns the JSON that it prints
 */
export async function inFreshProcess<T>(state: Uint8Array, script: string, task: object): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "estuary-bench-"));
  const [stateFile, taskFile] = [join(folder, "state.ssz"), join(folder, "task.json")];
  const server = createServer((_, response) => {
    const { size: length } = statSync(stateFile);
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "eth-consensus-version": "electra",
      "content-length": length,
    });
    createReadStream(stateFile, { highWaterMark: 2 ** 20 }).pipe(response);
  });
  try {
    writeFileSync(stateFile, state);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    writeFileSync(taskFile, JSON.stringify({ url, ...task }));
    const path = fileURLToPath(new URL(script, import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [path, taskFile]);
    return JSON.parse(stdout) as T;
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
