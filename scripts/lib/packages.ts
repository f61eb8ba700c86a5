/** Makes the packages for integrators out of this repository's sources: `@estuary/sdk` and `@estuary/contracts`, as tarballs. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";

const ROOT = resolve(import.meta.dirname, "../..");
const SDK = "packages/sdk";
const BROWSER_ENTRIES = ["index", "abis", "protocol", "types"];
/** Of a file under dist/. */
const OF_THIS_REPOSITORY = /^\.{1,2}\//;
const LOCAL_CHAINS = ["31337.json"];

interface Manifest {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/**
 * Needs built contracts.
 * @param out folder of the tarballs @returns their paths
 * @throws Error when the sources don't compile, or the part for browsers reaches a module of Node
 */
export function packAll(out: string): { readonly sdk: string; readonly contracts: string } {
  mkdirSync(out, { recursive: true });
  return { sdk: inStaging((folder) => pack(stageSdk(folder), out)), contracts: packContracts(out) };
}

function packContracts(out: string): string {
  return inStaging((folder) => {
    for (const path of [...globSync("contracts/**/I*.sol", { cwd: ROOT }), "contracts/shared/BeaconTypes.sol"])
      cpSync(join(ROOT, path), join(folder, path.replace(/^contracts\//, "")));
    cpSync(join(ROOT, "docs/examples/Vault.sol"), join(folder, "examples/Vault.sol"));
    manifestInto(folder, "packages/contracts", {});
    return pack(folder, out);
  });
}

function stageSdk(folder: string): string {
  const entries = readdirSync(join(ROOT, SDK, "src")).map((name) => join(ROOT, SDK, "src", name));
  compile(entries, join(folder, "dist"));
  const deployments = join(ROOT, "deployments");
  const files = (existsSync(deployments) ? readdirSync(deployments) : [])
    .filter((name) => /^\d+\.json$/.test(name) && !LOCAL_CHAINS.includes(name))
    .map((name) => JSON.parse(readFileSync(join(deployments, name), "utf8")) as object);
  writeFileSync(join(folder, "dist", SDK, "src/deployments.js"), `export const FILES = ${JSON.stringify(files)};\n`);
  const { devDependencies } = manifest();
  const imported = packagesOf(folder, BROWSER_ENTRIES);
  const dependencies = Object.fromEntries(
    [...imported].filter((name) => name !== "ethers").map((name) => [name, devDependencies[name] ?? missing(name)]),
  );
  manifestInto(folder, SDK, { dependencies });
  return folder;
}

function compile(entries: readonly string[], outDir: string): void {
  const program = ts.createProgram(entries, {
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2024.d.ts"],
    module: ts.ModuleKind.Node20,
    types: ["node"],
    rootDir: ROOT,
    outDir,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
    strict: true,
    exactOptionalPropertyTypes: true,
  });
  const { diagnostics } = program.emit(undefined, (file, text) => {
    mkdirSync(dirname(file), { recursive: true });
    // the compiler rewrites what runs, not what declares
    const isDeclaration = file.endsWith(".d.ts");
    writeFileSync(
      file,
      isDeclaration ? text.replace(/((?:from|import\()\s*["']\.{1,2}\/[^"']*)\.ts(["'])/g, "$1.js$2") : text,
    );
  });
  const problems = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (problems.length > 0)
    throw new Error(
      ts.formatDiagnostics(problems, {
        getCanonicalFileName: (name) => name,
        getCurrentDirectory: () => ROOT,
        getNewLine: () => "\n",
      }),
    );
}

/**
 * The packages that what the entries reach imports.
 * @throws Error for a module of Node
 */
function packagesOf(folder: string, entries: readonly string[]): Set<string> {
  const reached = new Set(entries.map((name) => join(folder, "dist", SDK, "src", `${name}.js`)));
  const packages = new Set<string>();
  for (const file of reached) {
    for (const { fileName: name } of ts.preProcessFile(readFileSync(file, "utf8")).importedFiles) {
      if (OF_THIS_REPOSITORY.test(name)) reached.add(resolve(dirname(file), name));
      else if (name.startsWith("node:"))
        throw new Error(`${file.slice(folder.length + 1)}, for browsers, imports ${name}`);
      else
        packages.add(
          name
            .split("/")
            .slice(0, name.startsWith("@") ? 2 : 1)
            .join("/"),
        );
    }
  }
  return packages;
}

function manifestInto(folder: string, source: string, more: object): void {
  const own = JSON.parse(readFileSync(join(ROOT, source, "package.json"), "utf8")) as object;
  const { version } = manifest();
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ ...own, version, ...more }, undefined, 2)}\n`);
  cpSync(join(ROOT, source, "README.md"), join(folder, "README.md"));
  cpSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
}

function pack(folder: string, out: string): string {
  const text = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", resolve(out)], {
    cwd: folder,
    encoding: "utf8",
  });
  const result = JSON.parse(text) as { filename: string }[] | Record<string, { filename: string }>;
  const [packed] = Object.values(result);
  return join(resolve(out), packed?.filename ?? missing("a tarball"));
}

function inStaging<T>(act: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "estuary-pack-"));
  try {
    return act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;
}

function missing(what: string): never {
  throw new Error(`there is no ${what}`);
}
