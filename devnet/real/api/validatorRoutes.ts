/** `/eth/*\/validator/*`: duties, blocks and attestation data to sign, and announcements of validator clients. */
import { EPOCHS_PER_SYNC_COMMITTEE_PERIOD, SLOTS_PER_EPOCH } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { getBytes, isAddress, toUtf8String } from "ethers";
import type { Hex } from "../../../offchain/util/hex.ts";
import type { Announcements } from "../announcements.ts";
import type { BeaconChain } from "../chain.ts";
import { InvalidBlockError } from "../chain.ts";
import { attesterDuties, proposerDuties, syncDuties } from "../duties.ts";
import { epochOf } from "../transition.ts";
import { typesAt, versionAt, wholeNumber } from "./lookups.ts";
import { ApiError, get, jsonOf, post, prefersSsz } from "./router.ts";
import type { ApiReply, ApiRequest, Route } from "./router.ts";

const DEFAULT_FEE_RECIPIENT: Hex = `0x${"00".repeat(20)}`;

/** @param announced filled by `prepare_beacon_proposer` */
export function validatorRoutes(chain: BeaconChain, currentSlot: () => number, announced: Announcements): Route[] {
  const dutiesReply = (data: unknown): ApiReply => ({
    json: { dependent_root: chain.head.entry.root, execution_optimistic: false, data },
  });
  /** Duties are known for the current and the next epoch. */
  const epochParameter = ({ params }: ApiRequest): number => {
    const epoch = wholeNumber("epoch", params["epoch"] ?? null);
    const current = epochOf(Math.max(currentSlot(), chain.head.entry.slot));
    if (epoch > current + 1 || epoch < current - 1)
      throw new ApiError(400, `epoch ${epoch}: the current one is ${current}`);
    return epoch;
  };
  return [
    get("/eth/v1/validator/duties/proposer/:epoch", (request) => {
      const epoch = epochParameter(request);
      const state = chain.stateAt(epoch * SLOTS_PER_EPOCH);
      if (state.epochCtx.epoch !== epoch) throw new ApiError(400, `epoch ${epoch} is over`);
      const duties = proposerDuties(state).map((duty) => ({
        pubkey: duty.pubkey,
        validator_index: String(duty.validatorIndex),
        slot: String(duty.slot),
      }));
      return dutiesReply(duties);
    }),
    post("/eth/v1/validator/duties/attester/:epoch", (request) => {
      const epoch = epochParameter(request);
      const wanted = indicesIn(request);
      const state = chain.stateAt((epoch - 1) * SLOTS_PER_EPOCH);
      const duties = attesterDuties(state, epoch, (index) => wanted.has(index)).map((duty) => ({
        pubkey: duty.pubkey,
        validator_index: String(duty.validatorIndex),
        committee_index: String(duty.committeeIndex),
        committee_length: String(duty.committeeLength),
        committees_at_slot: String(duty.committeesAtSlot),
        validator_committee_index: String(duty.position),
        slot: String(duty.slot),
      }));
      return dutiesReply(duties);
    }),
    post("/eth/v1/validator/duties/sync/:epoch", (request) => {
      const epoch = wholeNumber("epoch", request.params["epoch"] ?? null);
      const state = chain.stateAt(currentSlot());
      const period = (of: number): number => Math.floor(of / EPOCHS_PER_SYNC_COMMITTEE_PERIOD);
      if (![0, 1].includes(period(epoch) - period(state.epochCtx.epoch)))
        throw new ApiError(400, `epoch ${epoch}: the committees of this period and the next are known`);
      const wanted = indicesIn(request);
      const data = syncDuties(state, epoch, (index) => wanted.has(index)).map((duty) => ({
        pubkey: duty.pubkey,
        validator_index: String(duty.validatorIndex),
        validator_sync_committee_indices: duty.positions.map(String),
      }));
      return { json: { execution_optimistic: false, data } };
    }),
    get("/eth/v1/validator/attestation_data", ({ query }) => {
      const slot = wholeNumber("slot", query.get("slot"));
      if (slot > currentSlot() || epochOf(slot) + 1 < epochOf(chain.head.entry.slot))
        throw new ApiError(400, `slot ${slot}: the current one is ${currentSlot()}`);
      return { json: { data: ssz.phase0.AttestationData.toJson(chain.attestationData(slot)) } };
    }),
    get("/eth/v3/validator/blocks/:slot", (request) => produce(chain, announced, request)),
    post("/eth/v1/validator/prepare_beacon_proposer", (request) => {
      for (const item of listIn(request) as { validator_index?: string; fee_recipient?: string }[]) {
        if (!isAddress(item.fee_recipient)) throw new ApiError(400, `not an address: ${item.fee_recipient}`);
        const index = wholeNumber("validator_index", item.validator_index ?? null);
        announced.announce(index, item.fee_recipient.toLowerCase() as Hex, epochOf(currentSlot()));
      }
      return {};
    }),
    // there are no subnets to join
    post("/eth/v1/validator/beacon_committee_subscriptions", () => ({})),
    post("/eth/v1/validator/sync_committee_subscriptions", () => ({})),
  ];
}

async function produce(chain: BeaconChain, announced: Announcements, request: ApiRequest): Promise<ApiReply> {
  const slot = wholeNumber("slot", request.params["slot"] ?? null);
  const reveal = request.query.get("randao_reveal") ?? "";
  if (!/^0x[\da-f]{192}$/i.test(reveal)) throw new ApiError(400, "randao_reveal: 96 bytes");
  const proposer = chain.stateAt(slot).epochCtx.getBeaconProposer(slot);
  try {
    const block = await chain.produceBlock({
      slot,
      randaoReveal: getBytes(reveal),
      feeRecipient: announced.feeRecipient(proposer) ?? DEFAULT_FEE_RECIPIENT,
      graffiti: graffitiOf(request.query.get("graffiti")),
    });
    const version = versionAt(chain, slot);
    const headers = {
      "eth-consensus-version": version,
      "eth-execution-payload-blinded": "false",
      "eth-execution-payload-value": "0",
      "eth-consensus-block-value": "0",
    };
    const contents = { block, kzgProofs: [], blobs: [] };
    if (prefersSsz(request)) return { headers, bytes: ssz.electra.BlockContents.serialize(contents) };
    const { BeaconBlock } = typesAt(chain, slot);
    return {
      headers,
      json: {
        version,
        execution_payload_blinded: false,
        execution_payload_value: "0",
        consensus_block_value: "0",
        data: { block: BeaconBlock.toJson(block), kzg_proofs: [], blobs: [] },
      },
    };
  } catch (error) {
    if (error instanceof InvalidBlockError) throw new ApiError(400, error.message);
    throw error;
  }
}

function graffitiOf(text: string | null): string {
  return text === null || !/^0x([\da-f]{2}){0,32}$/i.test(text) ? "validator client" : toUtf8String(text);
}

function indicesIn(request: ApiRequest): Set<number> {
  return new Set(listIn(request).map((index) => wholeNumber("validator index", String(index))));
}

function listIn(request: ApiRequest): unknown[] {
  const json = jsonOf(request);
  if (!Array.isArray(json)) throw new ApiError(400, "the body is not a list");
  return json;
}
