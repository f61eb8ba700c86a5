/** Voluntary exits: what a validator's key signs to leave (consensus-specs, phase0/beacon-chain.md#voluntary-exits). */
import { PublicKey, Signature, verify } from "@chainsafe/blst";
import { DOMAIN_VOLUNTARY_EXIT } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { getBytes } from "ethers";
import { z } from "zod";
import { AppError, EXIT } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import type { ValidatorKey } from "./hd.ts";

export interface VoluntaryExit {
  /** From which on it may be carried out. */
  readonly epoch: number;
  readonly validatorIndex: number;
}

export interface SignedVoluntaryExit extends VoluntaryExit {
  readonly signature: Hex;
}

/** The chain that an exit is for. */
export interface ExitDomain {
  /** 4 bytes. Capella's, whichever fork it is now (EIP-7044): a signed exit stays valid for ever. */
  readonly capellaForkVersion: Hex;
  readonly genesisValidatorsRoot: Hex;
}

/** @source https://github.com/eth-clients (config.yaml and genesis_validators_root of mainnet, hoodi, sepolia); a test compares lodestar's */
export const EXIT_DOMAINS: Readonly<Record<string, ExitDomain>> = {
  mainnet: {
    capellaForkVersion: "0x03000000",
    genesisValidatorsRoot: "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95",
  },
  hoodi: {
    capellaForkVersion: "0x40000910",
    genesisValidatorsRoot: "0x212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f",
  },
  sepolia: {
    capellaForkVersion: "0x90000072",
    genesisValidatorsRoot: "0xd8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078",
  },
};

export function signExit(
  key: Pick<ValidatorKey, "sign">,
  exit: VoluntaryExit,
  domain: ExitDomain,
): SignedVoluntaryExit {
  return { ...exit, signature: key.sign(exitSigningRoot(exit, domain)) };
}

/** Malformed points are invalid, not an error. */
export function isValidExit(pubkey: Hex, exit: SignedVoluntaryExit, domain: ExitDomain): boolean {
  try {
    const publicKey = PublicKey.fromBytes(getBytes(pubkey), true);
    return verify(exitSigningRoot(exit, domain), publicKey, Signature.fromBytes(getBytes(exit.signature), true));
  } catch {
    return false;
  }
}

function exitSigningRoot({ epoch, validatorIndex }: VoluntaryExit, domain: ExitDomain): Uint8Array {
  const forkDataRoot = ssz.phase0.ForkData.hashTreeRoot({
    currentVersion: getBytes(domain.capellaForkVersion),
    genesisValidatorsRoot: getBytes(domain.genesisValidatorsRoot),
  });
  const bytes = new Uint8Array(32);
  bytes.set(DOMAIN_VOLUNTARY_EXIT);
  bytes.set(forkDataRoot.subarray(0, 28), 4);
  const objectRoot = ssz.phase0.VoluntaryExit.hashTreeRoot({ epoch, validatorIndex });
  return ssz.phase0.SigningData.hashTreeRoot({ objectRoot, domain: bytes });
}

/** As the Beacon API takes it, and as other tools write it. */
export function exitJson({ epoch, validatorIndex, signature }: SignedVoluntaryExit): object {
  return { message: { epoch: String(epoch), validator_index: String(validatorIndex) }, signature };
}

const number = z
  .string()
  .regex(/^\d+$/)
  .transform(Number)
  .refine((value) => Number.isSafeInteger(value));
const schema = z.object({
  message: z.object({ epoch: number, validator_index: number }),
  signature: z.string().regex(/^0x[0-9a-fA-F]{192}$/),
});

/** @throws AppError (invalid) */
export function parseExit(text: string): SignedVoluntaryExit {
  try {
    const { message, signature } = schema.parse(JSON.parse(text));
    return { epoch: message.epoch, validatorIndex: message.validator_index, signature: signature as Hex };
  } catch {
    throw new AppError(EXIT.invalid, "not a signed voluntary exit (message with epoch and validator_index, signature)");
  }
}
