/** `operator exit`: a voluntary exit (EIP-7044), signed here, checked, and handed to a consensus node or written to a file. */
import { readFileSync, writeFileSync } from "node:fs";
import { readExitStanding, submitExit } from "../../beacon/exits.ts";
import type { ExitStanding } from "../../beacon/exits.ts";
import { EXIT_DOMAINS, exitJson, isValidExit, parseExit, signExit } from "../../keys/exit.ts";
import type { ExitDomain, SignedVoluntaryExit, VoluntaryExit } from "../../keys/exit.ts";
import { checkMnemonic, deriveKeys } from "../../keys/hd.ts";
import type { ValidatorKey } from "../../keys/hd.ts";
import { readKeystore } from "../../keys/keystore.ts";
import { field, httpUrl, list, optional, readConfig, text } from "../../util/config.ts";
import type { Config } from "../../util/config.ts";
import { AppError, EXIT, codeOf } from "../../util/errors.ts";
import type { Hex } from "../../util/hex.ts";
import { renderRows, toJson } from "../format.ts";
import type { Row } from "../format.ts";
import type { Io } from "../io.ts";
import { environmentOf } from "../options.ts";
import type { GlobalOptions } from "../options.ts";
import { publicKey } from "../parse.ts";
import { whole } from "../session.ts";

export interface ExitOptions {
  readonly keystore?: string;
  readonly in?: string;
  readonly out?: string;
  readonly epoch?: string;
  readonly validatorIndex?: string;
  readonly network?: string;
  readonly genesisValidatorsRoot?: string;
  readonly capellaForkVersion?: string;
}

const EXIT_FIELDS = {
  BEACON_URLS: optional(list(httpUrl), { about: "Beacon API of consensus nodes", secret: true }),
  NETWORK: field(text, { about: "network", fallback: "mainnet" }),
  MNEMONIC: optional(text, { about: "words that the key is derived from", secret: true }),
  KEYS_PASSWORD: optional(text, { about: "password of the validator keystore", secret: true }),
};

/** Keys of a mnemonic that are looked through for the one asked for. */
const MOST_INDICES = 2_000;

type ExitConfig = Config<typeof EXIT_FIELDS>;

/** @throws AppError: usage, invalid for the key or the file, refused where it is no time or not confirmed, unavailable, failure: the node refuses */
export async function exitValidator(
  io: Io,
  globals: GlobalOptions,
  pubkeyText: string,
  options: ExitOptions,
): Promise<void> {
  const pubkey = publicKey(pubkeyText);
  const config = readConfig(EXIT_FIELDS, environmentOf(io.env, globals));
  const urls = config.BEACON_URLS ?? [];
  if (urls.length === 0 && (options.out === undefined || options.validatorIndex === undefined))
    throw new AppError(
      EXIT.usage,
      "no consensus node: set ESTUARY_BEACON_URLS or --beacon; without one, --validator-index and --out are needed",
    );
  const standing = urls.length === 0 ? undefined : await readExitStanding(urls, pubkey);
  const domain = domainOf(standing, config, options);
  const exit = exitOf(standing, options);
  const preview: readonly Row[] = [
    ["action", "leave for good: a validator that has left does not come back"],
    ["key", pubkey],
    ["validator", `${exit.validatorIndex}`],
    ["from", `epoch ${exit.epoch}${standing === undefined ? "" : `, it is ${standing.epoch} now`}`],
    ["stands in the way", standing?.obstacle ?? (standing === undefined ? "not known without a node" : "nothing")],
  ];
  if (options.out === undefined && standing?.obstacle !== undefined)
    throw new AppError(EXIT.refused, `${standing.obstacle}; --out writes the signed exit for later`);
  if (globals.dryRun === true) {
    const summary = { dryRun: true, pubkey, ...exit, obstacle: standing?.obstacle };
    const rows: readonly Row[] = [...preview, ["dry run", "nothing was signed or sent"]];
    io.out(globals.json === true ? toJson(summary) : renderRows(rows));
    return;
  }
  const read = options.in === undefined ? undefined : readExit(options.in, exit);
  const signed = read ?? signExit(await openKey(io, config, options, pubkey), exit, domain);
  if (!isValidExit(pubkey, signed, domain))
    throw new AppError(EXIT.invalid, "the signature is not this key's, for this validator on this chain");
  if (options.out !== undefined) {
    writeExit(options.out, signed);
    const summary = { pubkey, file: options.out, exit: exitJson(signed) };
    const next = `estuary operator exit ${pubkey} --in ${options.out}`;
    io.out(
      globals.json === true
        ? toJson(summary)
        : renderRows([
            ["written", options.out],
            ["next", next],
          ]),
    );
    return;
  }
  await confirm(io, globals, preview);
  const hosts = await submitExit(urls, exitJson(signed));
  const done: readonly Row[] = [
    ["done", `exit of validator ${signed.validatorIndex} handed to ${hosts.join(", ")}`],
    ["next", "keep it running until its exit epoch: estuary operator exits <operator> shows it"],
  ];
  io.out(globals.json === true ? toJson({ pubkey, exit: exitJson(signed), hosts }) : renderRows(done));
}

