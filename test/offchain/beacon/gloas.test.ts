/** Blocks, payloads and a state of Gloas (EIP-7732), built with the specification's types and served over HTTP. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { ssz } from "@lodestar/types";
import { getBytes, hexlify } from "ethers";
import { BeaconClient } from "../../../offchain/beacon/client.ts";
import { contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { proveValidator } from "../../../offchain/beacon/proofs.ts";
import { closeServer } from "../../../offchain/util/health.ts";
import type { Hex } from "../../../offchain/util/hex.ts";

const GENESIS_TIME = 1_000;
const SLOT = 3_200;
const ROOT: Uint8Array = new Uint8Array(32);
const CREDENTIALS = `0x01${"00".repeat(11)}${"be".repeat(20)}`;

type SignedBlock = ReturnType<typeof ssz.gloas.SignedBeaconBlock.defaultValue>;
type Envelope = ReturnType<typeof ssz.gloas.SignedExecutionPayloadEnvelope.defaultValue>;

function pubkey(index: number): Hex {
  return `0x${(index + 1).toString(16).padStart(96, "a")}`;
}

/** Of the execution block of a slot. */
function executionHash(slot: number): Uint8Array {
  return new Uint8Array(32).fill(slot % 251);
}

function hex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}

function rootOf({ message }: SignedBlock): Uint8Array {
  return ssz.gloas.BeaconBlock.hashTreeRoot(message);
}

/** The payload of a slot: two deposits for validator 1, one of a stranger. */
function requests() {
  const value = ssz.gloas.ExecutionRequests.defaultValue();
  for (const [index, amount] of [
    [1, 31],
    [7, 1],
    [1, 2],
  ] as const)
    value.deposits.push({ ...ssz.electra.DepositRequest.defaultValue(), pubkey: getBytes(pubkey(index)), amount });
  return value;
}

function block(slot: number, parent: Uint8Array, parentPayload: number, stateRoot = ROOT): SignedBlock {
  const signed = ssz.gloas.SignedBeaconBlock.defaultValue();
  Object.assign(signed.message, { slot, parentRoot: parent, stateRoot });
  Object.assign(signed.message.body.signedExecutionPayloadBid.message, {
    slot,
    blockHash: executionHash(slot),
    parentBlockHash: executionHash(parentPayload),
    executionRequestsRoot: ssz.gloas.ExecutionRequests.hashTreeRoot(requests()),
  });
  return signed;
}

function envelope(of: SignedBlock): Envelope {
  const signed = ssz.gloas.SignedExecutionPayloadEnvelope.defaultValue();
  const { slot } = of.message;
  signed.message.beaconBlockRoot = rootOf(of);
  signed.message.executionRequests = requests();
  const timestamp = GENESIS_TIME + 12 * slot;
  Object.assign(signed.message.payload, { blockHash: executionHash(slot), blockNumber: 5_000 + slot, timestamp });
  return signed;
}

/** Four validators; 1 has a pending deposit of 5, 2 and a builder are to be paid. */
function stateAt(slot: number) {
  const view = ssz.gloas.BeaconState.defaultViewDU();
  view.slot = slot;
  for (let index = 0; index < 4; index++) {
    view.validators.push(
      ssz.phase0.Validator.toViewDU({
        ...ssz.phase0.Validator.defaultValue(),
        pubkey: getBytes(pubkey(index)),
        withdrawalCredentials: getBytes(CREDENTIALS),
      }),
    );
    view.balances.push(100 + index);
  }
  const deposit = { ...ssz.electra.PendingDeposit.defaultValue(), pubkey: getBytes(pubkey(1)), amount: 5 };
  view.pendingDeposits.push(ssz.electra.PendingDeposit.toViewDU(deposit));
  for (const [validatorIndex, amount] of [
    [2, 40n],
    [2 ** 40 + 2, 9n],
    [2, 2n],
  ] as const)
    view.payloadExpectedWithdrawals.push(
      ssz.capella.Withdrawal.toViewDU({ ...ssz.capella.Withdrawal.defaultValue(), validatorIndex, amount }),
    );
  view.commit();
  return view;
}

/** Blocks in consecutive slots; the state is that of the block at SLOT. */
interface Chain {
  readonly blocks: readonly SignedBlock[];
  readonly envelopes: Map<Hex, Uint8Array>;
  readonly state: ReturnType<typeof stateAt>;
  servesStates: boolean;
}

