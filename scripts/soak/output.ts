/** What is looked for in everything that the processes wrote. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Credentials } from "../../test/helpers/hostile/proxy.ts";
import { basic } from "../../test/helpers/hostile/proxy.ts";

export interface Finding {
  readonly file: string;
  readonly what: string;
}

/** Of Node where nobody caught it. */
const UNHANDLED = /unhandled ?(promise)? ?rejection|uncaught ?exception|triggerUncaughtException|MaxListenersExceeded/i;

/** A secret in every shape in which it is sent or written. */
export function shapesOf(keys: readonly string[], credentials: readonly Credentials[]): readonly string[] {
  return [
    ...keys.flatMap((key) => [key, key.replace(/^0x/, "")]),
    ...credentials.flatMap(({ user, password }) => [
      password,
      encodeURIComponent(password),
      basic({ user, password }).replace("Basic ", ""),
    ]),
  ];
}

/** @returns secrets by their number only: what is found is not to be written once more */
export function secretsIn(texts: ReadonlyMap<string, string>, secrets: readonly string[]): Finding[] {
  return [...texts].flatMap(([file, text]) =>
    secrets.flatMap((secret, i) =>
      text.toLowerCase().includes(secret.toLowerCase()) ? [{ file, what: `secret ${i}` }] : [],
    ),
  );
}

export function unhandledIn(texts: ReadonlyMap<string, string>): Finding[] {
  return [...texts].flatMap(([file, text]) =>
    text
      .split("\n")
      .filter((line) => UNHANDLED.test(line))
      .map((line) => ({ file, what: line.slice(0, 200) })),
  );
}

/** All logs of a devnet's folder. */
export function logsIn(folder: string): Map<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".log"));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/** How often members gave each reason, by their logs. */
export function reasonsIn(texts: ReadonlyMap<string, string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, text] of texts) {
    if (!name.startsWith("oracle-")) continue;
    for (const [, list = ""] of text.matchAll(/"reasons":\[([^\]]*)\]/g))
      for (const reason of list.split(",").map((part) => part.replaceAll('"', "")))
        if (reason !== "") counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}
