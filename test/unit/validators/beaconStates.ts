/** Beacon states built with the specification's own types, and their roots in the real EIP-4788 contract. */
import type { Node } from "@chainsafe/persistent-merkle-tree";
import { ssz } from "@lodestar/types";
import { getBytes, hexlify } from "ethers";
import type {
  ContractBalanceProof,
  ContractValidatorBatch,
  ContractValidatorProof,
} from "../../../offchain/beacon/contractProofs.ts";
import {
  contractBalanceProof,
  contractValidatorBatch,
  contractValidatorProof,
} from "../../../offchain/beacon/contractProofs.ts";
import type { Hex } from "../../../devnet/simulated/state/state.ts";
import { BEACON_ROOTS, installPredeploys } from "../../../devnet/predeploys.ts";
import { headerRoot, proveBalance, proveValidator } from "../../../offchain/beacon/proofs.ts";
import type { ForkName, Header } from "../../../offchain/beacon/proofs.ts";
import { networkHelpers, provider } from "../../helpers/network.ts";

export interface StateValidator {
  readonly pubkey: Hex;
  readonly withdrawalCredentials: Hex;
  readonly effectiveBalance: number;
  readonly slashed: boolean;
  readonly activationEligibilityEpoch: number;
  readonly activationEpoch: number;
  readonly exitEpoch: number;
  readonly withdrawableEpoch: number;
}

export interface BeaconFixture {
  readonly fork: ForkName;
  readonly header: Header;
  readonly state: Node;
  readonly timestamp: bigint;
}

/** The fields that all forks share. */
export type StateView = ReturnType<typeof ssz.electra.BeaconState.defaultViewDU>;

const SYSTEM_ADDRESS = "0xfffffffffffffffffffffffffffffffffffffffe";

/** Distinct, not on the curve: no proof looks at that. */
export function somePubkey(index: number): Hex {
  return `0x${(index + 1).toString(16).padStart(96, "a")}`;
}

export function someValidator(index: number, change: Partial<StateValidator> = {}): StateValidator {
  return {
    pubkey: somePubkey(index),
    withdrawalCredentials: `0x01${"00".repeat(11)}${"be".repeat(20)}`,
    effectiveBalance: 32_000_000_000,
    slashed: false,
    activationEligibilityEpoch: index + 1,
    activationEpoch: index + 3,
    exitEpoch: Infinity,
    withdrawableEpoch: Infinity,
    ...change,
  };
}

const blanks = {
  electra: ssz.electra.BeaconState.defaultViewDU(),
  fulu: ssz.fulu.BeaconState.defaultViewDU(),
  gloas: ssz.gloas.BeaconState.defaultViewDU(),
};

/** A copy of a default state whose hashes are known. */
function blank(fork: ForkName) {
  blanks[fork].hashTreeRoot();
  return blanks[fork].clone() as StateView;
}

/** A state at `slot`, under a header whose root is put on chain. */
export async function anchoredState(
  fork: ForkName,
  slot: number,
  validators: readonly StateValidator[],
  balances: readonly number[],
  edit: (view: StateView) => void = () => undefined,
): Promise<BeaconFixture> {
  const view = blank(fork);
  view.slot = slot;
  edit(view);
  for (const validator of validators) {
    view.validators.push(
      ssz.phase0.Validator.toViewDU({
        ...validator,
        pubkey: getBytes(validator.pubkey),
        withdrawalCredentials: getBytes(validator.withdrawalCredentials),
      }),
    );
  }
  for (const balance of balances) view.balances.push(balance);
  view.commit();
  const header: Header = {
    slot: BigInt(slot),
    proposerIndex: 7n,
    parentRoot: `0x${"01".repeat(32)}`,
    stateRoot: hexlify(view.hashTreeRoot()) as Hex,
    bodyRoot: `0x${"02".repeat(32)}`,
  };
  return { fork, header, state: view.node, timestamp: await anchor(headerRoot(header)) };
}

/** Writes a root with the system call that a client makes at the start of a block. @returns the block's timestamp */
export async function anchor(root: Hex): Promise<bigint> {
  await installPredeploys(provider);
  await networkHelpers.impersonateAccount(SYSTEM_ADDRESS);
  await networkHelpers.setBalance(SYSTEM_ADDRESS, 10n ** 20n);
  await provider.request({
    method: "eth_sendTransaction",
    params: [{ from: SYSTEM_ADDRESS, to: BEACON_ROOTS, data: root }],
  });
  return BigInt(await networkHelpers.time.latest());
}

export function validatorProof(fixture: BeaconFixture, index: number): ContractValidatorProof {
  return contractValidatorProof({ ...proveValidator(fixture, index), ...fixture });
}

/** The batch of these indices, in this order. */
export function validatorBatch(fixture: BeaconFixture, indices: readonly number[]): ContractValidatorBatch {
  return contractValidatorBatch(
    indices.map((index) => validatorProof(fixture, index)),
    fixture.fork,
  );
}

export function balanceProof(fixture: BeaconFixture, index: number): ContractBalanceProof {
  return contractBalanceProof(proveBalance(fixture, index));
}