/** @param full the slots whose payloads count */
function chainWith(full: readonly number[], slots = [SLOT - 2, SLOT - 1, SLOT, SLOT + 1, SLOT + 2]): Chain {
  const state = stateAt(SLOT);
  const blocks: SignedBlock[] = [];
  const envelopes = new Map<Hex, Uint8Array>();
  let parent: Uint8Array = new Uint8Array(32).fill(9);
  let payload = (slots[0] ?? 0) - 1;
  for (const slot of slots) {
    if (slot === SLOT) {
      state.latestBlockHeader = ownHeader(parent, payload);
      state.commit();
    }
    const signed = block(slot, parent, payload, slot === SLOT ? state.hashTreeRoot() : ROOT);
    blocks.push(signed);
    // also one that does not count may be revealed
    envelopes.set(hex(rootOf(signed)), ssz.gloas.SignedExecutionPayloadEnvelope.serialize(envelope(signed)));
    parent = rootOf(signed);
    if (full.includes(slot)) payload = slot;
  }
  return { blocks, envelopes, state, servesStates: true };
}

/** The header that the state at SLOT has of its own block: without the state root. */
function ownHeader(parentRoot: Uint8Array, parentPayload: number) {
  const { body } = block(SLOT, parentRoot, parentPayload).message;
  const bodyRoot = ssz.gloas.BeaconBlockBody.hashTreeRoot(body);
  return ssz.phase0.BeaconBlockHeader.toViewDU({ slot: SLOT, proposerIndex: 0, parentRoot, stateRoot: ROOT, bodyRoot });
}

