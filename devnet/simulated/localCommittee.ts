/**
 * Stands in for the committee's daemons: reads the simulated beacon chain and the execution layer as of a reference slot,
 * builds the report, signs and submits it.
 */
import type { ContractTransactionReceipt, HDNodeWallet } from "ethers";
import type { Contracts } from "../../deploy/deploy.ts";
import { ValidatorReader } from "../../offchain/chain/validatorReader.ts";
import { SLOTS_PER_EPOCH } from "../../offchain/protocol/frames.ts";
import { REPORT_TYPES, REPORT_VALIDITY, reportDomain } from "../../offchain/protocol/report.ts";
import type { Report } from "../../offchain/protocol/report.ts";
import { gwei, wei } from "../../offchain/protocol/units.ts";
import { compactSignature } from "../committee.ts";
import type { CompactSignature } from "../committee.ts";
import type { SimulatedBeacon } from "./beacon.ts";
import type { Hex } from "./state/state.ts";

export class LocalCommittee {
  readonly wallets: readonly HDNodeWallet[];
  readonly quorum: number;
  readonly #contracts: Contracts;
  readonly #beacon: SimulatedBeacon;
  readonly #reader: ValidatorReader;

  constructor(contracts: Contracts, beacon: SimulatedBeacon, wallets: readonly HDNodeWallet[], quorum: number) {
    this.#contracts = contracts;
    this.#beacon = beacon;
    const { validators } = contracts;
    const provider = validators.runner?.provider;
    if (provider === null || provider === undefined) throw new Error("the registry has no provider");
    this.#reader = new ValidatorReader(validators, provider, 0);
    this.wallets = wallets;
    this.quorum = quorum;
  }

  /**
   * Advances the beacon until the reference slot `frames` after the last one is final, and reads the report there.
   * @param funded the validators that count; as the registry's events say if it is not given
   */
  async read(overrides: Partial<Report> = {}, frames = 1, funded?: readonly Hex[]): Promise<Report> {
    const { oracle } = this.#contracts;
    const last = await oracle.lastRefSlot();
    const refSlot = overrides.refSlot ?? last + BigInt(frames) * (await oracle.slotsPerFrame());
    // blocks at the reference slot and right after it, as on a live chain: EIP-4788 answers at the first try
    if (this.#beacon.head.slot < refSlot) {
      await this.#beacon.advanceTo(Number(refSlot));
      await this.#beacon.advanceSlots(1);
    }
    const state = await this.#beacon.finalize(Number(refSlot));
    const block = state.block.execution.number;
    const provider = oracle.runner?.provider;
    if (provider === null || provider === undefined) throw new Error("the oracle has no provider");
    const [withdrawals, rewards, committee, prevReportHash] = await Promise.all([
      provider.getBalance(this.#contracts.withdrawalVault, block),
      provider.getBalance(this.#contracts.rewardsVault, block),
      oracle.committee(),
      oracle.lastReportHash(),
    ]);
    const keys = funded ?? (await this.fundedKeys(block));
    return {
      refSlot,
      blockRoot: state.block.root,
      clBalanceGwei: gwei(state.clBalanceGwei(keys)),
      leavingGwei: gwei(state.leavingGwei(keys, refSlot / SLOTS_PER_EPOCH)),
      withdrawalVaultBalance: wei(withdrawals),
      rewardsVaultBalance: wei(rewards),
      incident: false,
      prevReportHash,
      committeeVersion: committee.version,
      validUntil: BigInt(this.#beacon.timeOf(Number(refSlot))) + REPORT_VALIDITY,
      ...overrides,
    };
  }

  /** Signatures of the first `count` members. */
  async sign(report: Report, count = this.quorum): Promise<CompactSignature[]> {
    const { oracle } = this.#contracts;
    const network = await oracle.runner?.provider?.getNetwork();
    if (network === undefined) throw new Error("the oracle has no provider");
    const domain = reportDomain(network.chainId, await oracle.getAddress());
    return Promise.all(
      this.wallets
        .slice(0, count)
        .map(async (wallet) => compactSignature(await wallet.signTypedData(domain, REPORT_TYPES, { ...report }))),
    );
  }

  /** Reads, signs and submits. */
  async report(overrides: Partial<Report> = {}, count = this.quorum, frames = 1): Promise<ContractTransactionReceipt> {
    const report = await this.read(overrides, frames);
    const transaction = await this.#contracts.oracle.submitReport(report, await this.sign(report, count));
    const receipt = await transaction.wait();
    if (receipt === null) throw new Error("the report was not mined");
    return receipt;
  }

  /** Public keys of all validators funded up to an execution block. */
  async fundedKeys(block: number): Promise<Hex[]> {
    return this.#reader.fundedKeysAt(block);
  }
}
