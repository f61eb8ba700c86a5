/** Proofs in the shape of the structs of `IBeaconProof`, ready for ethers. */
import type { Anchored } from "./beacon.ts";
import type { Hex } from "./core/state.ts";
import { pubkeyRoot } from "./keys.ts";
import { LIST_DEPTH, stateBranch } from "./proofs.ts";
import type { BalanceProof, Header, ProvenValidator, ValidatorProof } from "./proofs.ts";

export interface ContractValidatorProof {
  readonly rootTimestamp: bigint;
  readonly header: Header;
  readonly index: bigint;
  readonly validator: Omit<ProvenValidator, "pubkey"> & { readonly pubkeyRoot: Hex };
  readonly branch: Hex[];
}

export interface ContractBalanceProof {
  readonly chunk: Hex;
  readonly branch: Hex[];
}

/** IBeaconProof.ValidatorProof */
export function contractValidatorProof(proof: Anchored<ValidatorProof>): ContractValidatorProof {
  const { pubkey, ...fields } = proof.validator;
  return {
    rootTimestamp: proof.timestamp,
    header: proof.header,
    index: proof.validatorIndex,
    validator: { pubkeyRoot: pubkeyRoot(pubkey), ...fields },
    branch: stateBranch(proof, LIST_DEPTH.validators),
  };
}

/** IBeaconProof.BalanceProof */
export function contractBalanceProof(proof: BalanceProof): ContractBalanceProof {
  return { chunk: proof.leaf, branch: stateBranch(proof, LIST_DEPTH.balances) };
}
