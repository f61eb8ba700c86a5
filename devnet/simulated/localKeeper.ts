/** What a keeper proves about validators that leave, without a daemon: each returns its transaction. */
import type { ContractTransactionResponse } from "ethers";
import { contractBalanceProof, contractValidatorProof } from "../../offchain/beacon/contractProofs.ts";
import type { ContractValidatorProof } from "../../offchain/beacon/contractProofs.ts";
import { SLOTS_PER_EPOCH } from "../../offchain/protocol/frames.ts";
import type { LocalProtocol } from "./localProtocol.ts";
import type { Hex } from "./state/state.ts";

const EPOCH = Number(SLOTS_PER_EPOCH);
/** A report waits this long for its reference slot to be final. */
const FINALITY_EPOCHS = 4;

/** In the newest provable state unless told. */
export function validatorProof({ beacon }: LocalProtocol, pubkey: Hex, slot?: number): ContractValidatorProof {
  return contractValidatorProof(beacon.proveValidator(pubkey, slot));
}

/** The beacon chain slashes it, and that is proven. */
export async function slash(p: LocalProtocol, pubkey: Hex): Promise<ContractTransactionResponse> {
  p.beacon.slash(pubkey);
  await p.beacon.advanceSlots(2);
  return p.validators.connect(p.keeper).proveSlashed(validatorProof(p, pubkey));
}

export async function proveExiting(p: LocalProtocol, pubkey: Hex): Promise<ContractTransactionResponse> {
  await p.beacon.advanceSlots(2);
  return p.validators.connect(p.keeper).proveExiting(validatorProof(p, pubkey));
}

/**
 * Proves the balance in the last epoch before the withdrawal, if the next frame brings it.
 * @returns undefined where it is too early; else the transaction, and the balance in gwei
 */
export async function proveWithdrawn(
  p: LocalProtocol,
  pubkey: Hex,
): Promise<{ readonly sent: ContractTransactionResponse; readonly balance: bigint } | undefined> {
  const { beacon, validators, keeper, oracle } = p;
  const withdrawableEpoch = beacon.stateAt().validator(pubkey)?.withdrawableEpoch ?? Infinity;
  const epochsPerFrame = Number(await oracle.slotsPerFrame()) / EPOCH;
  if (withdrawableEpoch - beacon.epoch > epochsPerFrame + FINALITY_EPOCHS) return undefined;
  const slot = (withdrawableEpoch - 1) * EPOCH;
  if (beacon.head.slot < slot) {
    await beacon.advanceTo(slot);
    await beacon.advanceSlots(1);
  }
  const proof = contractBalanceProof(beacon.proveBalance(pubkey, slot));
  const sent = await validators.connect(keeper).proveWithdrawn(validatorProof(p, pubkey, slot), proof);
  return { sent, balance: beacon.stateAt(slot).balanceGwei(pubkey) };
}
