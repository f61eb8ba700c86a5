import { expect } from "chai";
import { ssz } from "@lodestar/types";
import { SLOTS_PER_EPOCH } from "@lodestar/params";
import { blockSigningRoot, randaoRoot, sign } from "../../../../devnet/real/signing.ts";
import { InvalidBlockError } from "../../../../devnet/real/chain.ts";
import { EngineError } from "../../../../devnet/real/engine.ts";
import { expectRejection } from "./expectRejection.ts";
import { startChain } from "./harness.ts";
import type { TestChain } from "./harness.ts";

describe("the devnet's beacon chain", () => {
  let t: TestChain;
  afterEach(() => t.close());

  for (const [fork, blockEvery] of [
    ["electra", 1],
    ["fulu", 4],
  ] as const) {
    it(`justifies and finalises ${fork} epochs when all validators vote`, async () => {
      t = await startChain({ fork });
      t.pace.blockEvery = blockEvery;
      await t.run(4 * SLOTS_PER_EPOCH + 1);
      const { state, entry } = t.chain.head;
      expect(entry.slot).to.be.at.least(4 * SLOTS_PER_EPOCH);
      expect(state.currentJustifiedCheckpoint.epoch).to.equal(3);
      expect(state.finalizedCheckpoint.epoch).to.equal(2);
      // everybody earned, and nobody was penalised
      expect(state.balances.getAll().every((gwei) => gwei > 32e9)).to.be.true;
      const finalized = t.chain.history.byRoot(t.engine.forkchoices.at(-1)?.finalized ?? "0x");
      expect(finalized, "the fork choice names execution blocks").to.be.undefined;
      expect(t.engine.forkchoices.at(-1)?.finalized).to.equal(
        t.chain.history.atSlot(2 * SLOTS_PER_EPOCH)?.executionHash,
      );
    });
  }

  it("finalises with a block in every eighth slot only", async () => {
    t = await startChain();
    t.pace.blockEvery = 8;
    await t.run(5 * SLOTS_PER_EPOCH);
    expect(t.chain.history.canonical()).to.have.length(1 + 5 * 4);
    expect(t.chain.head.state.finalizedCheckpoint.epoch).to.be.at.least(2);
    expect(t.missed, "no slot that should have a block is without").to.deep.equal([]);
  });

  it("refuses a block with another signature, state root, proposer or parent, and keeps its head", async () => {
    t = await startChain();
    await t.run(3);
    const { config, head } = t.chain;
    const slot = 4;
    const proposer = t.chain.stateAt(slot).epochCtx.getBeaconProposer(slot);
    const secret = t.secrets.get(proposer);
    const other = t.secrets.get(proposer === 0 ? 1 : 0);
    if (secret === undefined || other === undefined) throw new Error("no such key");
    const randaoReveal = sign(secret, randaoRoot(config, slot));
    const request = { slot, randaoReveal, feeRecipient: `0x${"00".repeat(20)}`, graffiti: "" } as const;
    const message = await t.chain.produceBlock(request);
    const signature = sign(secret, blockSigningRoot(config, message));
    const signed = (changed: Partial<typeof message>): Parameters<typeof t.chain.importBlock>[0] => {
      const block = { ...message, ...changed };
      return { message: block, signature: sign(secret, blockSigningRoot(config, block)) };
    };
    const wrong = [
      { message, signature: sign(other, blockSigningRoot(config, message)) },
      signed({ stateRoot: new Uint8Array(32).fill(1) }),
      signed({ proposerIndex: (proposer + 1) % 32 }),
      signed({ parentRoot: new Uint8Array(32).fill(2) }),
      signed({ body: { ...message.body, randaoReveal: sign(other, randaoRoot(config, slot)) } }),
    ];
    for (const block of wrong) await expectRejection(t.chain.importBlock(block), InvalidBlockError);
    expect(t.chain.head).to.equal(head);
    expect(t.engine.payloads, "the execution layer saw none of them").to.have.length(3);
    await t.chain.importBlock({ message, signature });
    expect(t.chain.head.entry.slot).to.equal(slot);
  });

  it("keeps its head when the execution client finds a payload invalid", async () => {
    t = await startChain();
    await t.run(1);
    t.engine.status = "INVALID";
    await expectRejection(t.run(1), EngineError);
    expect(t.chain.head.entry.slot).to.equal(1);
  });

  it("misses the slots of a proposer that nobody operates, and goes on", async () => {
    t = await startChain();
    const absent = t.chain.stateAt(2).epochCtx.getBeaconProposer(2);
    t.secrets.delete(absent);
    await t.run(6);
    expect(t.missed).to.include(2);
    expect(t.chain.history.atSlot(2)).to.be.undefined;
    expect(t.chain.head.entry.slot).to.be.greaterThan(2);
  });

  it("activates a validator that the execution layer's requests deposited", async () => {
    t = await startChain();
    await t.run(1);
    const { deriveValidatorKeys, signedDeposit } = await import("../../../../devnet/keys.ts");
    const [key] = deriveValidatorKeys(1);
    if (key === undefined) throw new Error("no key");
    const data = signedDeposit(key, `0x01${"00".repeat(31)}`, 32n * 10n ** 9n);
    t.engine.requests = {
      ...ssz.electra.ExecutionRequests.defaultValue(),
      deposits: [
        ssz.electra.DepositRequest.fromJson({
          pubkey: data.pubkey,
          withdrawal_credentials: data.withdrawalCredentials,
          amount: data.amountGwei.toString(),
          signature: data.signature,
          index: "0",
        }),
      ],
    };
    t.pace.blockEvery = 8;
    await t.run(5 * SLOTS_PER_EPOCH);
    const { state } = t.chain.head;
    expect(state.validators.length).to.equal(33);
    expect(ssz.BLSPubkey.toJson(state.validators.getReadonly(32).pubkey)).to.equal(key.pubkey);
    expect(state.balances.get(32)).to.equal(32e9);
  });

  it("continues from the disk where it was stopped, and answers for states of long ago", async () => {
    t = await startChain();
    t.pace.blockEvery = 4;
    await t.run(40);
    const before = t.chain.head;
    const early = t.chain.history.atSlot(12);
    if (early === undefined) throw new Error("no block at slot 12");
    t.store.close();
    const again = await startChain({ existing: t.folder });
    try {
      expect(again.chain.head.entry).to.deep.equal(before.entry);
      expect(ssz.Root.equals(again.chain.head.state.hashTreeRoot(), before.state.hashTreeRoot())).to.be.true;
      expect(ssz.Root.toJson(again.chain.history.state(early).hashTreeRoot())).to.equal(early.stateRoot);
      again.pace.blockEvery = 4;
      await again.run(8);
      expect(again.chain.head.entry.slot).to.equal(48);
    } finally {
      again.store.close();
    }
    t = { ...t, close: () => undefined };
  });
});
