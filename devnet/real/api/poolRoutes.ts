/** `/eth/*\/beacon/pool/*`: what validators and others hand in for the next blocks. Signatures are checked at the door. */
import { PublicKey, Signature, verify } from "@chainsafe/blst";
import { SLOTS_PER_EPOCH } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import type { electra } from "@lodestar/types";
import type { BeaconChain } from "../chain.ts";
import { InvalidOperationError } from "../operationPool.ts";
import { attestationRoot, syncMessageRoot } from "../signing.ts";
import { epochOf } from "../transition.ts";
import { versionAt } from "./lookups.ts";
import { ApiError, get, jsonOf, post } from "./router.ts";
import type { ApiReply, Handler, Route } from "./router.ts";

export function poolRoutes(chain: BeaconChain): Route[] {
  const { operations } = chain;
  const accept =
    (add: (json: unknown) => void): Handler =>
    (request) => {
      try {
        add(jsonOf(request));
      } catch (error) {
        if (error instanceof ApiError) throw error;
        throw new ApiError(400, error instanceof InvalidOperationError ? error.message : `malformed: ${String(error)}`);
      }
      return {};
    };
  const list = (items: () => unknown[]): Handler => {
    return () => ({ json: { version: versionAt(chain, chain.head.entry.slot), data: items() } });
  };
  const { AttesterSlashing } = ssz.electra;
  const { ProposerSlashing, SignedVoluntaryExit } = ssz.phase0;
  return [
    post("/eth/v2/beacon/pool/attestations", (request) =>
      acceptEach(jsonOf(request), (json) => addAttestation(chain, ssz.electra.SingleAttestation.fromJson(json))),
    ),
    post("/eth/v1/beacon/pool/sync_committees", (request) =>
      acceptEach(jsonOf(request), (json) => addSyncMessage(chain, json)),
    ),
    post(
      "/eth/v2/beacon/pool/attester_slashings",
      accept((json) => operations.addAttesterSlashing(chain.head.state, AttesterSlashing.fromJson(json))),
    ),
    get(
      "/eth/v2/beacon/pool/attester_slashings",
      list(() => operations.attesterSlashings.map((item) => AttesterSlashing.toJson(item))),
    ),
    post(
      "/eth/v1/beacon/pool/proposer_slashings",
      accept((json) => operations.addProposerSlashing(chain.head.state, ProposerSlashing.fromJson(json))),
    ),
    get(
      "/eth/v1/beacon/pool/proposer_slashings",
      list(() => operations.proposerSlashings.map((item) => ProposerSlashing.toJson(item))),
    ),
    post(
      "/eth/v1/beacon/pool/voluntary_exits",
      accept((json) => operations.addVoluntaryExit(chain.head.state, SignedVoluntaryExit.fromJson(json))),
    ),
    get(
      "/eth/v1/beacon/pool/voluntary_exits",
      list(() => operations.voluntaryExits.map((item) => SignedVoluntaryExit.toJson(item))),
    ),
    get(
      "/eth/v1/beacon/pool/bls_to_execution_changes",
      list(() => []),
    ),
  ];
}

/** Takes what is good of a list, and answers with the places and reasons of what is not (IndexedErrorMessage). */
function acceptEach(json: unknown, add: (item: unknown) => void): ApiReply {
  if (!Array.isArray(json)) throw new ApiError(400, "the body is not a list");
  const failures: { index: number; message: string }[] = [];
  json.forEach((item, index) => {
    try {
      add(item);
    } catch (error) {
      failures.push({ index, message: error instanceof Error ? error.message : String(error) });
    }
  });
  if (failures.length === 0) return {};
  return { status: 400, json: { code: 400, message: "some were refused", failures } };
}

function addAttestation(chain: BeaconChain, single: electra.SingleAttestation): void {
  const { data, attesterIndex, committeeIndex, signature } = single;
  const head = chain.head.entry.slot;
  if (epochOf(data.slot) + 1 < epochOf(head)) throw new Error(`slot ${data.slot} is too old`);
  if (data.slot > head + SLOTS_PER_EPOCH) throw new Error(`slot ${data.slot} is in the future`);
  if (data.index !== 0 || data.target.epoch !== epochOf(data.slot)) throw new Error("index or target is wrong");
  const committee = chain.stateAt(data.slot).epochCtx.getBeaconCommittee(data.slot, committeeIndex);
  if (!committee.includes(attesterIndex))
    throw new Error(`validator ${attesterIndex} is not in committee ${committeeIndex} of slot ${data.slot}`);
  checkSignature(chain, attesterIndex, attestationRoot(chain.config, data), signature);
  chain.attestations.add({ committeeIndex, validatorIndex: attesterIndex, data, signature });
}

function addSyncMessage(chain: BeaconChain, json: unknown): void {
  const { slot, beaconBlockRoot, validatorIndex, signature } = ssz.altair.SyncCommitteeMessage.fromJson(json);
  const { currentSyncCommitteeIndexed } = chain.stateAt(slot + 1).epochCtx;
  if (!currentSyncCommitteeIndexed.validatorIndexMap.has(validatorIndex))
    throw new Error(`validator ${validatorIndex} is not in the sync committee`);
  if (!ssz.Root.equals(beaconBlockRoot, Buffer.from(chain.head.entry.root.slice(2), "hex")))
    throw new Error("not for the head");
  checkSignature(chain, validatorIndex, syncMessageRoot(chain.config, slot, beaconBlockRoot), signature);
  chain.syncMessages.add(slot, validatorIndex, signature);
}

function checkSignature(chain: BeaconChain, validatorIndex: number, root: Uint8Array, signature: Uint8Array): void {
  const { pubkey } = chain.head.state.validators.getReadonly(validatorIndex);
  if (!verify(root, PublicKey.fromBytes(pubkey), Signature.fromBytes(signature, true)))
    throw new Error(`the signature is not of validator ${validatorIndex}`);
}
