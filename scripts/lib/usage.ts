/** What each program of `npm run` takes: answered before anything is built or loaded. */

export const USAGE = {
  start: `usage: npm start -- [--json]
The protocol's whole life cycle on an embedded chain, reconciled to the wei.
  --json       one JSON object on stdout
Exit codes: 0 reconciled, 1 not, 2 usage`,

  dev: `usage: npm run dev -- [options]
The app, on a local chain with a month of history that five members of the committee and a keeper carry on, until it is stopped (docs/app.md).
  --day TIME         how long a day lasts, with its report: 20s, 10m, up to 24h (60s)
  --app-port N       the app (4173); 0 takes a free one, as with the others
  --port N           JSON-RPC (8545)
  --beacon-port N    Beacon API (5052)
  --data DIR         what is kept, to go on with another time (.estuary/dev; with --devnet .estuary/devnet)
  --fresh            begins anew
  --devnet           on the real clients of npm run devnet, which begin without a history
Exit codes: 0 stopped, 1 failure, 2 usage, 3 what is kept is of another version, 4 a port is in use or a client did not start, 5 another process has the data folder`,

  devnet: `usage: npm run devnet -- [options]
A real Ethereum on this machine with the protocol deployed, until it is stopped (docs/devnet.md).
  --slot-ms N            wall time of a slot, whose timestamps are always 12 s apart (12000)
  --fast                 slots as quickly as possible: --slot-ms 0
  --block-every N        a block in every N slots only, the others are missed (1)
  --validators N         genesis validators, operated by the beacon node (64)
  --fork electra|fulu    rules of the beacon chain (electra)
  --reward-factor N      BASE_REWARD_FACTOR, 64 on mainnet (1: yields like mainnet's)
  --rpc-port N           JSON-RPC (8545); 0 takes a free one
  --beacon-port N        Beacon API (5052); 0 takes a free one
  --keys N               development validator keys that a separate validator client operates (16)
  --keystores DIR        your own validator keys as well: keystore-*.json (EIP-2335) in this folder
  --password-file FILE   their password
  --daemons              the committee's five oracle daemons and a keeper as well
  --data DIR             data folder: a devnet in it is continued (default: a temporary one, removed at the end)
Exit codes: 0 stopped, 1 failure, 2 usage, 3 a keystore is not valid, 4 a client did not start`,

  e2e: `usage: npm run e2e -- [--json] [--fork electra|fulu] [--data DIR]
The protocol's life on a fresh real devnet, at full speed (docs/devnet.md).
Exit codes: 0 every book equals what the clients say, 1 not, 2 usage, 4 a client did not start`,

  deploy: `usage: npm run deploy -- [--network hoodi | sepolia | mainnet]
Deploys Estuary (without --network: to an in-process chain), prints every contract and who holds which role, and checks all of it.
Settings, from the environment, .env, or the settings file (those of ESTUARY_):
  ESTUARY_GOVERNOR, ESTUARY_GUARDIAN, ESTUARY_TREASURY   addresses
  ESTUARY_COMMITTEE, ESTUARY_QUORUM                      addresses separated by commas; more than half of them
  HOODI_RPC_URL, HOODI_PRIVATE_KEY                       node and deployer, by network; also: npx hardhat keystore set
Exit codes: 0 deployed and wired as designed, 1 not, 2 usage or settings`,

  "deploy:liquidity": `usage: npm run deploy:liquidity -- --network hoodi | sepolia | mainnet
Deploys EtherPool and Router over the protocol that deployments/<chain id>.json names, where it names no Router yet, and writes it there.
Brings the pool to its target once the protocol is calm: run it again after the first report. Prints what is immutable, and that nobody owns it.
Settings: HOODI_RPC_URL, HOODI_PRIVATE_KEY (node and deployer, by network; also: npx hardhat keystore set)
Exit codes: 0 deployed, immutable and at its target, or waiting for calm; 1 not; 2 usage or settings`,

  gas: `usage: npm run gas -- [--json] [--check | --update] [--scale]
What the protocol's operations cost, beside the limits and the peers' figures.
  --json     rows on stdout
  --check    compares with docs/data/gas-snapshot.json
  --update   writes it
  --scale    also with 100,000 requests and validators, and 10,000 operators (minutes)
Exit codes: 0 ok, 1 differences, 2 usage`,

  bench: `usage: npm run bench -- oracle | proofs
Measures, prints JSON, and holds the figures against a bare download and a plain deserialisation of the same run.
  oracle   reading what a report needs
  proofs   proving validators of a state
Exit codes: 0 within the limits, 1 not, 2 usage`,

  oracle: `usage: npm run oracle -- run | once | dry-run | check [--json] [--verbose]
A member of the committee (docs/running.md).
  run       until SIGINT or SIGTERM
  once      one report, then end
  dry-run   the report as it would be signed; needs no key
  check     every precondition, with an explanation
  --json    one JSON document on stdout
Settings: the environment, and the file that ESTUARY_SETTINGS names (default: estuary.env)
Exit codes: 0 ok, 1 failure, 2 usage or configuration, 3 not valid, 4 a node is unavailable, 5 refused`,

  keeper: `usage: npm run keeper -- [run | once | check] [--json]
Executes what anyone may execute (docs/running.md).
  run       until SIGINT or SIGTERM
  once      one turn, then end
  check     every precondition, with an explanation, and what it would do
  --json    one JSON document on stdout, of check
Settings: the environment, and the file that ESTUARY_SETTINGS names (default: estuary.env)
Exit codes: 0 ok, 1 failure, 2 usage or configuration, 4 a node is unavailable, 5 refused`,
} as const;

export type ProgramName = keyof typeof USAGE;

/** What a mistake is answered with: the first line. */
export function usageOf(program: ProgramName): string {
  const [line = ""] = USAGE[program].split("\n");
  return line;
}

/** Prints the usage and ends with 0 where an argument asks for it. */
export function answerHelp(program: ProgramName): void {
  if (!process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h")) return;
  console.log(USAGE[program]);
  process.exit(0);
}
