/** The processes of this machine, from the table that Linux keeps in /proc. */
import { readFileSync, readdirSync } from "node:fs";

/** Those that have it, as NAME=value, in their environment. */
export function processesWith(variable: string): { readonly pid: number; readonly line: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        if (!readFileSync(`/proc/${name}/environ`, "utf8").split("\0").includes(variable)) return [];
        const line = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        return line === "" ? [] : [{ pid: Number(name), line }];
      } catch {
        return []; // it has just ended, or belongs to somebody else
      }
    });
}
