/** Blocks, payloads and a state of Gloas (EIP-7732), served over HTTP. */
import { expect } from "chai";
import { ssz } from "@lodestar/types";
import { getBytes } from "ethers";
import { BeaconClient } from "../../../offchain/beacon/client.ts";
import { contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { headerRoot, proveValidator } from "../../../offchain/beacon/proofs.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { answers, hostileBeacon, on } from "../../helpers/hostile/beacon.ts";
import type { Behaviour } from "../../helpers/hostile/beacon.ts";
import { ZERO_ROOT, gloasBlock, gloasEnvelope, hex, ownHeader, rootOf, serveGloas } from "./gloasChain.ts";
import type { BlockParts, Envelope, SignedBlock } from "./gloasChain.ts";

const GENESIS_TIME = 1_000;
const SLOT = 3_200;
const CREDENTIALS = `0x01${"00".repeat(11)}${"be".repeat(20)}`;

function pubkey(index: number): Hex {
  return `0x${(index + 1).toString(16).padStart(96, "a")}`;
}

/** Of the execution block of a slot. */
function executionHash(slot: number): Uint8Array {
  return new Uint8Array(32).fill(slot % 251);
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

function partsOf(slot: number, parentRoot: Uint8Array, parentPayload: number): BlockParts {
  const [blockHash, parentBlockHash] = [executionHash(slot), executionHash(parentPayload)];
  return { slot, parentRoot, blockHash, parentBlockHash, requests: requests() };
}

function envelope(of: SignedBlock): Envelope {
  const { slot } = of.message;
  return gloasEnvelope(of, { blockNumber: 5_000 + slot, timestamp: GENESIS_TIME + 12 * slot }, requests());
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
    const parts = partsOf(slot, parent, payload);
    if (slot === SLOT) {
      state.latestBlockHeader = ownHeader(parts);
      state.commit();
    }
    const signed = gloasBlock(slot === SLOT ? { ...parts, stateRoot: state.hashTreeRoot() } : parts);
    blocks.push(signed);
    // also one that does not count may be revealed
    envelopes.set(hex(rootOf(signed)), ssz.gloas.SignedExecutionPayloadEnvelope.serialize(envelope(signed)));
    parent = rootOf(signed);
    if (full.includes(slot)) payload = slot;
  }
  return { blocks, envelopes, state, servesStates: true };
}

describe("the beacon client in Gloas, over HTTP", () => {
  let chain: Chain;
  let server: Awaited<ReturnType<typeof serveGloas>>;
  let client: BeaconClient;

  before(async () => {
    server = await serveGloas(() => {
      const { blocks, envelopes, state, servesStates } = chain;
      return {
        genesisTime: GENESIS_TIME,
        chainId: 1,
        genesisValidatorsRoot: ZERO_ROOT,
        finalizedEpoch: 0,
        blocks,
        envelopes,
        stateOf: () => (servesStates ? state.serialize() : undefined),
      };
    });
    const clock = { now: () => GENESIS_TIME + 12 * (SLOT + 2), sleep: () => Promise.resolve() };
    client = new BeaconClient({ urls: [server.url], clock });
  });

  after(async () => server.close());

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

  it("takes blocks and payloads as JSON too, and payloads by the route's older name", async () => {
    chain = chainWith([SLOT - 2, SLOT - 1, SLOT, SLOT + 1]);
    const expected = await client.blockAtOrBefore(SLOT);
    const asJson =
      (type: { deserialize(bytes: Uint8Array): unknown; toJson(value: never): unknown }): Behaviour =>
      async (asked, forward) => {
        const { body } = await forward();
        const data = type.toJson(type.deserialize(body) as never);
        return answers(200, { version: "gloas", data })(asked, forward);
      };
    const node = await hostileBeacon(
      server.url,
      on(/beacon\/blocks/, asJson(ssz.gloas.SignedBeaconBlock)),
      on(/payload_envelope\//, answers(404)),
      on(/payload_envelopes/, (asked, forward) => {
        const path = asked.path.replace("envelopes", "envelope");
        return asJson(ssz.gloas.SignedExecutionPayloadEnvelope)(asked, async () => {
          const answer = await fetch(server.url + path);
          return { ...(await forward()), body: Buffer.from(await answer.arrayBuffer()) };
        });
      }),
    );
    const clock = { now: () => GENESIS_TIME + 12 * (SLOT + 2), sleep: () => Promise.resolve() };
    expect(await new BeaconClient({ urls: [node.url], clock }).blockAtOrBefore(SLOT)).to.deep.equal(expected);
    await node.close();
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
      [(e: Envelope) => (e.message.beaconBlockRoot = ZERO_ROOT), "another block of the payload"],
      [(e: Envelope) => (e.message.payload.blockHash = ZERO_ROOT), "another execution block"],
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

  describe("the blocks without a payload that follow a slot", () => {
    const slots = [-2, -1, 0, 1, 2, 3, 4].map((at) => SLOT + at);
    const found = async () => {
      const headers = await client.headersToPayload(SLOT);
      headers.forEach((header, place) => {
        if (place > 0) expect(header.parentRoot).to.equal(headerRoot(headers[place - 1] ?? header));
      });
      const roots = new Map(chain.blocks.map((signed) => [hex(rootOf(signed)), signed.message.slot - SLOT]));
      return headers.map((header) => roots.get(headerRoot(header)));
    };
    const full = (...at: number[]) => at.map((slot) => SLOT + slot);

    for (const [title, chainOf, expected] of [
      ["are none where the next one has its own", () => chainWith(full(-2, -1, 0, 1), slots), [0]],
      ["are one", () => chainWith(full(-2, -1, 0, 2), slots), [0, 1]],
      ["are three in a row", () => chainWith(full(-2, -1, 0, 4), [...slots, SLOT + 5]), [0, 1, 2, 3]],
      [
        "are counted from the last block before, where the slot itself is missed",
        () =>
          chainWith(
            full(-2, -1, 2),
            slots.filter((slot) => slot !== SLOT),
          ),
        [-1, 1],
      ],
      ["are none where only the block itself is one", () => chainWith(full(-2, -1, 1), slots), [0]],
      ["are those after it where the block itself is one too", () => chainWith(full(-2, -1, 2), slots), [0, 1]],
      ["end at the first payload, whatever comes later", () => chainWith(full(-2, -1, 0, 1, 3), slots), [0]],
      [
        "are found over missed slots",
        () =>
          chainWith(
            full(-2, -1, 0, 4),
            slots.filter((slot) => slot !== SLOT + 1 && slot !== SLOT + 3).concat(SLOT + 5),
          ),
        [0, 2],
      ],
    ] as const)
      it(title, async () => {
        chain = chainOf();
        expect(await found()).to.deep.equal(expected);
      });

    it("are not known before a payload comes, or before the next block says that it counts", async () => {
      chain = chainWith(full(-2, -1, 0), slots);
      expect(await fails(client.headersToPayload(SLOT))).to.include(`no block after slot ${SLOT + 4} yet`);
      chain = chainWith(full(-2, -1, 0), [SLOT - 2, SLOT - 1, SLOT]);
      expect(await fails(client.headersToPayload(SLOT))).to.include(`no block with a payload after slot ${SLOT} yet`);
    });

    it("are of one chain: a block whose parent is another is no answer", async () => {
      const first = chainWith(full(-2, -1, 0, 2), slots);
      const other = chainWith(full(-2, -1, 2), slots);
      chain = { ...first, blocks: [...first.blocks.slice(0, 4), ...other.blocks.slice(4)] };
      expect(await fails(client.headersToPayload(SLOT))).to.include("another parent than asked for");
    });
  });
});
