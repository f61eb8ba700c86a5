/** The beacon state of slot 0: active validators of nobody in particular, and the execution layer's block 0. */
import {
  createCachedBeaconState,
  createPubkeyCache,
  computeProposerIndices,
  getGenesisBeaconState,
  getNextSyncCommittee,
  interopSecretKeys,
} from "@lodestar/state-transition";
import type { BeaconStateElectra, BeaconStateFulu } from "@lodestar/state-transition";
import {
  FAR_FUTURE_EPOCH,
  ForkSeq,
  MIN_ACTIVATION_BALANCE,
  MIN_SEED_LOOKAHEAD,
  UNSET_DEPOSIT_REQUESTS_START_INDEX,
} from "@lodestar/params";
import { ssz } from "@lodestar/types";
import type { electra, phase0 } from "@lodestar/types";
import { getBytes } from "ethers";
import { beaconConfigOf, forkConfigOf } from "./chainConfig.ts";
import type { DevnetParameters } from "./chainConfig.ts";
import type { ExecutionBlockJson } from "./engine.ts";

/** The deposit tree's root with no deposit in it. */
const EMPTY_DEPOSIT_ROOT = "0xd70a234731285c6804c2a4f56711ddb8c82c99740f207854891028af34e27e5e";

/**
 * Genesis validators have 32 ETH, are active, and keep BLS withdrawal credentials: they are never swept.
 * @param block0 the execution layer's; its time is the beacon chain's genesis time
 */
export function beaconGenesis(parameters: DevnetParameters, block0: ExecutionBlockJson): BeaconStateElectra {
  const { fork, genesisValidators } = parameters;
  const config = forkConfigOf(parameters);
  const types = ssz[fork] as typeof ssz.electra;
  const eth1Data = { depositRoot: getBytes(EMPTY_DEPOSIT_ROOT), depositCount: 0n, blockHash: getBytes(block0.hash) };
  const header: phase0.BeaconBlockHeader = {
    ...ssz.phase0.BeaconBlockHeader.defaultValue(),
    bodyRoot: types.BeaconBlockBody.hashTreeRoot(types.BeaconBlockBody.defaultValue()),
  };
  const state = getGenesisBeaconState(config, eth1Data, header) as BeaconStateElectra;
  state.genesisTime = Number(block0.timestamp);
  for (const secret of interopSecretKeys(genesisValidators)) {
    state.validators.push(ssz.phase0.Validator.toViewDU(genesisValidator(secret.toPublicKey().toBytes())));
    state.balances.push(MIN_ACTIVATION_BALANCE);
    state.previousEpochParticipation.push(0);
    state.currentEpochParticipation.push(0);
    state.inactivityScores.push(0);
  }
  state.depositRequestsStartIndex = UNSET_DEPOSIT_REQUESTS_START_INDEX;
  state.latestExecutionPayloadHeader = types.ExecutionPayloadHeader.toViewDU(payloadHeader(block0));
  state.commit();
  state.genesisValidatorsRoot = state.validators.hashTreeRoot();

  const indices = Uint32Array.from({ length: genesisValidators }, (_, index) => index);
  const increments = new Uint16Array(genesisValidators).fill(MIN_ACTIVATION_BALANCE / 10 ** 9);
  const { syncCommittee } = getNextSyncCommittee(ForkSeq[fork], state, indices, increments);
  state.currentSyncCommittee = ssz.altair.SyncCommittee.toViewDU(syncCommittee);
  state.nextSyncCommittee = ssz.altair.SyncCommittee.toViewDU(syncCommittee);
  state.commit();
  if (fork === "fulu") setProposerLookahead(state as unknown as BeaconStateFulu, parameters);
  return state;
}

/** initialize_proposer_lookahead (Fulu). */
function setProposerLookahead(state: BeaconStateFulu, parameters: DevnetParameters): void {
  const config = beaconConfigOf(parameters, state.genesisValidatorsRoot);
  const cached = createCachedBeaconState(state.clone(), { config, pubkeyCache: createPubkeyCache() });
  const proposers = Array.from({ length: MIN_SEED_LOOKAHEAD + 1 }, (_, epoch) =>
    computeProposerIndices(ForkSeq.fulu, cached, cached.epochCtx.currentShuffling, epoch),
  );
  state.proposerLookahead = ssz.fulu.ProposerLookahead.toViewDU(proposers.flat());
  state.commit();
}

function genesisValidator(pubkey: Uint8Array): phase0.Validator {
  const withdrawalCredentials = new Uint8Array(32);
  withdrawalCredentials.set(pubkey.subarray(0, 31), 1);
  return {
    pubkey,
    withdrawalCredentials,
    effectiveBalance: MIN_ACTIVATION_BALANCE,
    slashed: false,
    activationEligibilityEpoch: 0,
    activationEpoch: 0,
    exitEpoch: FAR_FUTURE_EPOCH,
    withdrawableEpoch: FAR_FUTURE_EPOCH,
  };
}

function payloadHeader(block: ExecutionBlockJson): electra.ExecutionPayloadHeader {
  const { transactions, withdrawals } = ssz.electra.ExecutionPayload.fields;
  return {
    parentHash: getBytes(block.parentHash),
    feeRecipient: getBytes(block.miner),
    stateRoot: getBytes(block.stateRoot),
    receiptsRoot: getBytes(block.receiptsRoot),
    logsBloom: getBytes(block.logsBloom),
    prevRandao: getBytes(block.mixHash),
    blockNumber: Number(block.number),
    gasLimit: Number(block.gasLimit),
    gasUsed: 0,
    timestamp: Number(block.timestamp),
    extraData: getBytes(block.extraData),
    baseFeePerGas: BigInt(block.baseFeePerGas),
    blockHash: getBytes(block.hash),
    transactionsRoot: transactions.hashTreeRoot([]),
    withdrawalsRoot: withdrawals.hashTreeRoot([]),
    blobGasUsed: 0n,
    excessBlobGas: 0n,
  };
}
