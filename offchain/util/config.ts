/**
 * Configuration: environment over settings file over fallback. A zod field for each variable, all problems at once, and for each variable
 * `NAME_FILE` in place of `NAME` (how secrets are mounted). An empty variable counts as unset.
 */
import { readFileSync } from "node:fs";
import { formatUnits, getAddress, isAddress } from "ethers";
import { z } from "zod";
import { AppError, EXIT, codeOf } from "./errors.ts";
import { endpointOf, hostOf } from "./http.ts";
import { PREFIX, withSettings } from "./settings.ts";
import type { Environment } from "./settings.ts";

export { PREFIX } from "./settings.ts";
export type { Environment } from "./settings.ts";

export interface Field<T = unknown> {
  /** Of the text, or of undefined where the variable is unset. */
  readonly parse: z.ZodType<T, z.ZodTypeDef, string | undefined>;
  readonly about: string;
  /** As the documentation shows it. */
  readonly fallback?: string;
  readonly secret?: boolean;
  /** As it is set, for printing. */
  show?(value: T): string;
}

export type Fields = Readonly<Record<string, Field>>;
export type Config<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** What fields alone can't tell, of the values that are right by themselves. Throws AppError, a line for each problem. */
export type AlsoCheck<F extends Fields> = (values: Partial<Config<F>>) => void;

/**
 * Reads the fields, whose names are the variables' without the prefix, from the environment and the file that its ESTUARY_SETTINGS names.
 * @throws AppError (usage) with one line for each problem
 */
export function readConfig<F extends Fields>(fields: F, env: Environment, ...also: AlsoCheck<F>[]): Config<F> {
  const problems: string[] = [];
  const collect = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      problems.push(error.message);
    }
  };
  const { values: settings, file, fromFile } = withSettings(env);
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const variable = PREFIX + name;
    const place = fromFile.has(variable) || fromFile.has(`${variable}_FILE`) ? ` (in ${file})` : "";
    collect(() => {
      const result = field.parse.safeParse(textOf(variable, settings));
      if (result.success) values[name] = result.data;
      else problems.push(...result.error.issues.map((issue) => `${variable}: ${issue.message}${place}`));
    });
  }
  for (const check of also) collect(() => check(values as Partial<Config<F>>));
  if (problems.length > 0) throw new AppError(EXIT.usage, problems.join("\n"));
  return values as Config<F>;
}

function textOf(variable: string, env: Environment): string | undefined {
  const text = env[variable];
  const file = env[`${variable}_FILE`];
  const hasText = text !== undefined && text !== "";
  if (file === undefined || file === "") return hasText ? text : undefined;
  if (hasText) throw new AppError(EXIT.usage, `${variable}: set it or ${variable}_FILE, not both`);
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new AppError(EXIT.usage, `${variable}_FILE: can't read ${file} (${codeOf(error)})`);
  }
}

/** For printing: secrets are hidden, URLs reduced to their hosts, amounts in the unit that they are set in. */
export function redacted(fields: Fields, config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const show = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(show);
    if (typeof value === "bigint") return value.toString();
    return typeof value === "string" && /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? hostOf(value) : value;
  };
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      const field = fields[name];
      if (value === undefined) return [name, value];
      if (field?.secret === true) return [name, "(hidden)"];
      return [name, field?.show === undefined ? show(value) : field.show(value)];
    }),
  );
}

// --- fields ---

interface Options {
  readonly about: string;
  /** Taken as it is: blanks around a password are part of it. */
  readonly secret?: boolean;
}

/** Required, unless a fallback is given. */
export function field<T>(
  parse: (text: string) => T,
  { about, secret, fallback }: Options & { fallback?: string },
): Field<T> {
  return {
    ...describe(about, secret),
    ...(fallback === undefined ? {} : { fallback }),
    parse: parser(parse, fallback, isVerbatim(parse, secret)),
  };
}

