/** Reads the validator registry's events, and goes on from where it stopped. */
import { Interface, concat, sha256 } from "ethers";
import type { Log, Provider } from "ethers";
import { messageOf } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import type { ValidatorRegistry } from "../../typechain-types/contracts/validators/ValidatorRegistry.ts";
import { EventsMissing, NOTHING_KEPT, readOn, readWhole } from "./feed.ts";
import type { Feed, FeedOptions, Kept } from "./feed.ts";
import { parsedLog } from "./logs.ts";
import { call, readAll } from "./multicall.ts";
import { RegistryCounts } from "./registryCounts.ts";
import { fundedKeys, validatorBook } from "./validatorBook.ts";
import type { ValidatorBook, ValidatorEvent } from "./validatorBook.ts";

const DEPOSIT_EVENTS = new Interface([
  "event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index)",
]);
const KINDS = [
  "Predeposited",
  "Proven",
  "Funded",
  "FundedOwn",
  "Dropped",
  "ExitRequested",
  "Exiting",
  "Withdrawn",
  "Slashed",
  "WeightStopped",
] as const;

const RECEIPTS_AT_ONCE = 50;

/** A log that is none of the registry's events is passed over, and counted. */
type Read = ValidatorEvent | { readonly kind: "Skipped"; readonly block: number };

export class ValidatorReader {
  readonly #registry: ValidatorRegistry;
  readonly #provider: Provider;
  readonly #first: number;
  readonly #counts: RegistryCounts;
  /** By key root, which binds it. */
  readonly #pubkeys = new Map<Hex, Hex>();
  #deposits: string | undefined;
  #kept: Kept<Read> = NOTHING_KEPT;

  /** @param operators address of the operators' registry, where it is known: the validators' registry names it */
  constructor(registry: ValidatorRegistry, provider: Provider, fromBlock: number, operators?: string) {
    this.#registry = registry;
    this.#provider = provider;
    this.#first = fromBlock;
    this.#counts = new RegistryCounts(registry, provider, operators);
  }

  /** How many logs of the registry did not decode: after an upgrade, perhaps. */
  get skipped(): number {
    return this.#kept.items.filter(({ kind }) => kind === "Skipped").length;
  }

