/**
 * What happened on a local chain since it was made, a line each: a Hardhat network cannot be saved, so it is made again and lives through the same
 * once more. What people sent is written before it happens, where the chain got to after.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { AppError, EXIT } from "../../offchain/util/errors.ts";

const VERSION = 1;

const headSchema = z.object({
  version: z.literal(VERSION),
  /** Of the chain, unix seconds. */
  genesis: z.number().int().positive(),
  /** Of the life that it begins with. */
  days: z.number().int().positive(),
  /** Of the beacon block with which that ended. */
  root: z.string(),
});

const entrySchema = z.union([
  /** The beacon chain reached a slot; its block's root commits to all that came before, on both layers. */
  z.object({ slot: z.number().int(), root: z.string() }).strict(),
  /** A request that changes the execution layer. */
  z.object({ method: z.string(), params: z.array(z.unknown()) }).strict(),
  z.object({ slash: z.string() }).strict(),
  /** The committee is silent up to this slot. */
  z.object({ silentUntil: z.number().int() }).strict(),
]);

export type JournalHead = z.output<typeof headSchema>;
export type Entry = z.output<typeof entrySchema>;

export interface Kept {
  readonly head: JournalHead;
  readonly entries: readonly Entry[];
}

/**
 * What an earlier run left; undefined where there is nothing yet. A last line that was not written to its end is dropped.
 * @throws AppError (invalid)
 */
export function readJournal(file: string): Kept | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  const complete = text.slice(0, text.lastIndexOf("\n") + 1);
  if (complete.length < text.length) truncateSync(file, Buffer.byteLength(complete));
  const [first, ...rest] = complete.split("\n").slice(0, -1);
  // not even its first line: it was stopped while the chain was being made
  if (first === undefined) return undefined;
  try {
    return {
      head: headSchema.parse(JSON.parse(first)),
      entries: rest.map((line) => entrySchema.parse(JSON.parse(line))),
    };
  } catch {
    throw new AppError(EXIT.invalid, `${file} is not what this version writes: --fresh begins anew`);
  }
}

/** Appends. Each line is with the system before its method returns. */
export class Journal {
  readonly #descriptor: number;

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.#descriptor = openSync(file, "a");
  }

  begin(head: Omit<JournalHead, "version">): void {
    this.#write({ version: VERSION, ...head });
    fsyncSync(this.#descriptor);
  }

  add(entry: Entry): void {
    this.#write(entry);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #write(line: object): void {
    writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
  }
}
