/** Execution payloads and requests between the Engine API's JSON and the consensus layer's SSZ values. */
import { DEPOSIT_REQUEST_TYPE, WITHDRAWAL_REQUEST_TYPE, CONSOLIDATION_REQUEST_TYPE } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import type { electra } from "@lodestar/types";
import { concat, getBytes, hexlify } from "ethers";
import type { Hex } from "../../offchain/util/hex.ts";

export interface WithdrawalJson {
  readonly index: Hex;
  readonly validatorIndex: Hex;
  readonly address: Hex;
  /** Gwei. */
  readonly amount: Hex;
}

/** ExecutionPayloadV3 (Cancun; Prague keeps it). */
export interface PayloadJson {
  readonly parentHash: Hex;
  readonly feeRecipient: Hex;
  readonly stateRoot: Hex;
  readonly receiptsRoot: Hex;
  readonly logsBloom: Hex;
  readonly prevRandao: Hex;
  readonly blockNumber: Hex;
  readonly gasLimit: Hex;
  readonly gasUsed: Hex;
  readonly timestamp: Hex;
  readonly extraData: Hex;
  readonly baseFeePerGas: Hex;
  readonly blockHash: Hex;
  readonly transactions: readonly Hex[];
  readonly withdrawals: readonly WithdrawalJson[];
  readonly blobGasUsed: Hex;
  readonly excessBlobGas: Hex;
}

type Payload = electra.ExecutionPayload;
type Requests = electra.ExecutionRequests;

export function payloadToJson(payload: Payload): PayloadJson {
  return {
    parentHash: toHex(payload.parentHash),
    feeRecipient: toHex(payload.feeRecipient),
    stateRoot: toHex(payload.stateRoot),
    receiptsRoot: toHex(payload.receiptsRoot),
    logsBloom: toHex(payload.logsBloom),
    prevRandao: toHex(payload.prevRandao),
    blockNumber: quantity(payload.blockNumber),
    gasLimit: quantity(payload.gasLimit),
    gasUsed: quantity(payload.gasUsed),
    timestamp: quantity(payload.timestamp),
    extraData: toHex(payload.extraData),
    baseFeePerGas: quantity(payload.baseFeePerGas),
    blockHash: toHex(payload.blockHash),
    transactions: payload.transactions.map(toHex),
    withdrawals: withdrawalsToJson(payload.withdrawals),
    blobGasUsed: quantity(payload.blobGasUsed),
    excessBlobGas: quantity(payload.excessBlobGas),
  };
}

export function payloadFromJson(json: PayloadJson): Payload {
  return {
    parentHash: getBytes(json.parentHash),
    feeRecipient: getBytes(json.feeRecipient),
    stateRoot: getBytes(json.stateRoot),
    receiptsRoot: getBytes(json.receiptsRoot),
    logsBloom: getBytes(json.logsBloom),
    prevRandao: getBytes(json.prevRandao),
    blockNumber: Number(json.blockNumber),
    gasLimit: Number(json.gasLimit),
    gasUsed: Number(json.gasUsed),
    timestamp: Number(json.timestamp),
    extraData: getBytes(json.extraData),
    baseFeePerGas: BigInt(json.baseFeePerGas),
    blockHash: getBytes(json.blockHash),
    transactions: json.transactions.map((transaction) => getBytes(transaction)),
    withdrawals: json.withdrawals.map((withdrawal) => ({
      index: Number(withdrawal.index),
      validatorIndex: Number(withdrawal.validatorIndex),
      address: getBytes(withdrawal.address),
      amount: BigInt(withdrawal.amount),
    })),
    blobGasUsed: BigInt(json.blobGasUsed),
    excessBlobGas: BigInt(json.excessBlobGas),
  };
}

export function withdrawalsToJson(withdrawals: Payload["withdrawals"]): WithdrawalJson[] {
  return withdrawals.map((withdrawal) => ({
    index: quantity(withdrawal.index),
    validatorIndex: quantity(withdrawal.validatorIndex),
    address: toHex(withdrawal.address),
    amount: quantity(withdrawal.amount),
  }));
}

/** EIP-7685: one item for each type that has requests, in the order of types: `type || SSZ list`. */
export function requestsToJson(requests: Requests): Hex[] {
  const { DepositRequests, WithdrawalRequests, ConsolidationRequests } = ssz.electra;
  return [
    requests.deposits.length > 0 ? typed(DEPOSIT_REQUEST_TYPE, DepositRequests.serialize(requests.deposits)) : [],
    requests.withdrawals.length > 0
      ? typed(WITHDRAWAL_REQUEST_TYPE, WithdrawalRequests.serialize(requests.withdrawals))
      : [],
    requests.consolidations.length > 0
      ? typed(CONSOLIDATION_REQUEST_TYPE, ConsolidationRequests.serialize(requests.consolidations))
      : [],
  ].flat();
}

/** @throws on a type that Prague does not have */
export function requestsFromJson(items: readonly Hex[]): Requests {
  const requests = ssz.electra.ExecutionRequests.defaultValue();
  for (const item of items) {
    const bytes = getBytes(item);
    const data = bytes.subarray(1);
    if (bytes[0] === DEPOSIT_REQUEST_TYPE) requests.deposits = ssz.electra.DepositRequests.deserialize(data);
    else if (bytes[0] === WITHDRAWAL_REQUEST_TYPE)
      requests.withdrawals = ssz.electra.WithdrawalRequests.deserialize(data);
    else if (bytes[0] === CONSOLIDATION_REQUEST_TYPE)
      requests.consolidations = ssz.electra.ConsolidationRequests.deserialize(data);
    else throw new Error(`execution request of unknown type ${bytes[0]}`);
  }
  return requests;
}

function typed(type: number, data: Uint8Array): Hex {
  return concat([Uint8Array.of(type), data]) as Hex;
}

function quantity(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}

function toHex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}