  /**
   * The records as of the end of an execution block: whole, as the registry itself counts them there. Where a node leaves events out, all is
   * read again, of the next node if this one did.
   * @throws AppError (unavailable), EventsMissing among them
   */
  async bookAt(block: number, options: FeedOptions = {}): Promise<ValidatorBook> {
    return readWhole(this.#provider, this.#kept === NOTHING_KEPT, async (anew) => {
      if (anew) this.#kept = NOTHING_KEPT;
      return this.#read(block, options);
    });
  }

  /** The public keys whose balances a report about that block sums. */
  async fundedKeysAt(block: number, options: FeedOptions = {}): Promise<Hex[]> {
    return fundedKeys(await this.bookAt(block, options));
  }

  /** What was read stays only if all of it was read: a failure moves nothing. */
  async #read(block: number, options: FeedOptions): Promise<ValidatorBook> {
    const reading = readOn(this.#provider, await this.#feed(block, options), this.#kept, block, options);
    // whoever waits for it has the counts asked for together with the events
    const [kept, counts] = await Promise.all([
      reading,
      options.at === undefined ? undefined : this.#counts.read(block),
    ]);
    const events = kept.items.filter((item) => item.kind !== "Skipped");
    const places = new Map<number, number>();
    for (const event of events) if (event.kind === "Proven") places.set(event.tier, (places.get(event.tier) ?? 0) + 1);
    let book: ValidatorBook;
    try {
      book = validatorBook(events);
    } catch (error) {
      throw new EventsMissing(messageOf(error), { cause: error });
    }
    await this.#counts.expectWhole(book, places, events.length, block, counts);
    // an earlier block's reading is shorter
    if (block >= (this.#kept.cursor.marks.at(-1)?.number ?? 0)) this.#kept = kept;
    return book;
  }

  async #feed(block: number, { signal }: FeedOptions): Promise<Feed<Read>> {
    return {
      filter: {
        address: await this.#registry.getAddress(),
        topics: [KINDS.map((kind) => this.#registry.interface.getEvent(kind).topicHash)],
      },
      fromBlock: this.#first,
      decode: async (logs) => {
        await this.#readPubkeys(logs, block, signal);
        return logs.map((log) => this.#toEvent(log));
      },
    };
  }

  /** `Predeposited` has the key roots; the keys are in the deposit contract's events of the same transactions. */
  async #readPubkeys(logs: readonly Log[], block: number, signal: AbortSignal | undefined): Promise<void> {
    const { topicHash } = this.#registry.interface.getEvent("Predeposited");
    const unknown = logs.filter(
      (log) => log.topics[0] === topicHash && this.#rootsOf(log).some((keyRoot) => !this.#pubkeys.has(keyRoot)),
    );
    if (unknown.length === 0) return;
    const transactions = [...new Set(unknown.map(({ transactionHash }) => transactionHash))];
    for (const group of groupsOf(transactions, RECEIPTS_AT_ONCE)) {
      signal?.throwIfAborted();
      const [deposits, receipts] = await Promise.all([
        this.#depositContract(block),
        Promise.all(group.map((hash) => this.#provider.getTransactionReceipt(hash))),
      ]);
      receipts.forEach((receipt, index) => {
        if (receipt === null) throw new EventsMissing(`no receipt of ${group[index] ?? ""}`);
        for (const log of receipt.logs) {
          const pubkey = log.address.toLowerCase() === deposits ? depositedKey(log) : undefined;
          if (pubkey !== undefined) this.#pubkeys.set(keyRootOf(pubkey), pubkey);
        }
      });
    }
  }

  #rootsOf(log: Log): readonly Hex[] {
    return (parsedLog(this.#registry.interface, log)?.args["keyRoots"] as Hex[] | undefined) ?? [];
  }

  /** Fixed with the registry. Anyone's contract may emit what looks like its events. */
  async #depositContract(block: number): Promise<string> {
    const registry = this.#registry;
    const source = { provider: this.#provider, multicall: false };
    const calls = { deposits: call(registry, registry.depositContract) };
    this.#deposits ??= (await readAll(source, calls, { number: block, timestamp: 0n })).values.deposits.toLowerCase();
    return this.#deposits;
  }

  #toEvent(log: Log): Read {
    const parsed = parsedLog(this.#registry.interface, log);
    const block = log.blockNumber;
    if (parsed === undefined) return { kind: "Skipped", block };
    const kind = parsed.name as (typeof KINDS)[number];
    const args = parsed.args.toObject() as Record<string, unknown>;
    switch (kind) {
      case "Predeposited": {
        const keys = (args["keyRoots"] as Hex[]).map((keyRoot) => {
          const pubkey = this.#pubkeys.get(keyRoot);
          if (pubkey === undefined) throw new EventsMissing(`no deposit of ${keyRoot} in ${log.transactionHash}`);
          return { keyRoot, pubkey };
        });
        return { kind, block, operatorId: args["operatorId"] as bigint, keys };
      }
      case "Proven":
        return {
          kind,
          block,
          keyRoot: args["keyRoot"] as Hex,
          tier: Number(args["tier"]),
          sequence: Number(args["sequence"]),
          validatorIndex: Number(args["validatorIndex"]),
        };
      case "Funded":
        return { kind, block, tier: Number(args["tier"]), from: Number(args["from"]), to: Number(args["to"]) };
      case "Exiting":
        return { kind, block, keyRoot: args["keyRoot"] as Hex, withdrawableEpoch: args["withdrawableEpoch"] as bigint };
      case "FundedOwn":
      case "Dropped":
      case "ExitRequested":
      case "Withdrawn":
      case "Slashed":
      case "WeightStopped":
        return { kind, block, keyRoot: args["keyRoot"] as Hex };
    }
  }
}

/** The SSZ root of a 48-byte public key: what the registry knows it by. */
export function keyRootOf(pubkey: Hex): Hex {
  return sha256(concat([pubkey, `0x${"00".repeat(16)}`])) as Hex;
}

function depositedKey(log: Pick<Log, "topics" | "data">): Hex | undefined {
  const pubkey: unknown = parsedLog(DEPOSIT_EVENTS, log)?.args["pubkey"];
  return typeof pubkey === "string" && pubkey.length === 98 ? (pubkey as Hex) : undefined;
}

function groupsOf<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}
