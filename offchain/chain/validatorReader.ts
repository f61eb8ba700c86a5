/** Reads the validator registry's events, and goes on from where it stopped. */
import { Interface, concat, sha256 } from "ethers";
import type { Log, Provider } from "ethers";
import { AppError, EXIT } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import type { ValidatorRegistry } from "../../typechain-types/contracts/validators/ValidatorRegistry.ts";
import { readLogs } from "./logs.ts";
import type { RangeOptions } from "./logs.ts";
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

export class ValidatorReader {
  readonly #registry: ValidatorRegistry;
  readonly #provider: Provider;
  readonly #first: number;
  #deposits: Promise<string> | undefined;
  #events: ValidatorEvent[] = [];
  /** The last block read, and its hash: a reorganisation shows. */
  #read: { readonly number: number; readonly hash: string } | undefined;

  constructor(registry: ValidatorRegistry, provider: Provider, fromBlock: number) {
    this.#registry = registry;
    this.#provider = provider;
    this.#first = fromBlock;
  }

  /** The records as of the end of an execution block. @throws AppError (unavailable) */
  async bookAt(block: number, options: RangeOptions = {}): Promise<ValidatorBook> {
    await this.#readTo(block, options);
    return validatorBook(this.#events.filter((event) => event.block <= block));
  }

  /** The public keys whose balances a report about that block sums. */
  async fundedKeysAt(block: number, options: RangeOptions = {}): Promise<Hex[]> {
    return fundedKeys(await this.bookAt(block, options));
  }

  /** What was read stays only if all of it was read: a failure moves nothing. */
  async #readTo(block: number, options: RangeOptions): Promise<void> {
    const known = this.#read;
    if (known !== undefined && (await this.#hashOf(known.number)) !== known.hash) {
      this.#events = [];
      this.#read = undefined;
    }
    const from = this.#read === undefined ? this.#first : this.#read.number + 1;
    if (from > block) return;
    const hash = await this.#hashOf(block);
    if (hash === undefined) throw new AppError(EXIT.unavailable, `the node does not have execution block ${block}`);
    const topics = [KINDS.map((kind) => this.#registry.interface.getEvent(kind).topicHash)];
    const address = await this.#registry.getAddress();
    const logs = await readLogs(this.#provider, { address, topics }, from, block, options);
    const pubkeys = await this.#pubkeysOf(logs, options.signal);
    const events = logs.map((log) => this.#toEvent(log, pubkeys));
    if ((await this.#hashOf(block)) !== hash)
      throw new AppError(EXIT.unavailable, `execution block ${block} was replaced while it was read`);
    this.#events.push(...events);
    this.#read = { number: block, hash };
  }

  async #hashOf(block: number): Promise<string | undefined> {
    return (await this.#provider.getBlock(block))?.hash ?? undefined;
  }

  /** `Predeposited` has the key roots; the keys are in the deposit contract's events of the same transactions. */
  async #pubkeysOf(logs: readonly Log[], signal: AbortSignal | undefined): Promise<Map<Hex, Hex>> {
    const { topicHash } = this.#registry.interface.getEvent("Predeposited");
    const transactions = new Set(logs.filter((log) => log.topics[0] === topicHash).map((log) => log.transactionHash));
    const pubkeys = new Map<Hex, Hex>();
    if (transactions.size === 0) return pubkeys;
    const deposits = await this.#depositContract();
    for (const group of groupsOf([...transactions], RECEIPTS_AT_ONCE)) {
      signal?.throwIfAborted();
      const receipts = await Promise.all(group.map((hash) => this.#provider.getTransactionReceipt(hash)));
      receipts.forEach((receipt, index) => {
        if (receipt === null) throw new AppError(EXIT.unavailable, `the node has no receipt of ${group[index] ?? ""}`);
        for (const log of receipt.logs) {
          const parsed = log.address.toLowerCase() === deposits ? parseDeposit(log) : undefined;
          if (parsed !== undefined) pubkeys.set(keyRootOf(parsed), parsed);
        }
      });
    }
    return pubkeys;
  }

  /** Fixed with the registry. Anyone's contract may emit what looks like its events. */
  async #depositContract(): Promise<string> {
    this.#deposits ??= this.#registry.depositContract();
    try {
      return (await this.#deposits).toLowerCase();
    } catch (error) {
      this.#deposits = undefined;
      throw error;
    }
  }

  #toEvent(log: Log, pubkeys: ReadonlyMap<Hex, Hex>): ValidatorEvent {
    const parsed = this.#registry.interface.parseLog(log);
    const block = log.blockNumber;
    const kind = parsed?.name as (typeof KINDS)[number];
    const args = parsed?.args.toObject() as Record<string, unknown>;
    switch (kind) {
      case "Predeposited": {
        const keys = (args["keyRoots"] as Hex[]).map((keyRoot) => {
          const pubkey = pubkeys.get(keyRoot);
          if (pubkey === undefined)
            throw new AppError(EXIT.unavailable, `no deposit of ${keyRoot} in ${log.transactionHash}`);
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

function parseDeposit(log: Log): Hex | undefined {
  if (log.topics[0] !== DEPOSIT_EVENTS.getEvent("DepositEvent")?.topicHash) return undefined;
  const [pubkey] = DEPOSIT_EVENTS.parseLog(log)?.args ?? [];
  return typeof pubkey === "string" && pubkey.length === 98 ? (pubkey as Hex) : undefined;
}

function groupsOf<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}
