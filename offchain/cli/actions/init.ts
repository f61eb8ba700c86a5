/** `estuary init`: settings from options and answers, checked, and written for every command and daemon. */
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { deploymentPath, readDeployment } from "../../chain/deploymentFile.ts";
import { address, field, httpUrl, list, oneOf, optional, readConfig, text } from "../../util/config.ts";
import { AppError, EXIT } from "../../util/errors.ts";
import { SETTINGS_FILE, SETTINGS_VARIABLE, settingLine } from "../../util/settings.ts";
import { renderRows, toJson } from "../format.ts";
import type { Row } from "../format.ts";
import type { Io } from "../io.ts";
import { askBeaconNode, askExecutionNode } from "../nodeAnswers.ts";
import type { NodeAnswer } from "../nodeAnswers.ts";
import { LOCAL_NODE, NETWORK_NAMES, chainIdOf } from "../networks.ts";
import type { NetworkName } from "../networks.ts";
import type { GlobalOptions } from "../options.ts";
import { askFor } from "./initQuestions.ts";
import type { Answers } from "./initQuestions.ts";

export interface InitOptions {
  readonly network?: string;
  readonly executionUrl?: string;
  readonly beaconUrl?: string;
  readonly keystore?: string;
  readonly keystorePasswordFile?: string;
  readonly privateKeyFile?: string;
  readonly signerUrl?: string;
  readonly signerAddress?: string;
  readonly force?: boolean;
  readonly check: boolean;
}

/** What is written, as it is read. */
const INIT_FIELDS = {
  NETWORK: field(oneOf(...NETWORK_NAMES), { about: "network" }),
  EXECUTION_URLS: field(list(httpUrl), { about: "execution nodes", secret: true }),
  BEACON_URLS: optional(list(httpUrl), { about: "consensus nodes", secret: true }),
  SIGNER_URL: optional(httpUrl, { about: "external signer" }),
  SIGNER_ADDRESS: optional(address, { about: "its account" }),
  ACCOUNT: optional(address, { about: "address to look at" }),
  DEPLOYMENT: optional(text, { about: "addresses file" }),
};

/** @throws AppError: refused where the file exists or a node's failure is not accepted; usage; unavailable */
export async function init(io: Io, globals: GlobalOptions, options: InitOptions): Promise<void> {
  const named = globals.settings ?? io.env[SETTINGS_VARIABLE] ?? "";
  const file = named === "" ? SETTINGS_FILE : named;
  if (existsSync(file) && options.force !== true)
    throw new AppError(EXIT.refused, `${file} exists: --force writes over it, --settings names another`);
  const prompts = io.interactive && globals.yes !== true ? io.prompts : undefined;
  const asks = prompts !== undefined;
  const given = answersOf(globals, options, asks);
  const answers = prompts === undefined ? given : await askFor(prompts, given);
  const { NETWORK: network, EXECUTION_URLS, BEACON_URLS } = readConfig(INIT_FIELDS, answers, checkAccount(answers));
  const nodes = options.check
    ? await Promise.all([...EXECUTION_URLS.map(askExecutionNode), ...(BEACON_URLS ?? []).map(askBeaconNode)])
    : [];
  for (const { name, text: said } of nodes) io.err(`${name}: ${said}`);
  const chainId = await agreedChain(io, asks, network, nodes);
  const deployment = deploymentFor(answers["ESTUARY_DEPLOYMENT"], chainId);
  const settings = Object.entries({ ...answers, ESTUARY_DEPLOYMENT: deployment })
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([variable, value]) => [variable, isPath(variable) ? resolve(value) : value] as const);
  writeFileSync(file, contents(settings), { mode: 0o600, flag: options.force === true ? "w" : "wx" });
  chmodSync(file, 0o600);
  const next = nextSteps(answers, file);
  const summary = { file, network, chainId, settings: settings.map(([variable]) => variable), nodes };
  io.out(globals.json === true ? toJson(summary) : renderRows([["written", file], ...next]));
}

