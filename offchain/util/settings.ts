/**
 * Settings in a file, for every command and daemon: `NAME=value` a line, as `estuary init` writes it. The environment goes over it, setting
 * by setting; an account in the environment replaces the file's account as a whole.
 */
import { existsSync, readFileSync } from "node:fs";
import { parse } from "dotenv";
import { AppError, EXIT } from "./errors.ts";

export const PREFIX = "ESTUARY_";
/** Where the settings are, if not here. */
export const SETTINGS_VARIABLE = "ESTUARY_SETTINGS";
export const SETTINGS_FILE = "estuary.env";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Any of these in the environment replaces the account of the file, with all that belongs to it. */
const KEYS = ["PRIVATE_KEY", "KEYSTORE", "SIGNER_URL"];
const ACCOUNT = [...KEYS, "KEYSTORE_PASSWORD", "SIGNER_ADDRESS", "ACCOUNT"];
/** Of keys, not of nodes: these have files of their own. */
const SECRETS = ["PRIVATE_KEY", "KEYSTORE_PASSWORD", "MNEMONIC", "KEYS_PASSWORD"];

export interface Settings {
  readonly values: Environment;
  /** That was read. */
  readonly file: string | undefined;
  /** Variables that the file set. */
  readonly fromFile: ReadonlySet<string>;
}

/** The process's environment; the working folder's settings file is named in it where there is one and no other was. */
export function processEnvironment(): Environment {
  const named = process.env[SETTINGS_VARIABLE] ?? "";
  if (named !== "" || !existsSync(SETTINGS_FILE)) return process.env;
  return { ...process.env, [SETTINGS_VARIABLE]: SETTINGS_FILE };
}

/** @throws AppError (usage), a line for each problem of the file */
export function withSettings(env: Environment): Settings {
  const file = env[SETTINGS_VARIABLE] ?? "";
  if (file === "") return { values: env, file: undefined, fromFile: new Set() };
  const isSet = (name: string): boolean =>
    [name, `${name}_FILE`].some((variable) => (env[PREFIX + variable] ?? "") !== "");
  const setsAccount = KEYS.some(isSet);
  const isOverridden = (variable: string): boolean => {
    const name = variable.slice(PREFIX.length).replace(/_FILE$/, "");
    return isSet(name) || (setsAccount && ACCOUNT.includes(name));
  };
  const used = Object.entries(readSettings(file)).filter(([variable]) => !isOverridden(variable));
  return { values: { ...env, ...Object.fromEntries(used) }, file, fromFile: new Set(used.map(([name]) => name)) };
}

/** @throws AppError (usage) */
function readSettings(file: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new AppError(EXIT.usage, `${SETTINGS_VARIABLE}: can't read ${file} (${code})`);
  }
  const problems = text.split(/\r?\n/).flatMap((line, index) => {
    const problem = problemOf(line);
    return problem === undefined ? [] : [`${file}, line ${index + 1}: ${problem}`];
  });
  if (problems.length > 0) throw new AppError(EXIT.usage, problems.join("\n"));
  return parse(text);
}

/** Never with the value in it: it may be a secret. */
function problemOf(line: string): string | undefined {
  if (/^\s*(#|$)/.test(line)) return undefined;
  const [, name] = /^\s*(?:export\s+)?(\w+)\s*=/.exec(line) ?? [];
  if (name === undefined) return "NAME=value, or a comment after #";
  if (!name.startsWith(PREFIX)) return `${name} is no setting: names begin with ${PREFIX}`;
  if (SECRETS.includes(name.slice(PREFIX.length)))
    return `${name} is a secret: keep it in a file of its own and name that in ${name}_FILE`;
  return undefined;
}

/** A line of a settings file. @throws AppError (usage) where the value has characters that no quotes hold */
export function settingLine(variable: string, value: string): string {
  if (/^[\w@%+=:,./~?&-]*$/.test(value)) return `${variable}=${value}`;
  const quote = ["'", '"', "`"].find((one) => !value.includes(one));
  if (quote === undefined || /[\r\n]/.test(value) || (quote === '"' && value.includes("\\")))
    throw new AppError(EXIT.usage, `${variable}: it can't be written into a settings file`);
  return `${variable}=${quote}${value}${quote}`;
}
