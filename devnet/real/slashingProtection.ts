/**
 * What a validator client has signed, in the minimal form of EIP-3076: the last block and the last attestation of each key. The file
 * is written before the signature is given, so that neither a crash nor a second start can make a validator contradict itself.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Hex } from "../../offchain/util/hex.ts";

export class SlashableError extends Error {
  override readonly name = "SlashableError";
}

const WHOLE = z.string().regex(/^\d+$/).transform(Number);
const INTERCHANGE = z.object({
  metadata: z.object({ interchange_format_version: z.literal("5"), genesis_validators_root: z.string() }),
  data: z.array(
    z.object({
      pubkey: z.string(),
      signed_blocks: z.array(z.object({ slot: WHOLE })),
      signed_attestations: z.array(z.object({ source_epoch: WHOLE, target_epoch: WHOLE })),
    }),
  ),
});

interface Record {
  /** -1 where nothing was signed yet, like the epochs. */
  blockSlot: number;
  sourceEpoch: number;
  targetEpoch: number;
}

export class SlashingProtection {
  readonly #path: string;
  readonly #genesisValidatorsRoot: Hex;
  readonly #records = new Map<Hex, Record>();

  /** @throws when the file belongs to another chain or is no interchange file */
  constructor(path: string, genesisValidatorsRoot: Hex) {
    this.#path = path;
    this.#genesisValidatorsRoot = genesisValidatorsRoot;
    if (!existsSync(path)) return;
    const { metadata, data } = INTERCHANGE.parse(JSON.parse(readFileSync(path, "utf8")));
    if (metadata.genesis_validators_root !== genesisValidatorsRoot)
      throw new Error(`${path} belongs to another chain, ${metadata.genesis_validators_root}`);
    for (const entry of data) {
      this.#records.set(entry.pubkey as Hex, {
        blockSlot: Math.max(-1, ...entry.signed_blocks.map(({ slot }) => slot)),
        sourceEpoch: Math.max(-1, ...entry.signed_attestations.map(({ source_epoch }) => source_epoch)),
        targetEpoch: Math.max(-1, ...entry.signed_attestations.map(({ target_epoch }) => target_epoch)),
      });
    }
  }

  /** @throws SlashableError */
  noteBlock(pubkey: Hex, slot: number): void {
    const record = this.#recordOf(pubkey);
    if (slot <= record.blockSlot)
      throw new SlashableError(`block at slot ${slot}: one at slot ${record.blockSlot} is signed`);
    record.blockSlot = slot;
    this.#write();
  }

  /** @throws SlashableError */
  noteAttestation(pubkey: Hex, sourceEpoch: number, targetEpoch: number): void {
    const record = this.#recordOf(pubkey);
    if (targetEpoch <= record.targetEpoch || sourceEpoch < record.sourceEpoch)
      throw new SlashableError(
        `attestation ${sourceEpoch} to ${targetEpoch}: one from ${record.sourceEpoch} to ${record.targetEpoch} is signed`,
      );
    record.sourceEpoch = sourceEpoch;
    record.targetEpoch = targetEpoch;
    this.#write();
  }

  #recordOf(pubkey: Hex): Record {
    let record = this.#records.get(pubkey);
    if (record === undefined) {
      record = { blockSlot: -1, sourceEpoch: -1, targetEpoch: -1 };
      this.#records.set(pubkey, record);
    }
    return record;
  }

  #write(): void {
    const data = [...this.#records].map(([pubkey, { blockSlot, sourceEpoch, targetEpoch }]) => ({
      pubkey,
      signed_blocks: blockSlot < 0 ? [] : [{ slot: String(blockSlot) }],
      signed_attestations:
        targetEpoch < 0 ? [] : [{ source_epoch: String(sourceEpoch), target_epoch: String(targetEpoch) }],
    }));
    const metadata = { interchange_format_version: "5", genesis_validators_root: this.#genesisValidatorsRoot };
    writeFileSync(`${this.#path}.part`, JSON.stringify({ metadata, data }));
    renameSync(`${this.#path}.part`, this.#path);
  }
}
