/** Proofs in the shape of the structs of `IBeaconProof`, ready for ethers. */
import { zeroNode } from "@chainsafe/persistent-merkle-tree";
import { hexlify } from "ethers";
import type { Hex } from "../util/hex.ts";
import { LIST_DEPTH, LIST_TO_STATE, headerRoot, pubkeyRoot, stateBranch } from "./proofs.ts";
import type { Anchored, BalanceProof, Header, ProvenValidator, ValidatorProof } from "./proofs.ts";

export interface ContractValidatorProof {
  readonly rootTimestamp: bigint;
  readonly header: Header;
  readonly index: bigint;
  readonly validator: Omit<ProvenValidator, "pubkey"> & { readonly pubkeyRoot: Hex };
  readonly branch: Hex[];
}

/** IBeaconProof.ValidatorBatch */
export interface ContractValidatorBatch {
  readonly rootTimestamp: bigint;
  readonly header: Header;
  readonly listBranch: Hex[];
  readonly validators: Pick<ContractValidatorProof, "index" | "validator" | "branch">[];
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

/** Proofs in one state as a batch: branches of one length, and the way from the list to the state once. */
export function contractValidatorBatch(proofs: readonly ContractValidatorProof[]): ContractValidatorBatch {
  const [first] = proofs;
  if (first === undefined) throw new RangeError("a batch needs at least one proof");
  if (proofs.some((proof) => headerRoot(proof.header) !== headerRoot(first.header)))
    throw new RangeError("the proofs of a batch must be of one block");
  const lists = proofs.map((proof) => proof.branch.slice(0, -LIST_TO_STATE));
  const levels = Math.max(...lists.map((branch) => branch.length));
  return {
    rootTimestamp: first.rootTimestamp,
    header: first.header,
    listBranch: first.branch.slice(-LIST_TO_STATE),
    validators: proofs.map(({ index, validator }, i) => {
      const branch = lists[i] ?? [];
      for (let level = branch.length; level < levels; level++) branch.push(hexlify(zeroNode(level).root) as Hex);
      return { index, validator, branch };
    }),
  };
}

/** IBeaconProof.BalanceProof */
export function contractBalanceProof(proof: BalanceProof): ContractBalanceProof {
  return { chunk: proof.leaf, branch: stateBranch(proof, LIST_DEPTH.balances) };
}
