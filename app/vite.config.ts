/**
 * The app is a folder of files with relative paths. A production build holds its deployment and its node; a build for local development
 * (ESTUARY_APP_LOCAL=1) reads both from config.json beside the page, and has the test wallet.
 */
import react from "@vitejs/plugin-react";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import type { Plugin } from "vite";
import { configSchema } from "./src/configSchema.ts";
import type { AppConfig } from "./src/configSchema.ts";

const isLocal = process.env["ESTUARY_APP_LOCAL"] === "1";
const config = isLocal ? undefined : readConfig(process.env["ESTUARY_APP_CONFIG"]);

function readConfig(file: string | undefined): AppConfig {
  if (file === undefined)
    throw new Error(
      "ESTUARY_APP_CONFIG: name the app's configuration (docs/app.md), or build with ESTUARY_APP_LOCAL=1",
    );
  return configSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

/** Of the generated contract types a page needs the interfaces only: not the code to deploy, not Solidity's own names of types. */
function interfacesOnly(): Plugin {
  return {
    name: "interfaces-only",
    enforce: "pre",
    transform(code, id) {
      if (!/typechain-types\/factories\/.*__factory\.ts$/.test(id)) return undefined;
      const short = code
        .replace(/const _bytecode =\s*"0x[0-9a-fA-F]*"/, 'const _bytecode = "0x"')
        .replace(/"?internalType"?: "[^"]*",?/g, "");
      return { code: short, map: null };
    },
  };
}

/** Names of the ENS are no part of this app: its tables of all letters of Unicode would be a tenth of the first load. */
function withoutNames(): Plugin {
  return {
    name: "without-names",
    enforce: "pre",
    resolveId: (id) => (id === "@adraffy/ens-normalize" ? "\0no-names" : undefined),
    load: (id) =>
      id === "\0no-names"
        ? 'export function ens_normalize() { throw new Error("this app resolves no names"); }'
        : undefined,
  };
}

/** The files of docs/examples as text: what integrators read is what the tests run. */
function examples(): Plugin {
  const folder = fileURLToPath(new URL("../docs/examples/", import.meta.url));
  return {
    name: "examples",
    resolveId: (id) => (id === "virtual:examples" ? "\0examples" : undefined),
    load(id) {
      if (id !== "\0examples") return undefined;
      const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
      const texts = Object.fromEntries(files.map((name) => [name, readFileSync(folder + name, "utf8")]));
      return `export const examples = ${JSON.stringify(texts)};`;
    },
  };
}

/** Only this folder's scripts and styles, and only the nodes that the build names. */
function contentSecurityPolicy(): Plugin {
  const nodes = isLocal
    ? ["http://127.0.0.1:*", "http://localhost:*"]
    : (config?.rpc ?? []).flatMap((url) => (/^https?:/.test(url) ? [new URL(url).origin] : []));
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${["'self'", ...new Set(nodes)].join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: (html) =>
      html.replace("<!-- csp -->", `<meta http-equiv="Content-Security-Policy" content="${policy}" />`),
  };
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [react(), interfacesOnly(), withoutNames(), examples(), contentSecurityPolicy()],
  define: {
    __APP_CONFIG__: JSON.stringify(config ?? null),
    __IS_LOCAL__: JSON.stringify(isLocal),
  },
  build: {
    outDir: isLocal ? "dist-local" : "dist",
    emptyOutDir: true,
    target: "es2022",
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      // how long plugins take on a busy machine is no warning
      checks: { bundlerTimings: false },
      output: {
        // what the first page needs anyway is one file: cut at what later pages share of it, it compresses worse
        codeSplitting: {
          groups: [
            {
              name: "first",
              test: /node_modules[\\/](zod|react|react-dom|scheduler|@tanstack|wouter|mipd|ethers)[\\/]/,
            },
          ],
        },
      },
    },
  },
});
