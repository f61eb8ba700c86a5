/**
 * The direction of imports (docs/architecture.md): a violation is found by reading import statements, nothing is executed.
 *
 * Solidity: anything may import `shared/` and `external/`; across folders only interfaces (`I*.sol`) and types (`types.sol`, `*Types.sol`);
 * the core never imports a product; production never imports tests; what is deployed names exactly one compiler.
 * TypeScript: util <- protocol | keys <- beacon | chain <- oracle | keeper <- cli; app -> chain, protocol, keys; what `protocol/` reaches does no I/O.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, join, posix, relative, sep } from "node:path";
import ts from "typescript";

export interface Violation {
  /** Relative to the root, with forward slashes. */
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly detail: string;
}

interface Import {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  /** The imported names, or undefined where the whole module is taken. */
  readonly names: readonly string[] | undefined;
  /** The imported file relative to the root, or undefined for a package. */
  readonly target: string | undefined;
}

const CORE = new Set(["shared", "token", "pool", "withdrawals", "validators", "oracle", "governance", "external"]);
const FOUNDATION = new Set(["shared", "external"]);
const INTERFACE_OR_TYPES = /^(I[A-Z]\w*|types|[A-Z]\w*Types)\.sol$/;

const SHELL = ["offchain/util", "offchain/protocol", "offchain/beacon", "offchain/chain"];

/** What each zone of the TypeScript tree may import, beside itself. One that is not listed imports only itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "offchain/util": [],
  "offchain/protocol": ["offchain/util"],
  "offchain/keys": ["offchain/util"],
  "offchain/beacon": ["offchain/util", "offchain/protocol"],
  "offchain/chain": ["offchain/util", "offchain/protocol", "typechain-types"],
  "offchain/oracle": [...SHELL, "typechain-types"],
  "offchain/keeper": [...SHELL, "typechain-types"],
  "offchain/cli": [...SHELL, "offchain/keys", "offchain/oracle", "offchain/keeper", "typechain-types"],
  app: ["offchain/util", "offchain/protocol", "offchain/chain", "offchain/keys", "typechain-types"],
  packages: ["offchain/protocol", "offchain/chain", "typechain-types"],
  devnet: [...SHELL, "offchain/keys", "offchain/oracle", "offchain/keeper", "deploy", "typechain-types"],
  deploy: ["offchain/util", "offchain/protocol", "offchain/chain", "typechain-types"],
  scripts: ["offchain/*", "devnet", "deploy", "typechain-types"],
  // the soak puts a devnet behind the hostile-node kit, whose catalogue is a page of the documentation
  "scripts, of the kit": ["offchain/*", "devnet", "deploy", "scripts", "typechain-types", "test"],
};

/** The pure functions, constants and types of ethers that code without I/O may use. */
const PURE_ETHERS = new Set([
  ...["AbiCoder", "Interface", "TypedDataEncoder", "TypedDataDomain", "TypedDataField", "BytesLike", "BigNumberish"],
  ...[
    "keccak256",
    "sha256",
    "id",
    "solidityPacked",
    "solidityPackedKeccak256",
    "concat",
    "hexlify",
    "getBytes",
    "dataSlice",
    "dataLength",
  ],
  ...[
    "isHexString",
    "zeroPadValue",
    "zeroPadBytes",
    "toBeHex",
    "toBeArray",
    "toBigInt",
    "toUtf8Bytes",
    "getAddress",
    "isAddress",
  ],
  ...[
    "recoverAddress",
    "verifyTypedData",
    "Signature",
    "ZeroAddress",
    "ZeroHash",
    "MaxUint256",
    "formatUnits",
    "parseUnits",
  ],
]);

export function checkImports(root: string): Violation[] {
  const solidity = filesUnder(root, "contracts", /\.sol$/).flatMap((file) => solidityImports(root, file));
  const typescript = ["offchain", "app", "packages", "devnet", "deploy", "scripts"]
    .flatMap((folder) => filesUnder(root, folder, /\.tsx?$/))
    .flatMap((file) => typescriptImports(root, file));
  return [
    ...solidity.flatMap(checkSolidity),
    ...typescript.flatMap(checkTypescript),
    ...checkPurity(typescript),
    ...misplacedTests(root),
    ...floatingPragmas(root),
  ].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
}

function checkSolidity(entry: Import): Violation[] {
  const { file, specifier, target } = entry;
  if (target === undefined) {
    return specifier.startsWith("hardhat/") ? [violation(entry, "no-test-code", `${specifier} is for tests`)] : [];
  }
  const [from, to] = [folderOf(file), folderOf(target)];
  if (!target.startsWith("contracts/")) return [violation(entry, "no-test-code", `production imports ${target}`)];
  if (from === to || FOUNDATION.has(to)) return [];
  if (FOUNDATION.has(from)) return [violation(entry, "foundation", `${from}/ imports ${to}/`)];
  if (CORE.has(from) && !CORE.has(to)) return [violation(entry, "core-imports-product", `${from}/ imports ${to}/`)];
  if (!INTERFACE_OR_TYPES.test(basename(target))) {
    return [
      violation(
        entry,
        "interfaces-only",
        `${from}/ imports ${to}/${basename(target)}, which is neither an interface nor types`,
      ),
    ];
  }
  return [];
}

