/** What every command needs: the options that all share, the protocol, the account. */
import { connect } from "../chain/connect.ts";
import type { Protocol } from "../chain/connect.ts";
import { checkDeployment, readDeployment } from "../chain/deploymentFile.ts";
import { ExecutionProvider } from "../chain/provider.ts";
import type { Context } from "../chain/write/prepare.ts";
import { address, amount, field, httpUrl, list, optional, readConfig, text } from "../util/config.ts";
import type { Config, Environment } from "../util/config.ts";
import { AppError, EXIT } from "../util/errors.ts";
import { SIGNER_FIELDS, checkSigner } from "../util/signer.ts";
import { Account, keyAddress, openSigner } from "./account.ts";
import { toJson } from "./format.ts";
import type { Io } from "./io.ts";
import { LOCAL_NODE } from "./networks.ts";
import type { GlobalOptions } from "./options.ts";

export const CLI_FIELDS = {
  EXECUTION_URLS: field(list(httpUrl), {
    about: "JSON-RPC of execution nodes, separated by commas",
    secret: true,
    fallback: LOCAL_NODE,
  }),
  BEACON_URLS: optional(list(httpUrl), {
    about: "Beacon API of consensus nodes, for what is proven",
    secret: true,
  }),
  DEPLOYMENT: field(text, { about: "addresses file (JSON: chainId, token, wrapped, fromBlock)" }),
  ...SIGNER_FIELDS,
  ACCOUNT: optional(address, { about: "address to look at, and to simulate from, where no key is configured" }),
};

type CliConfig = Config<typeof CLI_FIELDS>;

/** What a command can't do without. */
export interface Needs {
  /** An address to look at, or an account that signs; a dry run makes do with an address. */
  readonly account?: "address" | "signer";
  readonly beacon?: boolean;
}

export interface Session {
  readonly io: Io;
  readonly options: GlobalOptions;
  /** With what options say in place of it. */
  readonly env: Environment;
  readonly protocol: Protocol;
  /** With a node at least where the command needs one. */
  readonly beaconUrls: readonly string[];
  /** @throws AppError (usage) where no account is configured */
  account(): Promise<string>;
  context(): Promise<Context>;
  /** As one JSON object, or as text. */
  show(value: unknown, text: () => string): void;
  close(): void;
}

const DECIMALS = 18;
/** Far above it; what is below fits every amount of the contracts. */
const MOST_ETHER = 10n ** 9n * 10n ** 18n;

/** @throws AppError: usage for settings, all that is missing or wrong at once; unavailable for the node */
export async function openSession(io: Io, options: GlobalOptions, env: Environment, needs: Needs): Promise<Session> {
  const config = readConfig(CLI_FIELDS, env, checkDeployment, (values) => checkNeeds(values, needs, io, options));
  const deployment = readDeployment(config.DEPLOYMENT);
  const provider = new ExecutionProvider({
    urls: config.EXECUTION_URLS,
    chainId: deployment.chainId,
    timeoutSeconds: 15,
  });
  let protocol: Protocol;
  try {
    protocol = await connect(provider, deployment);
  } catch (error) {
    provider.destroy();
    throw error;
  }
  const account = async (): Promise<string> => {
    const known = config.ACCOUNT ?? keyAddress(config);
    if (known !== undefined) return known;
    checkSigner(config, io.interactive);
    return (await openSigner(config, provider, io)).getAddress();
  };
  const open = (): ReturnType<typeof openSigner> => {
    if (options.dryRun === true) throw new AppError(EXIT.usage, "nothing is signed in a dry run");
    return openSigner(config, provider, io);
  };
  return {
    io,
    options,
    env,
    protocol,
    beaconUrls: config.BEACON_URLS ?? [],
    account,
    context: async () => ({ protocol, signer: new Account(await account(), provider, open) }),
    show: (value, asText) => io.out(options.json === true ? toJson(value) : asText()),
    close: () => provider.destroy(),
  };
}

/** @throws AppError (usage), a line for each problem */
function checkNeeds(config: Partial<CliConfig>, needs: Needs, io: Io, options: GlobalOptions): void {
  const { ACCOUNT: watched } = config;
  if (needs.beacon === true && config.BEACON_URLS === undefined)
    throw new AppError(EXIT.usage, "no consensus node: set ESTUARY_BEACON_URLS or --beacon");
  if (needs.account === undefined) return;
  const onlyLooks = needs.account === "address" || options.dryRun === true;
  if (onlyLooks && watched !== undefined) return;
  checkSigner(config, onlyLooks || (io.interactive && io.prompts !== undefined));
  if (watched === undefined) return;
  const signs = keyAddress({ ...NO_SIGNER, ...config });
  if (signs !== undefined && signs.toLowerCase() !== watched.toLowerCase())
    throw new AppError(
      EXIT.usage,
      `--account (ESTUARY_ACCOUNT): ${watched} is not the account that signs, ${signs}; --dry-run can look from it`,
    );
}

const NO_SIGNER = {
  PRIVATE_KEY: undefined,
  KEYSTORE: undefined,
  KEYSTORE_PASSWORD: undefined,
  SIGNER_URL: undefined,
  SIGNER_ADDRESS: undefined,
};

/** A decimal number of ether. @throws AppError (usage) */
export function parseAmount(name: string, value: string): bigint {
  const parsed = parse(name, amount(DECIMALS), value);
  if (parsed > MOST_ETHER) throw new AppError(EXIT.usage, `${name}: more than all ether that there is`);
  return parsed;
}

/** In units of its last place. @throws AppError (usage) */
export function parseDecimal(name: string, value: string, places: number): bigint {
  return parse(name, amount(places), value);
}

/** @throws AppError (usage) */
export function parseAddress(name: string, value: string): string {
  return parse(name, address, value);
}

function parse<T>(name: string, parser: (text: string) => T, value: string): T {
  try {
    return parser(value);
  } catch (error) {
    throw new AppError(EXIT.usage, `${name}: ${(error as Error).message}`);
  }
}

/** A whole number. @throws AppError (usage) */
export function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new AppError(EXIT.usage, `${name}: a whole number, not ${text}`);
  return Number(text);
}
