/** Proofs in the shape of the structs of `IBeaconProof`, ready for ethers. */
import { zeroNode } from "@chainsafe/persistent-merkle-tree";
import { hexlify } from "ethers";
import type { Hex } from "../util/hex.ts";
import { HEADER_DEPTH, LAYOUTS, headerRoot, pubkeyRoot, stateBranch } from "./proofs.ts";
import type { Anchored, BalanceProof, ForkName, Header, Proof, ProvenValidator, ValidatorProof } from "./proofs.ts";

/** IBeaconProof.Hop */
export interface ContractHop {
  readonly from: Header;
  readonly branch: Hex[];
}

export interface ContractValidatorProof {
  readonly rootTimestamp: bigint;
  readonly header: Header;
  readonly hops: ContractHop[];
  readonly index: bigint;
  readonly validator: Omit<ProvenValidator, "pubkey"> & { readonly pubkeyRoot: Hex };
  readonly branch: Hex[];
}

/** IBeaconProof.ValidatorBatch */
export interface ContractValidatorBatch {
  readonly rootTimestamp: bigint;
  readonly header: Header;
  readonly hops: ContractHop[];
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
    hops: [],
    index: proof.validatorIndex,
    validator: { pubkeyRoot: pubkeyRoot(pubkey), ...fields },
    branch: stateBranch(proof, "validators"),
  };
}

/**
 * The same proof for a block whose root EIP-4788 no longer keeps: `hop` proves the header's root in the state of a newer block, under whose
 * timestamp the newer root is kept.
 */
export function throughHop<T extends { readonly header: Header }>(proof: T, hop: Anchored<Proof>): T {
  if (hop.leaf !== headerRoot(proof.header)) throw new RangeError(`the hop leads to ${hop.leaf}, another block`);
  const branch = hop.nodes.slice(0, -HEADER_DEPTH);
  return { ...proof, rootTimestamp: hop.timestamp, hops: [{ from: hop.header, branch }] };
}

/** Proofs in one state as a batch: the way from the list to the state once, and where empty subtrees are left out branches of one length. */
export function contractValidatorBatch(
  proofs: readonly ContractValidatorProof[],
  fork: ForkName,
): ContractValidatorBatch {
  const [first] = proofs;
  if (first === undefined) throw new RangeError("a batch needs at least one proof");
  if (proofs.some((proof) => headerRoot(proof.header) !== headerRoot(first.header)))
    throw new RangeError("the proofs of a batch must be of one block");
  const { listToState, progressive } = LAYOUTS[fork];
  const lists = proofs.map((proof) => proof.branch.slice(0, -listToState));
  const levels = progressive ? 0 : Math.max(...lists.map((branch) => branch.length));
  return {
    rootTimestamp: first.rootTimestamp,
    header: first.header,
    hops: first.hops,
    listBranch: first.branch.slice(-listToState),
    validators: proofs.map(({ index, validator }, i) => {
      const branch = lists[i] ?? [];
      for (let level = branch.length; level < levels; level++) branch.push(hexlify(zeroNode(level).root) as Hex);
      return { index, validator, branch };
    }),
  };
}

/** IBeaconProof.BalanceProof */
export function contractBalanceProof(proof: BalanceProof): ContractBalanceProof {
  return { chunk: proof.leaf, branch: stateBranch(proof, "balances") };
}
