/** A validator client on the Beacon API: duties, blocks, attestations and sync committee messages of the keys that it holds. */
import type { BeaconConfig } from "@lodestar/config";
import { SLOTS_PER_EPOCH } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { getBytes } from "ethers";
import type { Hex } from "../../offchain/util/hex.ts";
import type { ValidatorKey } from "../keys.ts";
import { attestationRoot, blockSigningRoot, randaoRoot, syncMessageRoot } from "./signing.ts";
import { SlashableError } from "./slashingProtection.ts";
import type { SlashingProtection } from "./slashingProtection.ts";

/** JSON over the Beacon API. */
export interface BeaconApi {
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
}

export type Signer = Pick<ValidatorKey, "pubkey" | "sign">;

export interface ValidatorClientOptions {
  readonly api: BeaconApi;
  readonly config: BeaconConfig;
  readonly signers: readonly Signer[];
  readonly protection: SlashingProtection;
  readonly feeRecipient: Hex;
  readonly log: (line: string) => void;
}

interface Duties {
  /** Signers that the registry knows, by validator index. */
  readonly signers: ReadonlyMap<number, Signer>;
  readonly attest: readonly {
    readonly slot: number;
    readonly committeeIndex: number;
    readonly validatorIndex: number;
  }[];
  readonly propose: readonly { readonly slot: number; readonly validatorIndex: number }[];
  readonly sync: readonly number[];
}

export interface Counts {
  blocks: number;
  attestations: number;
  syncMessages: number;
  /** Signatures that the protection refused. */
  refused: number;
}

export class ValidatorClient {
  readonly counts: Counts = { blocks: 0, attestations: 0, syncMessages: 0, refused: 0 };
  readonly #options: ValidatorClientOptions;
  readonly #duties = new Map<number, Promise<Duties>>();

  constructor(options: ValidatorClientOptions) {
    this.#options = options;
  }

  /** At the start of a slot: proposes where it is one's turn. */
  async onSlot(slot: number): Promise<void> {
    const { propose, signers } = await this.#dutiesAt(slot);
    for (const duty of propose) {
      const signer = signers.get(duty.validatorIndex);
      if (duty.slot === slot && signer !== undefined) await this.#propose(slot, signer);
    }
  }

  /** When the slot's block is there, or will not come. */
  async onVotes(slot: number): Promise<void> {
    const duties = await this.#dutiesAt(slot);
    // the committee of the next slot's block is the one whose messages it carries
    const { sync } = (slot + 1) % SLOTS_PER_EPOCH === 0 ? await this.#dutiesAt(slot + 1) : duties;
    await Promise.all([this.#attest(slot, duties), this.#signHead(slot, { ...duties, sync })]);
  }

  async #propose(slot: number, signer: Signer): Promise<void> {
    const { api, config, protection, log } = this.#options;
    const reveal = signer.sign(randaoRoot(config, slot));
    const answer = (await api.get(`/eth/v3/validator/blocks/${slot}?randao_reveal=${reveal}`)) as {
      version: string;
      data: { block: unknown };
    };
    const block = ssz.electra.BeaconBlock.fromJson(answer.data.block);
    if (!this.#isAllowed(() => protection.noteBlock(signer.pubkey, slot))) return;
    const signature = signer.sign(blockSigningRoot(config, block));
    const signed = { message: answer.data.block, signature };
    await api.post("/eth/v2/beacon/blocks", { signed_block: signed, kzg_proofs: [], blobs: [] });
    this.counts.blocks++;
    log(`proposed slot ${slot}`);
  }

  async #attest(slot: number, { attest, signers }: Duties): Promise<void> {
    const { api, config, protection } = this.#options;
    const due = attest.filter((duty) => duty.slot === slot);
    if (due.length === 0) return;
    const answer = (await api.get(`/eth/v1/validator/attestation_data?slot=${slot}&committee_index=0`)) as {
      data: unknown;
    };
    const data = ssz.phase0.AttestationData.fromJson(answer.data);
    const root = attestationRoot(config, data);
    const attestations: unknown[] = [];
    for (const { validatorIndex, committeeIndex } of due) {
      const signer = signers.get(validatorIndex);
      if (signer === undefined) continue;
      const note = (): void => protection.noteAttestation(signer.pubkey, data.source.epoch, data.target.epoch);
      if (!this.#isAllowed(note)) continue;
      const signature = getBytes(signer.sign(root));
      attestations.push(
        ssz.electra.SingleAttestation.toJson({ committeeIndex, attesterIndex: validatorIndex, data, signature }),
      );
    }
    if (attestations.length > 0) await api.post("/eth/v2/beacon/pool/attestations", attestations);
    this.counts.attestations += attestations.length;
  }

  async #signHead(slot: number, { sync, signers }: Duties): Promise<void> {
    const { api, config } = this.#options;
    if (sync.length === 0) return;
    const { data } = (await api.get("/eth/v1/beacon/blocks/head/root")) as { data: { root: Hex } };
    const root = syncMessageRoot(config, slot, getBytes(data.root));
    const messages = sync.flatMap((validatorIndex) => {
      const signer = signers.get(validatorIndex);
      if (signer === undefined) return [];
      return [
        {
          slot: String(slot),
          beacon_block_root: data.root,
          validator_index: String(validatorIndex),
          signature: signer.sign(root),
        },
      ];
    });
    await api.post("/eth/v1/beacon/pool/sync_committees", messages);
    this.counts.syncMessages += messages.length;
  }

  #isAllowed(note: () => void): boolean {
    try {
      note();
      return true;
    } catch (error) {
      if (!(error instanceof SlashableError)) throw error;
      this.counts.refused++;
      this.#options.log(`refused to sign: ${error.message}`);
      return false;
    }
  }

