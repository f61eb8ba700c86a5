/** A file that one process at a time has, and that names it. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { AppError, EXIT } from "./errors.ts";

/** Held by this process. */
const held = new Set<string>();

/**
 * One whose holder is gone is taken over.
 * @param use what the other process does, for the message
 * @throws AppError (refused) where another process has it; whatever the file system has against it
 */
export function takeLock(file: string, use: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      const descriptor = openSync(file, "wx", 0o600);
      writeSync(descriptor, String(process.pid));
      closeSync(descriptor);
      held.add(file);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = Number(readFileSync(file, "utf8"));
      // a container that starts again has the number of the one before
      const isHeld = holder === process.pid ? held.has(file) : isRunning(holder);
      if (attempt > 0 || isHeld) throw new AppError(EXIT.refused, `another process (${holder}) ${use}: ${file}`);
      rmSync(file, { force: true });
    }
  }
}

export function releaseLock(file: string): void {
  held.delete(file);
  rmSync(file, { force: true });
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
