import { fileURLToPath } from "node:url";
import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { config as loadDotenv } from "dotenv";
import { configVariable, defineConfig } from "hardhat/config";
import type { HttpNetworkUserConfig, SolidityCompilerUserConfig } from "hardhat/types/config";
import { compilerWarnings } from "./scripts/lib/compilerWarnings.ts";

loadDotenv({ quiet: true });

// Effort of the Solidity tests: `npm test` runs with factor 1, `npm run fuzz` with a large one (see CONTRIBUTING.md).
const fuzzFactor = positiveInteger("FUZZ_FACTOR", 1);
const fuzzSeed = process.env["FUZZ_SEED"] ?? "";
const isCi = (process.env["CI"] ?? "") !== "";
const measuresCoverage = process.argv.includes("--coverage");

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers, compilerWarnings],
  paths: {
    sources: ["./contracts", "./test"],
    // Every *.t.sol under `sources` is a test; here every .sol file is one, so that handlers need no special name.
    tests: { solidity: "./test/invariant", mocha: "./test" },
    ignition: "./deploy",
    // Instrumented contracts are built apart, so that a coverage run spoils nobody's artifacts.
    ...(measuresCoverage ? { artifacts: "./coverage/build/artifacts", cache: "./coverage/build/cache" } : {}),
  },
  solidity: {
    compilers: [compiler(20_000)],
    overrides: {
      // what operators do is done seldom: smaller code, so that each half of their registries fits one contract
      "contracts/validators/OperatorRegistry.sol": compiler(200),
      "contracts/validators/ValidatorRegistry.sol": compiler(1_000),
      "contracts/validators/ValidatorExits.sol": compiler(1_000),
      // 1.6 kB smaller than with 20,000 runs, which is over the limit; a stake and a report cost the same to 100 gas
      "contracts/pool/StakingPool.sol": compiler(8_000),
      "test/mocks/PoolWithoutKeys.sol": compiler(200), // the pool and a function more
    },
    npmFilesToBuild: [
      "@openzeppelin/contracts/access/manager/AccessManager.sol",
      "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol",
    ],
  },
  typechain: { outDir: "./typechain-types", tsNocheck: true },
  networks: {
    default: {
      type: "edr-simulated",
      chainId: 31_337,
      hardfork: "osaka",
      // The size limit of contracts stays on: it is lifted only by --coverage, whose instrumented code is larger.
      // A fixed start keeps timestamps, and with them calldata and gas, the same from run to run.
      initialDate: "2026-01-01T00:00:00Z",
      mining: { auto: true },
    },
    node: { type: "edr-simulated", chainId: 31_337, hardfork: "osaka" },
    localhost: { type: "http", url: "http://127.0.0.1:8545", chainId: 31_337 },
    hoodi: liveNetwork("HOODI", 560_048),
    sepolia: liveNetwork("SEPOLIA", 11_155_111),
    mainnet: liveNetwork("MAINNET", 1),
  },
  verify: { etherscan: { apiKey: configVariable("ETHERSCAN_API_KEY") } },
  test: {
    mocha: { timeout: 120_000, forbidOnly: isCi, forbidPending: isCi },
    solidity: {
      fuzz: { runs: 256 * fuzzFactor, ...(fuzzSeed === "" ? {} : { seed: fuzzSeed }) },
      // A handler that reverts is a defect of the handler: it must bound its inputs or expect the error.
      invariant: { runs: 64 * fuzzFactor, depth: 64, failOnRevert: true },
    },
  },
  coverage: { skipFiles: ["test/**"] },
});

function compiler(runs: number): SolidityCompilerUserConfig {
  return {
    version: "0.8.37",
    path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
    settings: { optimizer: { enabled: true, runs }, evmVersion: "prague", viaIR: false },
  };
}

/** A public network: its variables are read only when it is used, from the environment, .env or the Hardhat keystore. */
function liveNetwork(name: string, chainId: number): HttpNetworkUserConfig {
  return {
    type: "http",
    chainId,
    url: configVariable(`${name}_RPC_URL`),
    accounts: [configVariable(`${name}_PRIVATE_KEY`)],
  };
}

function positiveInteger(variable: string, fallback: number): number {
  const text = process.env[variable];
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${variable} must be a positive integer, got "${text}"`);
  return value;
}