function checkTypescript(entry: Import): Violation[] {
  const { file, specifier, target } = entry;
  if (target === undefined) return [];
  const [from, to] = [zoneOf(file), zoneOf(target)];
  const found: Violation[] = [];
  if (from !== "app" && !/\.(ts|json)$/.test(specifier)) {
    found.push(violation(entry, "file-extension", `${specifier} does not end in .ts or .json`));
  }
  const allowed = MAY_IMPORT[from] ?? [];
  const isAllowed =
    from === to || allowed.includes(to) || (allowed.includes("offchain/*") && to.startsWith("offchain/"));
  if (!isAllowed) found.push(violation(entry, "direction", `${from} imports ${to}`));
  return found;
}

/** Everything that `offchain/protocol` reaches imports only its like, and of packages only the pure part of ethers. */
function checkPurity(imports: readonly Import[]): Violation[] {
  const byFile = Map.groupBy(imports, ({ file }) => file);
  const reached = new Set([...byFile.keys()].filter((file) => zoneOf(file) === "offchain/protocol"));
  const found: Violation[] = [];
  for (const file of reached) {
    for (const entry of byFile.get(file) ?? []) {
      if (entry.target !== undefined) {
        if (entry.target.startsWith("offchain/")) reached.add(entry.target);
      } else if (entry.specifier !== "ethers") {
        found.push(violation(entry, "pure", `${file} is used by offchain/protocol and imports ${entry.specifier}`));
      } else {
        const impure = entry.names?.filter((name) => !PURE_ETHERS.has(name)) ?? ["the whole of ethers"];
        if (impure.length > 0)
          found.push(violation(entry, "pure", `not on the list of pure ethers functions: ${impure.join(", ")}`));
      }
    }
  }
  return found;
}

/** Hardhat looks for Solidity tests under test/ only (and contracts/, where they don't belong): elsewhere they would never run. */
function misplacedTests(root: string): Violation[] {
  return ["contracts", "offchain", "packages", "devnet", "deploy", "scripts"]
    .flatMap((folder) => filesUnder(root, folder, /\.(t\.sol|test\.ts)$/))
    .map((file) => ({ file, line: 1, rule: "test-location", detail: "tests live under test/" }));
}

/** What others compile (interfaces and types) takes any compiler from some version on; what is deployed names exactly one. */
function floatingPragmas(root: string): Violation[] {
  return filesUnder(root, "contracts", /\.sol$/)
    .filter((file) => !INTERFACE_OR_TYPES.test(basename(file)))
    .flatMap((file) => {
      const lines = readFileSync(join(root, file), "utf8").split("\n");
      const index = lines.findIndex((line) => line.startsWith("pragma solidity"));
      const isExact = index === -1 || /^pragma solidity \d+\.\d+\.\d+;$/.test(lines[index] ?? "");
      return isExact
        ? []
        : [
            {
              file,
              line: index + 1,
              rule: "exact-compiler",
              detail: "only interfaces and types may be compiled by others",
            },
          ];
    });
}

function violation({ file, line }: Import, rule: string, detail: string): Violation {
  return { file, line, rule, detail };
}

function folderOf(file: string): string {
  return file.split("/")[1] ?? "";
}

function zoneOf(file: string): string {
  const [top = "", second = ""] = file.split("/");
  if (top === "scripts" && /^(soak|soak\.ts|docs-hostile\.ts)$/.test(second)) return "scripts, of the kit";
  return top === "offchain" ? `${top}/${second}` : top;
}

function filesUnder(root: string, folder: string, pattern: RegExp): string[] {
  const directory = join(root, folder);
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((file) => !/(^|\/)(node_modules|dist)\//.test(file))
    .sort();
}

function resolveTarget(file: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(file), specifier);
  return /^(contracts|test)\//.test(specifier) ? specifier : undefined;
}

function solidityImports(root: string, file: string): Import[] {
  const text = withoutComments(readFileSync(join(root, file), "utf8"));
  return [...text.matchAll(/\bimport\b[^;"']*["']([^"']+)["'][^;]*;/g)].map((match) => {
    const specifier = match[1] ?? "";
    const line = text.slice(0, match.index).split("\n").length;
    return { file, line, specifier, names: undefined, target: resolveTarget(file, specifier) };
  });
}

/** Blanks comments and keeps line breaks; a comment sign inside a string is not one. */
function withoutComments(text: string): string {
  return text.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (token) =>
    token.startsWith("/") ? token.replace(/[^\n]/g, " ") : token,
  );
}

function typescriptImports(root: string, file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, names: readonly string[] | undefined): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    imports.push({ file, line, specifier: specifier.text, names, target: resolveTarget(file, specifier.text) });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, importedNames(node.importClause));
    } else if (ts.isExportDeclaration(node)) {
      const clause = node.exportClause;
      add(node, node.moduleSpecifier, clause !== undefined && ts.isNamedExports(clause) ? namesOf(clause) : undefined);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node, node.argument.literal, undefined);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], undefined);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return imports;
}

function importedNames(clause: ts.ImportClause | undefined): readonly string[] | undefined {
  const bindings = clause?.namedBindings;
  if (clause?.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return undefined;
  return namesOf(bindings);
}

function namesOf(list: ts.NamedImports | ts.NamedExports): string[] {
  return list.elements.map((element) => (element.propertyName ?? element.name).text);
}