/** Of the node; what options say must agree with it. @throws AppError (usage) */
function domainOf(standing: ExitStanding | undefined, config: ExitConfig, options: ExitOptions): ExitDomain {
  const known = EXIT_DOMAINS[options.network ?? config.NETWORK];
  const {
    genesisValidatorsRoot: root = known?.genesisValidatorsRoot,
    capellaForkVersion: fork = known?.capellaForkVersion,
  } = options;
  if (root !== undefined && !/^0x[0-9a-f]{64}$/i.test(root))
    throw new AppError(EXIT.usage, "--genesis-validators-root: 0x and 64 hexadecimal digits");
  if (fork !== undefined && !/^0x[0-9a-f]{8}$/i.test(fork))
    throw new AppError(EXIT.usage, "--capella-fork-version: 0x and 8 hexadecimal digits");
  if (standing !== undefined) {
    const given = options.genesisValidatorsRoot?.toLowerCase();
    if (given !== undefined && given !== standing.domain.genesisValidatorsRoot)
      throw new AppError(EXIT.usage, "--genesis-validators-root: the consensus node is on another chain");
    return standing.domain;
  }
  if (root === undefined || fork === undefined)
    throw new AppError(
      EXIT.usage,
      "--network: mainnet, hoodi or sepolia; or --genesis-validators-root and --capella-fork-version",
    );
  return { genesisValidatorsRoot: root.toLowerCase() as Hex, capellaForkVersion: fork.toLowerCase() as Hex };
}

/** From the present epoch on, or from the first: an exit has no last one. @throws AppError (usage) */
function exitOf(standing: ExitStanding | undefined, options: ExitOptions): VoluntaryExit {
  const index = options.validatorIndex === undefined ? undefined : whole("--validator-index", options.validatorIndex);
  if (standing !== undefined && index !== undefined && index !== standing.validatorIndex)
    throw new AppError(EXIT.usage, `--validator-index: this key is validator ${standing.validatorIndex}, not ${index}`);
  const epoch = options.epoch === undefined ? (standing?.epoch ?? 0) : whole("--epoch", options.epoch);
  return { epoch, validatorIndex: standing?.validatorIndex ?? index ?? 0 };
}

/** @throws AppError: usage, invalid where the key is another one */
async function openKey(io: Io, config: ExitConfig, options: ExitOptions, pubkey: Hex): Promise<ValidatorKey> {
  const { MNEMONIC: mnemonic } = config;
  if (options.keystore !== undefined) {
    const key = await readKeystore(options.keystore, await passwordOf(io, config, options.keystore));
    if (key.pubkey !== pubkey) throw new AppError(EXIT.invalid, `${options.keystore}: it is the key ${key.pubkey}`);
    return key;
  }
  if (mnemonic === undefined)
    throw new AppError(EXIT.usage, "no key: --keystore, ESTUARY_MNEMONIC(_FILE), or --in with an exit that is signed");
  const words = checkMnemonic(mnemonic);
  for (let first = 0; first < MOST_INDICES; first++) {
    const [key] = deriveKeys({ mnemonic: words, first, count: 1 });
    if (key?.pubkey === pubkey) return key;
  }
  throw new AppError(EXIT.invalid, `ESTUARY_MNEMONIC: none of its first ${MOST_INDICES} keys is ${pubkey}`);
}

async function passwordOf(io: Io, { KEYS_PASSWORD: password }: ExitConfig, file: string): Promise<string> {
  if (password !== undefined) return password;
  const given = io.interactive ? await io.prompts?.secret(`Password of ${file}`) : undefined;
  if (given === undefined) throw new AppError(EXIT.usage, "ESTUARY_KEYS_PASSWORD: is required with a keystore");
  return given;
}

/** @throws AppError: usage, invalid where it is another validator's */
function readExit(file: string, { validatorIndex }: VoluntaryExit): SignedVoluntaryExit {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    throw new AppError(EXIT.usage, `can't read ${file} (${codeOf(error)})`);
  }
  const exit = parseExit(content);
  if (exit.validatorIndex !== validatorIndex)
    throw new AppError(EXIT.invalid, `${file}: it is for validator ${exit.validatorIndex}, not ${validatorIndex}`);
  return exit;
}

/** Never over another file, and readable by its owner alone: whoever has it can make the validator leave. */
function writeExit(file: string, exit: SignedVoluntaryExit): void {
  try {
    writeFileSync(file, `${JSON.stringify(exitJson(exit))}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw new AppError(EXIT.failure, `can't write ${file} (${codeOf(error)})`);
  }
}

async function confirm(io: Io, { yes }: GlobalOptions, preview: readonly Row[]): Promise<void> {
  if (yes === true) return;
  if (!io.interactive)
    throw new AppError(EXIT.refused, "not confirmed, nobody is here to ask: add --yes, or --dry-run to look only");
  io.err(renderRows(preview));
  if (!(await io.confirm("Let it leave?"))) throw new AppError(EXIT.refused, "not confirmed: nothing was sent");
}