function answersOf(globals: GlobalOptions, options: InitOptions, asks: boolean): Answers {
  return {
    ESTUARY_NETWORK: options.network,
    ESTUARY_EXECUTION_URLS: options.executionUrl ?? globals.rpc ?? (asks ? undefined : LOCAL_NODE),
    ESTUARY_BEACON_URLS: options.beaconUrl ?? globals.beacon,
    ESTUARY_DEPLOYMENT: globals.deployment,
    ESTUARY_KEYSTORE: options.keystore,
    ESTUARY_KEYSTORE_PASSWORD_FILE: options.keystorePasswordFile,
    ESTUARY_PRIVATE_KEY_FILE: options.privateKeyFile,
    ESTUARY_SIGNER_URL: options.signerUrl,
    ESTUARY_SIGNER_ADDRESS: options.signerAddress,
    ESTUARY_ACCOUNT: globals.account,
  };
}

function isPath(variable: string): boolean {
  return variable.endsWith("_FILE") || ["ESTUARY_DEPLOYMENT", "ESTUARY_KEYSTORE"].includes(variable);
}

/** @throws AppError (usage) where an account is named in part, or twice */
function checkAccount(answers: Answers): () => void {
  const has = (name: string): boolean => answers[`ESTUARY_${name}`] !== undefined;
  return () => {
    const ways = ["PRIVATE_KEY_FILE", "KEYSTORE", "SIGNER_URL"].filter(has);
    if (ways.length > 1)
      throw new AppError(EXIT.usage, "more than one account: one of --keystore, --private-key-file, --signer-url");
    if (has("SIGNER_URL") !== has("SIGNER_ADDRESS"))
      throw new AppError(EXIT.usage, "--signer-url and --signer-address: both or none");
    if (has("KEYSTORE_PASSWORD_FILE") && !has("KEYSTORE"))
      throw new AppError(EXIT.usage, "--keystore-password-file: of which --keystore");
  };
}

/** The chain that all nodes are on. @throws AppError: usage for another chain than the network's, unavailable for a node that fails */
async function agreedChain(
  io: Io,
  asks: boolean,
  network: NetworkName,
  nodes: readonly NodeAnswer[],
): Promise<bigint | undefined> {
  const named = chainIdOf(network);
  const answered = nodes.flatMap(({ name, chainId }) => (chainId === undefined ? [] : [{ name, chainId }]));
  const expected = named ?? answered[0]?.chainId;
  const other = answered.find(({ chainId }) => chainId !== expected);
  if (other !== undefined)
    throw new AppError(EXIT.usage, `${other.name} is on chain ${other.chainId}, not on ${expected} (${network})`);
  const failed = nodes.filter(({ ok }) => !ok);
  if (failed.length === 0 || (asks && (await io.confirm("Not every node answers. Write the settings all the same?"))))
    return expected;
  const told = failed.map(({ name, text }) => `${name}: ${text}`).join("\n");
  throw new AppError(EXIT.unavailable, `${told}\nnothing was written; --no-check writes without asking the nodes`);
}

/** @throws AppError (usage) where there is no such file, or it is of another chain */
function deploymentFor(given: string | undefined, chainId: bigint | undefined): string | undefined {
  const file = given ?? (chainId === undefined ? undefined : deploymentPath(chainId));
  if (file === undefined) return undefined;
  const deployment = readDeployment(file);
  if (chainId !== undefined && deployment.chainId !== chainId)
    throw new AppError(EXIT.usage, `ESTUARY_DEPLOYMENT: ${file} is of chain ${deployment.chainId}, not of ${chainId}`);
  return file;
}

function contents(settings: readonly (readonly [string, string])[]): string {
  return [
    "# Settings of estuary: of the command line, the oracle and the keeper. The environment goes over them. docs/running.md has them all.",
    ...settings.map(([variable, value]) => settingLine(variable, value)),
    "# a member of the committee also needs",
    "#ESTUARY_DATA_DIR=",
    "#ESTUARY_PEERS=",
    "",
  ].join("\n");
}

function nextSteps(answers: Answers, file: string): readonly Row[] {
  const has = (name: string): boolean => answers[`ESTUARY_${name}`] !== undefined;
  const signs = ["KEYSTORE", "PRIVATE_KEY_FILE", "SIGNER_URL"].some(has);
  const elsewhere = resolve(file) !== resolve(SETTINGS_FILE);
  return [
    ...(elsewhere ? [["first", `export ESTUARY_SETTINGS=${resolve(file)}`] as const] : []),
    ["next", "estuary status"],
    ...(signs || has("ACCOUNT") ? [["", "estuary status me"] as const] : []),
    ...(signs ? [["", "estuary stake 1 --dry-run"] as const] : []),
    ...(signs && has("BEACON_URLS") ? [["", "estuary keeper check, estuary committee check"] as const] : []),
  ];
}
