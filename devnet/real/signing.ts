/** What a validator signs, over the domains of the chain's configuration. */
import type { SecretKey } from "@chainsafe/blst";
import type { BeaconConfig } from "@lodestar/config";
import {
  DOMAIN_BEACON_ATTESTER,
  DOMAIN_BEACON_PROPOSER,
  DOMAIN_RANDAO,
  DOMAIN_SYNC_COMMITTEE,
  SLOTS_PER_EPOCH,
} from "@lodestar/params";
import { ssz } from "@lodestar/types";
import type { electra, phase0 } from "@lodestar/types";

export function randaoRoot(config: BeaconConfig, slot: number): Uint8Array {
  const epoch = Math.floor(slot / SLOTS_PER_EPOCH);
  return signingRoot(ssz.Epoch.hashTreeRoot(epoch), config.getDomain(slot, DOMAIN_RANDAO));
}

export function blockSigningRoot(config: BeaconConfig, block: electra.BeaconBlock): Uint8Array {
  const { BeaconBlock } = config.getForkTypes(block.slot) as unknown as typeof ssz.electra;
  return signingRoot(BeaconBlock.hashTreeRoot(block), config.getDomain(block.slot, DOMAIN_BEACON_PROPOSER));
}

export function attestationRoot(config: BeaconConfig, data: phase0.AttestationData): Uint8Array {
  const domain = config.getDomain(data.target.epoch * SLOTS_PER_EPOCH, DOMAIN_BEACON_ATTESTER);
  return signingRoot(ssz.phase0.AttestationData.hashTreeRoot(data), domain);
}

export function syncMessageRoot(config: BeaconConfig, slot: number, blockRoot: Uint8Array): Uint8Array {
  return signingRoot(blockRoot, config.getDomain(slot, DOMAIN_SYNC_COMMITTEE));
}

/** Exits are signed over Capella's fork version for ever (EIP-7044). */
export function voluntaryExitRoot(config: BeaconConfig, exit: phase0.VoluntaryExit): Uint8Array {
  const domain = config.getDomainForVoluntaryExit(exit.epoch * SLOTS_PER_EPOCH);
  return signingRoot(ssz.phase0.VoluntaryExit.hashTreeRoot(exit), domain);
}

export function sign(secret: SecretKey, root: Uint8Array): Uint8Array {
  return secret.sign(root).toBytes();
}

function signingRoot(objectRoot: Uint8Array, domain: Uint8Array): Uint8Array {
  return ssz.phase0.SigningData.hashTreeRoot({ objectRoot, domain });
}
