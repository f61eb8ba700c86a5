/** The pool of voluntary exits: signatures and conditions are checked at the door. */
import { PublicKey, Signature, verify } from "@chainsafe/blst";
import { computeSigningRoot } from "@lodestar/state-transition";
import { DOMAIN_VOLUNTARY_EXIT } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { getBytes } from "ethers";
import type { SimulatedBeacon } from "../beacon.ts";
import { ApiError } from "./blocks.ts";

/** The next block includes it. @throws ApiError (400) */
export function takeExit(beacon: SimulatedBeacon, json: unknown): { status: number } {
  let exit: ReturnType<typeof ssz.phase0.SignedVoluntaryExit.fromJson>;
  try {
    exit = ssz.phase0.SignedVoluntaryExit.fromJson(json);
  } catch {
    throw new ApiError(400, "malformed voluntary exit");
  }
  const { epoch, validatorIndex } = exit.message;
  const validator = beacon.head.state.validators[validatorIndex];
  if (validator === undefined) throw new ApiError(400, `invalid voluntary exit: no validator ${validatorIndex}`);
  if (epoch > beacon.epoch) throw new ApiError(400, `invalid voluntary exit: epoch ${epoch} is in the future`);
  const forkDataRoot = ssz.phase0.ForkData.hashTreeRoot({
    currentVersion: beacon.rules.capellaForkVersion,
    genesisValidatorsRoot: getBytes(beacon.genesisValidatorsRoot),
  });
  const domain = new Uint8Array([...DOMAIN_VOLUNTARY_EXIT, ...forkDataRoot.subarray(0, 28)]);
  const root = computeSigningRoot(ssz.phase0.VoluntaryExit, exit.message, domain);
  const isSigned = verify(root, PublicKey.fromBytes(getBytes(validator.pubkey)), Signature.fromBytes(exit.signature));
  if (!isSigned) throw new ApiError(400, "invalid voluntary exit: the signature is not the validator's");
  try {
    beacon.voluntaryExit(validatorIndex);
  } catch (error) {
    throw new ApiError(400, `invalid voluntary exit: ${(error as Error).message}`);
  }
  return { status: 200 };
}
