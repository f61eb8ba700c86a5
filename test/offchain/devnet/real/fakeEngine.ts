/** An execution layer that builds empty payloads as it is told, and remembers what it was given. */
import { ssz } from "@lodestar/types";
import type { electra } from "@lodestar/types";
import { getBytes, sha256, toUtf8Bytes } from "ethers";
import type {
  BuiltPayload,
  Engine,
  ExecutionBlockJson,
  ForkchoiceState,
  PayloadAttributes,
  PayloadStatus,
} from "../../../../devnet/real/engine.ts";
import type { Hex } from "../../../../offchain/util/hex.ts";

export const GENESIS_TIME = 1_700_000_000;
const ZERO_HASH: Hex = `0x${"00".repeat(32)}`;

export class FakeEngine implements Engine {
  /** What newPayload answers. */
  status: PayloadStatus = "VALID";
  /** Requests that the next payload carries. */
  requests: electra.ExecutionRequests = ssz.electra.ExecutionRequests.defaultValue();
  readonly forkchoices: ForkchoiceState[] = [];
  readonly payloads: electra.ExecutionPayload[] = [];
  #building: { readonly parent: Hex; readonly attributes: PayloadAttributes } | undefined;

  forkchoiceUpdated(state: ForkchoiceState, attributes?: PayloadAttributes): Promise<Hex | undefined> {
    this.forkchoices.push(state);
    if (attributes === undefined) return Promise.resolve(undefined);
    this.#building = { parent: state.head, attributes };
    return Promise.resolve("0x01");
  }

  getPayload(): Promise<BuiltPayload> {
    if (this.#building === undefined) throw new Error("nothing is being built");
    const { parent, attributes } = this.#building;
    const payload: electra.ExecutionPayload = {
      ...ssz.electra.ExecutionPayload.defaultValue(),
      parentHash: getBytes(parent),
      prevRandao: getBytes(attributes.prevRandao),
      timestamp: attributes.timestamp,
      feeRecipient: getBytes(attributes.feeRecipient),
      withdrawals: attributes.withdrawals,
      blockNumber: this.payloads.length + 1,
      blockHash: getBytes(sha256(toUtf8Bytes(`${parent} ${attributes.timestamp}`))),
    };
    const requests = this.requests;
    this.requests = ssz.electra.ExecutionRequests.defaultValue();
    return Promise.resolve({ payload, requests });
  }

  newPayload(payload: electra.ExecutionPayload): Promise<PayloadStatus> {
    if (this.status === "VALID") this.payloads.push(payload);
    return Promise.resolve(this.status);
  }

  block(number: number | "latest"): Promise<ExecutionBlockJson> {
    const last = number === "latest" ? this.payloads.length : number;
    const quantity = (value: number): Hex => `0x${value.toString(16)}`;
    return Promise.resolve({
      hash: sha256(toUtf8Bytes("genesis")) as Hex,
      parentHash: ZERO_HASH,
      miner: `0x${"00".repeat(20)}`,
      stateRoot: ZERO_HASH,
      receiptsRoot: ZERO_HASH,
      logsBloom: `0x${"00".repeat(256)}`,
      mixHash: ZERO_HASH,
      number: quantity(last),
      gasLimit: quantity(30_000_000),
      timestamp: quantity(GENESIS_TIME),
      extraData: "0x",
      baseFeePerGas: quantity(10 ** 9),
    });
  }

  chainId(): Promise<number> {
    return Promise.resolve(32_382);
  }
}
