/** Builds, each in a process that ends with this one. What is printed goes to stderr. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const END_WITH_PARENT = import.meta.resolve("../../devnet/real/endWithParent.ts");
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The app for local development. */
export const LOCAL_APP = join(ROOT, "app/dist-local");
/** Beside what was built: of which sources. */
const STAMP = join(LOCAL_APP, ".sources");
/** All that a build of the app reads. */
const APP_SOURCES = ["app", "offchain", "typechain-types", "docs/examples", "package-lock.json", "tsconfig.json"];

/** @throws Error when it fails, or the signal aborts it */
export async function buildContracts(signal?: AbortSignal): Promise<void> {
  const hardhat = join(ROOT, "node_modules/hardhat/dist/src/cli.js");
  await build("the contracts", [hardhat, "build", "--no-tests"], {}, signal);
}

/** Unless its sources are those of the last time. @throws as `buildContracts` */
export async function buildLocalApp(signal?: AbortSignal): Promise<void> {
  const sources = hashOf(APP_SOURCES);
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === sources) return;
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  await build("the app", [vite, "build", "app", "--logLevel", "warn"], { ESTUARY_APP_LOCAL: "1" }, signal);
  writeFileSync(STAMP, sources);
}

async function build(
  what: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
    // the compiler is a process of Hardhat's: it ends with Hardhat
    env: {
      ...process.env,
      ...env,
      NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --import=${END_WITH_PARENT}`,
    },
    ...(signal === undefined ? {} : { signal }),
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) throw new Error(`${what} could not be built`);
}

function hashOf(places: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of places.flatMap((place) => filesAt(join(ROOT, place))))
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  return hash.digest("hex");
}

/** In one order; without what is installed or built. */
function filesAt(place: string): string[] {
  if (!existsSync(place)) return [];
  if (place.endsWith(".json")) return [place];
  return readdirSync(place, { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules" && !name.startsWith("dist"))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesAt(join(place, entry.name)) : [join(place, entry.name)]));
}
