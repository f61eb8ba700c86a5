/** What every command needs: the options that all share, the protocol, the account. */
import { AbstractSigner } from "ethers";
import type { Signer } from "ethers";
import { connect } from "../chain/connect.ts";
import type { Protocol } from "../chain/connect.ts";
import { readDeployment } from "../chain/deploymentFile.ts";
import { ExecutionProvider } from "../chain/provider.ts";
import type { Context, Prepared } from "../chain/write/prepare.ts";
import { wei } from "../protocol/units.ts";
import { address, amount, field, httpUrl, list, optional, readConfig, text } from "../util/config.ts";
import { AppError, EXIT } from "../util/errors.ts";
import { SIGNER_FIELDS, loadSigner, namesSigner } from "../util/signer.ts";
import type { Io } from "./io.ts";
import { ether, renderRows, toJson } from "./io.ts";

export const CLI_FIELDS = {
  EXECUTION_URLS: field(list(httpUrl), {
    about: "JSON-RPC of execution nodes, separated by commas",
    secret: true,
    fallback: "http://127.0.0.1:8545",
  }),
  BEACON_URLS: optional(list(httpUrl), {
    about: "Beacon API of consensus nodes, for what is proven",
    secret: true,
  }),
  DEPLOYMENT: field(text, { about: "addresses file (JSON: chainId, token, wrapped, fromBlock)" }),
  ...SIGNER_FIELDS,
  ACCOUNT: optional(address, { about: "address to look at, and to simulate from, where no key is configured" }),
};

export interface GlobalOptions {
  readonly rpc?: string;
  readonly beacon?: string;
  readonly deployment?: string;
  readonly account?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly maxFee?: string;
  readonly verbose?: boolean;
}

export interface Session {
  readonly io: Io;
  readonly options: GlobalOptions;
  readonly protocol: Protocol;
  readonly beaconUrls: readonly string[] | undefined;
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

/** @throws AppError: usage for settings, unavailable for the node */
export async function openSession(io: Io, options: GlobalOptions): Promise<Session> {
  const env = {
    ...io.env,
    ...(options.rpc === undefined ? {} : { ESTUARY_EXECUTION_URLS: options.rpc }),
    ...(options.beacon === undefined ? {} : { ESTUARY_BEACON_URLS: options.beacon }),
    ...(options.deployment === undefined ? {} : { ESTUARY_DEPLOYMENT: options.deployment }),
    ...(options.account === undefined ? {} : { ESTUARY_ACCOUNT: options.account }),
  };
  const config = readConfig(CLI_FIELDS, env);
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
  let signer: Signer | undefined;
  const load = async (): Promise<Signer> => {
    if (signer !== undefined) return signer;
    const { ACCOUNT: watched } = config;
    // a dry run from an address needs no key
    const looksOnly = options.dryRun === true && !namesSigner(config);
    signer = looksOnly && watched !== undefined ? new Watcher(watched, provider) : await loadSigner(config, provider);
    return signer;
  };
  return {
    io,
    options,
    protocol,
    beaconUrls: config.BEACON_URLS,
    account: async () => config.ACCOUNT ?? (await load()).getAddress(),
    context: async () => ({ protocol, signer: await load() }),
    show: (value, asText) => io.out(options.json === true ? toJson(value) : asText()),
    close: () => provider.destroy(),
  };
}

/**
 * Simulates, shows what it costs, asks, sends, and shows what came of it. A dry run ends before the question.
 * @param details of the outcome, for people
 * @throws ChainError; AppError: usage where nobody can be asked, refused where the answer is no
 */
export async function act<Result, Outcome>(
  session: Session,
  prepared: Prepared<Result, Outcome>,
  details: (outcome: Outcome) => readonly (readonly [string, string])[],
): Promise<void> {
  const { io, options } = session;
  const simulated = await prepared.simulate();
  const cost = await prepared.estimate();
  const maxFee = options.maxFee === undefined ? undefined : wei(parseAmount("--max-fee", options.maxFee));
  const preview = [
    ["action", prepared.label],
    ["from", prepared.transaction.from],
    ["fee", `about ${ether(cost.expectedFee)}, at most ${ether(cost.maxFee)}`],
  ] as const;
  if (options.dryRun === true) {
    session.show({ dryRun: true, action: prepared.label, ...prepared.transaction, simulated, cost }, () =>
      renderRows([...preview, ["dry run", "it would succeed; nothing was sent"]]),
    );
    return;
  }
  if (options.yes !== true) {
    if (!io.interactive)
      throw new AppError(EXIT.usage, "nobody is here to confirm: add --yes, or --dry-run to look only");
    io.err(renderRows(preview));
    if (!(await io.confirm("Send it?"))) throw new AppError(EXIT.refused, "not confirmed: nothing was sent");
  }
  const sent = await prepared.send({ maxFee, onSent: (hash) => io.err(`sent ${hash}, waiting to be mined`) });
  const { hash, outcome, receipt } = sent;
  session.show({ action: prepared.label, hash, block: receipt.blockNumber, fee: receipt.fee, outcome }, () =>
    renderRows([["done", prepared.label], ["transaction", hash], ["fee", ether(receipt.fee)], ...details(outcome)]),
  );
}

/** A decimal number of ether. @throws AppError (usage) */
export function parseAmount(name: string, value: string): bigint {
  const parsed = parse(name, amount(DECIMALS), value);
  if (parsed > MOST_ETHER) throw new AppError(EXIT.usage, `${name}: more than all ether that there is`);
  return parsed;
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

/** An address that signs nothing. */
class Watcher extends AbstractSigner {
  readonly #address: string;

  constructor(watched: string, provider: ExecutionProvider) {
    super(provider);
    this.#address = watched;
  }

  override getAddress(): Promise<string> {
    return Promise.resolve(this.#address);
  }

  override connect(): Signer {
    return this;
  }

  override signTransaction(): Promise<string> {
    return refuse();
  }

  override signMessage(): Promise<string> {
    return refuse();
  }

  override signTypedData(): Promise<string> {
    return refuse();
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new AppError(EXIT.usage, "only an address is configured: it can't sign"));
}
