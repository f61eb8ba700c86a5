/** The block's body: real SSZ, with the payload's own fields, its withdrawals and the requests; no attestation, no signature. */
import { ssz } from "@lodestar/types";
import { getBytes } from "ethers";
import type { DepositRequest } from "../transition/deposits.ts";
import type { WithdrawalRequest } from "../transition/exits.ts";
import type { Withdrawal } from "../transition/withdrawals.ts";
import type { ExecutionBlock } from "../execution.ts";

export interface BodyInput {
  readonly payload: ExecutionBlock;
  readonly withdrawals: readonly Withdrawal[];
  readonly deposits: readonly DepositRequest[];
  readonly withdrawalRequests: readonly WithdrawalRequest[];
}

export interface Body {
  /** electra.BeaconBlockBody, serialized; the same in Fulu. */
  readonly bytes: Uint8Array;
  readonly root: Uint8Array;
  /** The serialized ExecutionPayloadHeader that the state keeps. */
  readonly payloadHeader: Uint8Array;
}

export function buildBody(input: BodyInput): Body {
  const body = ssz.electra.BeaconBlockBody.defaultValue();
  const { payload } = input;
  const common = {
    parentHash: getBytes(payload.parentHash),
    feeRecipient: getBytes(payload.miner),
    stateRoot: getBytes(payload.stateRoot),
    receiptsRoot: getBytes(payload.receiptsRoot),
    prevRandao: getBytes(payload.prevRandao),
    blockNumber: payload.number,
    gasLimit: payload.gasLimit,
    gasUsed: payload.gasUsed,
    timestamp: payload.timestamp,
    baseFeePerGas: payload.baseFeePerGas,
    blockHash: getBytes(payload.hash),
  };
  Object.assign(body.executionPayload, common);
  body.executionPayload.withdrawals = input.withdrawals.map((item) => ({
    index: item.index,
    validatorIndex: item.validatorIndex,
    address: getBytes(item.address),
    amount: BigInt(item.amountGwei),
  }));
  body.executionRequests.deposits = input.deposits.map((item) => ({
    pubkey: getBytes(item.pubkey),
    withdrawalCredentials: getBytes(item.withdrawalCredentials),
    amount: item.amountGwei,
    signature: getBytes(item.signature),
    index: item.index,
  }));
  body.executionRequests.withdrawals = input.withdrawalRequests.map((item) => ({
    sourceAddress: getBytes(item.sourceAddress),
    validatorPubkey: getBytes(item.pubkey),
    amount: item.amountGwei,
  }));
  const { transactions, withdrawals } = ssz.electra.ExecutionPayload.fields;
  const header = {
    ...ssz.electra.ExecutionPayloadHeader.defaultValue(),
    ...common,
    transactionsRoot: transactions.hashTreeRoot(body.executionPayload.transactions),
    withdrawalsRoot: withdrawals.hashTreeRoot(body.executionPayload.withdrawals),
  };
  return {
    bytes: ssz.electra.BeaconBlockBody.serialize(body),
    root: ssz.electra.BeaconBlockBody.hashTreeRoot(body),
    payloadHeader: ssz.electra.ExecutionPayloadHeader.serialize(header),
  };
}
