/** Blocks and payload envelopes of Gloas (EIP-7732), built with the specification's types, and a beacon node that serves them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import type { Header } from "../../../offchain/beacon/proofs.ts";
import { closeServer } from "../../../offchain/util/health.ts";
import type { Hex } from "../../../offchain/util/hex.ts";

export type SignedBlock = ReturnType<typeof ssz.gloas.SignedBeaconBlock.defaultValue>;
export type Envelope = ReturnType<typeof ssz.gloas.SignedExecutionPayloadEnvelope.defaultValue>;
export type Requests = ReturnType<typeof ssz.gloas.ExecutionRequests.defaultValue>;

export const ZERO_ROOT: Uint8Array = new Uint8Array(32);

export function hex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}

export function rootOf({ message }: SignedBlock): Uint8Array {
  return ssz.gloas.BeaconBlock.hashTreeRoot(message);
}

export interface BlockParts {
  readonly slot: number;
  readonly parentRoot: Uint8Array;
  readonly stateRoot?: Uint8Array;
  /** Of the payload that it bids for, and of the last one that counted before. */
  readonly blockHash: Uint8Array;
  readonly parentBlockHash: Uint8Array;
  readonly requests?: Requests;
}

export function gloasBlock({ requests, stateRoot = ZERO_ROOT, ...parts }: BlockParts): SignedBlock {
  const signed = ssz.gloas.SignedBeaconBlock.defaultValue();
  const { slot, parentRoot, blockHash, parentBlockHash } = parts;
  Object.assign(signed.message, { slot, parentRoot, stateRoot });
  Object.assign(signed.message.body.signedExecutionPayloadBid.message, {
    slot,
    blockHash,
    parentBlockHash,
    executionRequestsRoot: ssz.gloas.ExecutionRequests.hashTreeRoot(
      requests ?? ssz.gloas.ExecutionRequests.defaultValue(),
    ),
  });
  return signed;
}

export function headerOf({ message }: SignedBlock): Header {
  const { slot, proposerIndex, parentRoot, stateRoot, body } = message;
  return {
    slot: BigInt(slot),
    proposerIndex: BigInt(proposerIndex),
    parentRoot: hex(parentRoot),
    stateRoot: hex(stateRoot),
    bodyRoot: hex(ssz.gloas.BeaconBlockBody.hashTreeRoot(body)),
  };
}

/** The header that a state has of its own block: without the state's root. */
export function ownHeader(parts: BlockParts) {
  const { slot, parentRoot, body } = gloasBlock(parts).message;
  const bodyRoot = ssz.gloas.BeaconBlockBody.hashTreeRoot(body);
  const header = { slot, proposerIndex: 0, parentRoot, stateRoot: ZERO_ROOT, bodyRoot };
  return ssz.phase0.BeaconBlockHeader.toViewDU(header);
}

/** Of the block's payload. */
export function gloasEnvelope(
  of: SignedBlock,
  { blockNumber, timestamp }: { readonly blockNumber: number; readonly timestamp: number },
  requests: Requests = ssz.gloas.ExecutionRequests.defaultValue(),
): Envelope {
  const signed = ssz.gloas.SignedExecutionPayloadEnvelope.defaultValue();
  signed.message.beaconBlockRoot = rootOf(of);
  signed.message.executionRequests = requests;
  const { blockHash } = of.message.body.signedExecutionPayloadBid.message;
  Object.assign(signed.message.payload, { blockHash, blockNumber, timestamp });
  return signed;
}

export interface ServedChain {
  readonly genesisTime: number;
  readonly chainId: number;
  readonly genesisValidatorsRoot: Uint8Array;
  readonly finalizedEpoch: number;
  /** In the order of their slots. */
  readonly blocks: readonly SignedBlock[];
  /** SSZ, by the root of the block. */
  readonly envelopes: ReadonlyMap<Hex, Uint8Array>;
  /** SSZ, by an id; undefined where the node serves no such state. */
  stateOf(id: string): Uint8Array | undefined;
}

/** @param chain is asked for at each request: it may change */
export async function serveGloas(chain: () => ServedChain): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = answerOf(chain(), request.url ?? "");
    if (answer === undefined) response.writeHead(404).end();
    else if (answer instanceof Uint8Array) response.writeHead(200, { "eth-consensus-version": "gloas" }).end(answer);
    else response.writeHead(200).end(JSON.stringify({ data: answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => closeServer(server) };
}

/** JSON's `data`, SSZ, or undefined for 404. */
function answerOf(chain: ServedChain, url: string): unknown {
  const { blocks, envelopes } = chain;
  const last = (path: string): string | undefined => (url.startsWith(path) ? url.slice(path.length) : undefined);
  const head = blocks.at(-1)?.message.slot ?? 0;
  if (url === "/eth/v1/node/syncing") return { head_slot: String(head), is_syncing: false };
  if (url === "/eth/v1/beacon/genesis")
    return {
      genesis_time: String(chain.genesisTime),
      genesis_fork_version: "0x00000000",
      genesis_validators_root: hex(chain.genesisValidatorsRoot),
    };
  if (url === "/eth/v1/config/spec")
    return {
      SECONDS_PER_SLOT: "12",
      SLOTS_PER_EPOCH: "32",
      DEPOSIT_CHAIN_ID: String(chain.chainId),
      DEPOSIT_CONTRACT_ADDRESS: "0x00",
    };
  if (url === "/eth/v1/beacon/states/head/finality_checkpoints")
    return { finalized: { epoch: String(chain.finalizedEpoch) } };
  const id = last("/eth/v1/beacon/headers/");
  if (id !== undefined) {
    const found = blocks.find(({ message }) => message.slot === (id === "head" ? head : Number(id)));
    return found && { root: hex(rootOf(found)), header: { message: { slot: String(found.message.slot) } } };
  }
  const root = last("/eth/v2/beacon/blocks/");
  const found = blocks.find((signed) => hex(rootOf(signed)) === root);
  if (found !== undefined) return ssz.gloas.SignedBeaconBlock.serialize(found);
  const state = last("/eth/v2/debug/beacon/states/");
  if (state !== undefined) return chain.stateOf(state);
  return envelopes.get((last("/eth/v1/beacon/execution_payload_envelope/") ?? "0x") as Hex);
}
