/**
 * `npm run app:size`: what a page costs to load, compressed. The first load is the entry and everything that it imports; every further page is
 * what it adds, with what it loads later. Exit codes: 0 within the limits, 1 above.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FIRST_KB = 250;
const PAGE_KB = 130;

interface Chunk {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
}

const folder = fileURLToPath(new URL(`../${process.argv[2] ?? "dist"}/`, import.meta.url));
const manifest = JSON.parse(readFileSync(`${folder}.vite/manifest.json`, "utf8")) as Record<string, Chunk>;

/** Files of a chunk and all that it imports, but for what was found before; also what it loads later. */
function reach(name: string, isWhole: boolean, before: ReadonlySet<string>, found = new Set<string>()): Set<string> {
  const chunk = manifest[name];
  if (chunk === undefined || before.has(chunk.file) || found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const next of [...(chunk.imports ?? []), ...(isWhole ? (chunk.dynamicImports ?? []) : [])])
    reach(next, isWhole, before, found);
  return found;
}

function kilobytes(files: Iterable<string>): number {
  return [...files].reduce((sum, file) => sum + gzipSync(readFileSync(folder + file), { level: 9 }).length, 0) / 1_000;
}

const [entry] = Object.entries(manifest).find(([, { isEntry }]) => isEntry === true) ?? [];
if (entry === undefined) throw new Error("the manifest names no entry");
const first = reach(entry, false, new Set());
const rows: [string, number, number][] = [["first load", kilobytes(first), FIRST_KB]];
for (const page of manifest[entry]?.dynamicImports ?? [])
  rows.push([page, kilobytes(reach(page, true, first)), PAGE_KB]);
let code = 0;
for (const [name, size, limit] of rows) {
  if (size > limit) code = 1;
  process.stdout.write(
    `${name.padEnd(32)} ${size.toFixed(1).padStart(7)} kB of ${limit}${size > limit ? "  TOO LARGE" : ""}\n`,
  );
}
process.exitCode = code;