/** An amount in a unit of `decimals` places, shown as it is set. */
export function amountField(decimals: number, options: Options & { fallback?: string }): Field<bigint> {
  return { ...field(amount(decimals), options), show: shownIn(decimals) };
}

/** The same, which may be left unset. */
export function optionalAmount(decimals: number, options: Options): Field<bigint | undefined> {
  return { ...optional(amount(decimals), options), show: shownIn(decimals) };
}

function shownIn(decimals: number): (value: bigint) => string {
  return (value) => formatUnits(value, decimals).replace(/\.0$/, "");
}

export function optional<T>(parse: (text: string) => T, { about, secret }: Options): Field<T | undefined> {
  const parseText = parser(parse, undefined, isVerbatim(parse, secret));
  const unlessUnset = z
    .string()
    .optional()
    .transform((text, context) => {
      if (text === undefined) return undefined;
      const result = parseText.safeParse(text);
      if (result.success) return result.data;
      for (const issue of result.error.issues) context.addIssue(issue);
      return z.NEVER;
    });
  return { ...describe(about, secret), parse: unlessUnset };
}

function describe(about: string, secret: boolean | undefined): Pick<Field, "about" | "secret"> {
  return secret === undefined ? { about } : { about, secret };
}

/** A password may begin or end with spaces, or be nothing else. */
function isVerbatim(parse: (text: string) => unknown, secret: boolean | undefined): boolean {
  return secret === true && parse === text;
}

function parser<T>(parse: (text: string) => T, fallback: string | undefined, verbatim: boolean): Field<T>["parse"] {
  return z
    .string()
    .optional()
    .transform((text, context) => {
      const given = text ?? fallback;
      if (given === undefined) {
        context.addIssue({ code: "custom", message: "is required" });
        return z.NEVER;
      }
      try {
        return parse(verbatim ? given : given.trim());
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message });
        return z.NEVER;
      }
    });
}

export function text(value: string): string {
  return value;
}

/** @throws RangeError unless a whole number in the bounds, both included */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (value) => {
    if (!/^\d+$/.test(value) || Number(value) < least || Number(value) > most)
      throw new RangeError(`a whole number from ${least} to ${most}, not ${quote(value)}`);
    return Number(value);
  };
}

/** A decimal amount with at most `decimals` places, in the smallest unit. */
export function amount(decimals: number): (text: string) => bigint {
  return (value) => {
    const match = /^(\d+)(?:\.(\d+))?$/.exec(value);
    const [, whole = "", part = ""] = match ?? [];
    if (match === null || part.length > decimals)
      throw new RangeError(`a decimal number with at most ${decimals} places, not ${quote(value)}`);
    return BigInt(whole + part.padEnd(decimals, "0"));
  };
}

export function yesOrNo(value: string): boolean {
  if (/^(true|yes|1)$/i.test(value)) return true;
  if (/^(false|no|0)$/i.test(value)) return false;
  throw new RangeError(`true or false, not ${quote(value)}`);
}

export function oneOf<const T extends string>(...values: readonly T[]): (text: string) => T {
  return (value) => {
    const found = values.find((one) => one === value);
    if (found === undefined) throw new RangeError(`one of ${values.join(", ")}, not ${quote(value)}`);
    return found;
  };
}

/** With its checksum. Names are not looked up. */
export function address(value: string): string {
  if (!/^0x[0-9a-f]{40}$/i.test(value)) throw new RangeError(`an address, not ${quote(value)}`);
  if (!isAddress(value)) throw new RangeError(`the checksum of ${quote(value)} is wrong: a digit may be`);
  return getAddress(value);
}

export function httpUrl(value: string): string {
  endpointOf(value);
  return value.replace(/\/+$/, "");
}

/** Separated by commas, at least one. */
export function list<T>(parse: (text: string) => T): (text: string) => T[] {
  return (value) => {
    const parts = value
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
    if (parts.length === 0) throw new RangeError("at least one, separated by commas");
    return parts.map(parse);
  };
}

function quote(value: string): string {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
}
