/** Client of the Engine API (execution-apis, Prague): JSON-RPC over HTTP with a JWT for each request. */
import { createHmac } from "node:crypto";
import type { electra } from "@lodestar/types";
import type { Hex } from "../../offchain/util/hex.ts";
import { payloadFromJson, payloadToJson, requestsFromJson, requestsToJson, withdrawalsToJson } from "./payload.ts";
import type { PayloadJson } from "./payload.ts";

export interface ForkchoiceState {
  readonly head: Hex;
  readonly safe: Hex;
  readonly finalized: Hex;
}

export interface PayloadAttributes {
  /** Unix seconds. */
  readonly timestamp: number;
  readonly prevRandao: Hex;
  readonly feeRecipient: Hex;
  readonly withdrawals: electra.ExecutionPayload["withdrawals"];
  readonly parentBeaconBlockRoot: Hex;
}

export type PayloadStatus = "VALID" | "INVALID" | "SYNCING" | "ACCEPTED" | "INVALID_BLOCK_HASH";

export interface BuiltPayload {
  readonly payload: electra.ExecutionPayload;
  readonly requests: electra.ExecutionRequests;
}

/** An execution block as `eth_getBlockByNumber` shows it. */
export type ExecutionBlockJson = Readonly<
  Record<
    | "hash"
    | "parentHash"
    | "miner"
    | "stateRoot"
    | "receiptsRoot"
    | "logsBloom"
    | "mixHash"
    | "number"
    | "gasLimit"
    | "timestamp"
    | "extraData"
    | "baseFeePerGas",
    Hex
  >
>;

/** What block production and import ask of the execution layer. */
export interface Engine {
  /** @returns the payload's id where one was asked for */
  forkchoiceUpdated(state: ForkchoiceState, attributes?: PayloadAttributes): Promise<Hex | undefined>;
  getPayload(id: Hex): Promise<BuiltPayload>;
  newPayload(
    payload: electra.ExecutionPayload,
    parentBeaconBlockRoot: Hex,
    requests: electra.ExecutionRequests,
  ): Promise<PayloadStatus>;
  block(number: number | "latest"): Promise<ExecutionBlockJson>;
  chainId(): Promise<number>;
}

/** The execution client answered with an error, or with a status other than VALID. */
export class EngineError extends Error {
  override readonly name = "EngineError";
}

/** The execution client did not answer at all. */
export class EngineUnreachableError extends Error {
  override readonly name = "EngineUnreachableError";
}

/** A token of the Engine API: HS256 over the issue time, which the other side accepts for a minute. */
export function engineToken(secret: Uint8Array, unixSeconds: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ iat: unixSeconds })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

const TIMEOUT_MS = 30_000;

export class EngineClient implements Engine {
  readonly #url: string;
  readonly #secret: Uint8Array;
  readonly #now: () => number;
  #id = 0;
  /** The client forgets a payload's requests once they were fetched. */
  #last: { readonly id: Hex; readonly built: BuiltPayload } | undefined;

  /**
   * @param secret 32 bytes, shared with the execution client
   * @param now unix seconds of the wall clock
   */
  constructor(url: string, secret: Uint8Array, now: () => number = () => Math.floor(Date.now() / 1_000)) {
    this.#url = url;
    this.#secret = secret;
    this.#now = now;
  }

  async forkchoiceUpdated(state: ForkchoiceState, attributes?: PayloadAttributes): Promise<Hex | undefined> {
    const answer = await this.#call<{ payloadStatus: { status: PayloadStatus }; payloadId: Hex | null }>(
      "engine_forkchoiceUpdatedV3",
      [
        { headBlockHash: state.head, safeBlockHash: state.safe, finalizedBlockHash: state.finalized },
        attributes === undefined ? null : attributesToJson(attributes),
      ],
    );
    if (answer.payloadStatus.status !== "VALID")
      throw new EngineError(`the fork choice is ${answer.payloadStatus.status} to the execution client`);
    return answer.payloadId ?? undefined;
  }

  async getPayload(id: Hex): Promise<BuiltPayload> {
    if (this.#last?.id === id) return this.#last.built;
    const answer = await this.#call<{ executionPayload: PayloadJson; executionRequests?: Hex[] }>(
      "engine_getPayloadV4",
      [id],
    );
    const { executionPayload, executionRequests } = answer;
    if (executionRequests === undefined)
      throw new EngineError(`payload ${id} was fetched before: its requests are lost`);
    const built = { payload: payloadFromJson(executionPayload), requests: requestsFromJson(executionRequests) };
    this.#last = { id, built };
    return built;
  }

  async newPayload(
    payload: electra.ExecutionPayload,
    parentBeaconBlockRoot: Hex,
    requests: electra.ExecutionRequests,
  ): Promise<PayloadStatus> {
    const parameters = [payloadToJson(payload), [], parentBeaconBlockRoot, requestsToJson(requests)];
    return (await this.#call<{ status: PayloadStatus }>("engine_newPayloadV4", parameters)).status;
  }

  async block(number: number | "latest"): Promise<ExecutionBlockJson> {
    const at = number === "latest" ? number : `0x${number.toString(16)}`;
    const block = await this.#call<ExecutionBlockJson | null>("eth_getBlockByNumber", [at, false]);
    if (block === null) throw new EngineError(`the execution client has no block ${number}`);
    return block;
  }

  async chainId(): Promise<number> {
    return Number(await this.#call<Hex>("eth_chainId", []));
  }

  async #call<T>(method: string, params: readonly unknown[]): Promise<T> {
    let answer: { result?: T; error?: { code: number; message: string } };
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${engineToken(this.#secret, this.#now())}`,
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: ++this.#id, method, params }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status === 401) throw new EngineError(`${method}: the execution client refused the token`);
      answer = (await response.json()) as typeof answer;
    } catch (error) {
      if (error instanceof EngineError) throw error;
      throw new EngineUnreachableError(`${method}: no answer from ${this.#url}`, { cause: error });
    }
    if (answer.error !== undefined) throw new EngineError(`${method}: ${answer.error.message}`);
    return answer.result as T;
  }
}

function attributesToJson(attributes: PayloadAttributes): object {
  return {
    timestamp: `0x${attributes.timestamp.toString(16)}`,
    prevRandao: attributes.prevRandao,
    suggestedFeeRecipient: attributes.feeRecipient,
    withdrawals: withdrawalsToJson(attributes.withdrawals),
    parentBeaconBlockRoot: attributes.parentBeaconBlockRoot,
  };
}