  /** Once an epoch: who of us is in the registry, what they have to do, and word to the beacon node that they are there. */
  #dutiesAt(slot: number): Promise<Duties> {
    const epoch = Math.floor(slot / SLOTS_PER_EPOCH);
    let duties = this.#duties.get(epoch);
    if (duties === undefined) {
      duties = this.#readDuties(epoch);
      duties.catch(() => this.#duties.delete(epoch));
      this.#duties.set(epoch, duties);
      for (const old of this.#duties.keys()) if (old < epoch - 1) this.#duties.delete(old);
    }
    return duties;
  }

  async #readDuties(epoch: number): Promise<Duties> {
    const { api, feeRecipient } = this.#options;
    const byPubkey = new Map(this.#options.signers.map((signer) => [signer.pubkey, signer]));
    const known = (await api.post("/eth/v1/beacon/states/head/validators", { ids: [...byPubkey.keys()] })) as {
      data: { index: string; validator: { pubkey: Hex } }[];
    };
    const signers = new Map<number, Signer>();
    for (const { index, validator } of known.data) {
      const signer = byPubkey.get(validator.pubkey);
      if (signer !== undefined) signers.set(Number(index), signer);
    }
    if (signers.size === 0) return { signers, attest: [], propose: [], sync: [] };
    const indices = [...signers.keys()].map(String);
    const announcement = indices.map((index) => ({ validator_index: index, fee_recipient: feeRecipient }));
    type Answer<K extends string> = { readonly data: readonly Readonly<Record<K, string>>[] };
    const [attest, propose, sync] = (await Promise.all([
      api.post(`/eth/v1/validator/duties/attester/${epoch}`, indices),
      api.get(`/eth/v1/validator/duties/proposer/${epoch}`),
      api.post(`/eth/v1/validator/duties/sync/${epoch}`, indices),
      api.post("/eth/v1/validator/prepare_beacon_proposer", announcement),
    ])) as [
      Answer<"slot" | "committee_index" | "validator_index">,
      Answer<"slot" | "validator_index">,
      Answer<"validator_index">,
      unknown,
    ];
    return {
      signers,
      attest: attest.data.map((duty) => ({
        slot: Number(duty.slot),
        committeeIndex: Number(duty.committee_index),
        validatorIndex: Number(duty.validator_index),
      })),
      propose: propose.data
        .map((duty) => ({ slot: Number(duty.slot), validatorIndex: Number(duty.validator_index) }))
        .filter((duty) => signers.has(duty.validatorIndex)),
      sync: sync.data.map((duty) => Number(duty.validator_index)),
    };
  }
}
