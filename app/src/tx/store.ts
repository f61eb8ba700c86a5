/** What was sent from this page, kept in the browser: it survives a reload. */
import { z } from "zod";

export const TX_KINDS = [
  "stake",
  "stakeAndWrap",
  "leave",
  "request",
  "requestWrapped",
  "claim",
  "approve",
  "wrap",
  "unwrap",
  "join",
  "addBond",
  "withdrawBond",
  "withdrawBondWrapped",
  "claimRewards",
  "claimRewardsWrapped",
  "compoundRewards",
  "predeposit",
  "provide",
  "enter",
  "exit",
  "exitToEther",
] as const;
export type TxKind = (typeof TX_KINDS)[number];

const recordSchema = z.object({
  hash: z.string(),
  kind: z.enum(TX_KINDS),
  from: z.string(),
  to: z.string(),
  data: z.string(),
  /** Wei, decimal. */
  value: z.string(),
  /** What it is about, wei, decimal. */
  amount: z.string(),
  /** Whose it is, where a page has several places that send the same: an operator's id. */
  about: z.string().optional(),
  /** Unix milliseconds. */
  sentAt: z.number(),
  /** The newest block when it was sent. */
  sentBlock: z.number(),
  nonce: z.number().optional(),
  /** The account's next nonce before it was sent: what it probably has, until the node knows it. */
  nextNonce: z.number(),
  state: z.enum(["pending", "done", "reverted", "replaced", "dropped"]),
  /** Where the wallet replaced it by the same with another fee. */
  minedAs: z.string().optional(),
  /** Of a done or failed one: the block that has it. */
  block: z.number().optional(),
  /** So many blocks follow it that none replaces it any more. */
  isBuried: z.boolean().optional(),
  /** What came out: wei, decimal. */
  outcome: z.string().optional(),
  /** What came beside it: of leaving what is queued, of exiting estETH; wei, decimal. */
  beside: z.string().optional(),
  /** Name of the contract's error, and its sentence. */
  reason: z.object({ name: z.string(), sentence: z.string() }).optional(),
  dismissed: z.boolean(),
});

export type TxRecord = z.infer<typeof recordSchema>;

const MOST = 50;

export class TxStore {
  readonly #key: string;
  readonly #listeners = new Set<() => void>();
  #records: readonly TxRecord[];

  constructor(chainId: bigint, token: string) {
    this.#key = `estuary.sent.${chainId}.${token.toLowerCase()}`;
    this.#records = load(this.#key);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Newest first. */
  readonly snapshot = (): readonly TxRecord[] => this.#records;

  add(record: TxRecord): void {
    this.#set([record, ...this.#records.filter(({ hash }) => hash !== record.hash)].slice(0, MOST));
  }

  update(hash: string, change: Partial<TxRecord>): void {
    this.#set(this.#records.map((record) => (record.hash === hash ? { ...record, ...change } : record)));
  }

  #set(records: readonly TxRecord[]): void {
    this.#records = records;
    try {
      localStorage.setItem(this.#key, JSON.stringify(records));
    } catch {
      // full or forbidden: it is kept until the page is closed
    }
    for (const listener of this.#listeners) listener();
  }
}

/** What another version of the page left is dropped, not guessed at. */
function load(key: string): readonly TxRecord[] {
  try {
    const parsed = z.array(recordSchema).safeParse(JSON.parse(localStorage.getItem(key) ?? "[]"));
    return parsed.success ? parsed.data : [];
  } catch {
    return [];
  }
}