describe("the beacon client in Gloas, over HTTP", () => {
  let chain: Chain;
  let server: Server;
  let client: BeaconClient;

  before(async () => {
    server = createServer((request, response) => {
      const answer = answerOf(chain, request.url ?? "");
      if (answer === undefined) response.writeHead(404).end();
      else if (answer instanceof Uint8Array) response.writeHead(200, { "eth-consensus-version": "gloas" }).end(answer);
      else response.writeHead(200).end(JSON.stringify({ data: answer }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const clock = { now: () => GENESIS_TIME + 12 * (SLOT + 2), sleep: () => Promise.resolve() };
    client = new BeaconClient({ urls: [url], clock });
  });

  after(async () => closeServer(server));

  const keys = [0, 1, 2].map(pubkey);

  async function fails(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => "it did not fail",
      (error: unknown) => (error as Error).message,
    );
  }

  it("takes a block's own payload where the next block builds on it, with the deposits that the state does not know yet", async () => {
    chain = chainWith([SLOT - 2, SLOT - 1, SLOT, SLOT + 1]);
    const found = await client.blockAtOrBefore(SLOT);
    const [, , expected] = chain.blocks;
    expect(found.root).to.equal(hex(rootOf(expected as SignedBlock)));
    expect(found.execution).to.deep.equal({
      number: 5_000 + SLOT,
      hash: hex(executionHash(SLOT)),
      timestamp: GENESIS_TIME + 12 * SLOT,
    });
    const state = await client.readState(found, keys, undefined, true);
    expect([...state.pendingDepositsGwei]).to.deep.equal([[pubkey(1), 5n + 31n + 2n]]);
    expect([...state.owedWithdrawalsGwei]).to.deep.equal([]);
    expect(keys.map((key) => state.validators.get(key)?.balanceGwei)).to.deep.equal([100n, 101n, 102n]);
  });

  it("takes the last payload before where its own does not count, with the withdrawals that are owed", async () => {
    chain = chainWith([SLOT - 2, SLOT + 1]);
    const found = await client.blockAtOrBefore(SLOT);
    expect(found.slot).to.equal(SLOT);
    expect(found.execution).to.deep.include({ number: 5_000 + SLOT - 2, hash: hex(executionHash(SLOT - 2)) });
    const state = await client.readState(found, keys, undefined, true);
    expect([...state.pendingDepositsGwei]).to.deep.equal([[pubkey(1), 5n]]);
    expect([...state.owedWithdrawalsGwei]).to.deep.equal([[pubkey(2), 42n]]);
    chain.servesStates = false;
    expect(await fails(client.readState(found, keys))).to.include(`slot ${SLOT} has no payload`);
  });

  it("does not say which execution block belongs to a block that has no successor", async () => {
    chain = chainWith([SLOT - 2, SLOT - 1], [SLOT - 2, SLOT - 1, SLOT]);
    expect(await fails(client.blockAtOrBefore(SLOT))).to.include(
      `no block after slot ${SLOT} yet, which says whether its payload counts (gloas)`,
    );
    expect((await client.blockAtOrBefore(SLOT - 1)).slot).to.equal(SLOT - 1);
  });

  it("proves against a root that the successor's payload wrote, and not where it has none", async () => {
    chain = chainWith([SLOT - 2, SLOT - 1, SLOT, SLOT + 1]);
    const proven = async () => client.prove(await client.blockAtOrBefore(SLOT), [pubkey(2)]);
    const { block: found, validators } = await proven();
    const { header } = found;
    const timestamp = BigInt(GENESIS_TIME + 12 * (SLOT + 1));
    const source = { fork: "gloas", header, state: chain.state.node } as const;
    expect(validators[0]).to.deep.equal(contractValidatorProof({ ...proveValidator(source, 2), timestamp, header }));
    chain = chainWith([SLOT - 2, SLOT - 1, SLOT]);
    expect(await fails(proven())).to.include("has no payload: EIP-4788 never gets the root before it");
  });

  it("takes no envelope of another block, with another hash, or with other requests than the bid's", async () => {
    for (const [change, message] of [
      [(e: Envelope) => (e.message.beaconBlockRoot = ROOT), "another block of the payload"],
      [(e: Envelope) => (e.message.payload.blockHash = ROOT), "another execution block"],
      [(e: Envelope) => e.message.executionRequests.deposits.pop(), "another root of execution requests"],
    ] as const) {
      chain = chainWith([SLOT - 2, SLOT - 1, SLOT]);
      const [, , own] = chain.blocks;
      const changed = envelope(own as SignedBlock);
      change(changed);
      const root = hex(rootOf(own as SignedBlock));
      chain.envelopes.set(root, ssz.gloas.SignedExecutionPayloadEnvelope.serialize(changed));
      expect(await fails(client.blockAtOrBefore(SLOT))).to.include(message);
      chain.envelopes.set(root, new Uint8Array(10));
      expect(await fails(client.blockAtOrBefore(SLOT))).to.include("is not an SSZ envelope of gloas");
      chain.envelopes.delete(root);
      expect(await fails(client.blockAtOrBefore(SLOT))).to.include("does not have the payload of the block");
    }
  });
});

/** JSON's `data`, SSZ, or undefined for 404. */
function answerOf({ blocks, envelopes, state, servesStates }: Chain, url: string): unknown {
  const last = (path: string): string | undefined => (url.startsWith(path) ? url.slice(path.length) : undefined);
  const head = blocks.at(-1)?.message.slot ?? 0;
  if (url === "/eth/v1/node/syncing") return { head_slot: String(head), is_syncing: false };
  if (url === "/eth/v1/beacon/genesis")
    return {
      genesis_time: String(GENESIS_TIME),
      genesis_fork_version: "0x00000000",
      genesis_validators_root: hex(ROOT),
    };
  if (url === "/eth/v1/config/spec")
    return {
      SECONDS_PER_SLOT: "12",
      SLOTS_PER_EPOCH: "32",
      DEPOSIT_CHAIN_ID: "1",
      DEPOSIT_CONTRACT_ADDRESS: "0x00",
    };
  const id = last("/eth/v1/beacon/headers/");
  if (id !== undefined) {
    const found = blocks.find(({ message }) => message.slot === (id === "head" ? head : Number(id)));
    return found && { root: hex(rootOf(found)), header: { message: { slot: String(found.message.slot) } } };
  }
  const root = last("/eth/v2/beacon/blocks/");
  const found = blocks.find((signed) => hex(rootOf(signed)) === root);
  if (found !== undefined) return ssz.gloas.SignedBeaconBlock.serialize(found);
  if (servesStates && url.startsWith("/eth/v2/debug/beacon/states/")) return state.serialize();
  return envelopes.get((last("/eth/v1/beacon/execution_payload_envelopes/") ?? "0x") as Hex);
}
