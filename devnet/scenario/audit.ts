/** Every accepted report beside what the client itself says of the same block. */
import type { Hex } from "../../offchain/util/hex.ts";
import type { ValidatorReader } from "../../offchain/chain/validatorReader.ts";
import { isLeaving } from "../../offchain/protocol/leaving.ts";
import { SLOTS_PER_EPOCH } from "../../offchain/protocol/frames.ts";
import type { World } from "./world.ts";

export interface Reported {
  readonly refSlot: number;
  /** As reported. */
  readonly clBalanceGwei: bigint;
  /** The same keys' balances and pending deposits, from the client's JSON at the same block. */
  readonly clientGwei: bigint;
  /** The part of it that is on its way out: as reported, and by the same JSON. */
  readonly leavingGwei: bigint;
  readonly clientLeavingGwei: bigint;
  /** Wei that the report took from each vault. */
  readonly fromWithdrawalVault: bigint;
  readonly fromRewardsVault: bigint;
  readonly executionBlock: number;
  /** Of the beacon block that was read. */
  readonly blockSlot: number;
  /** Whether that block is the one that the report names. */
  readonly isItsBlock: boolean;
  readonly incident: boolean;
  /** The execution block in which it was accepted. */
  readonly acceptedIn: number;
}

export interface Audit {
  readonly reports: readonly Reported[];
  /** Looks for reports that were accepted since it last looked. */
  update(): Promise<void>;
}

export function auditReports(world: World, reader: ValidatorReader): Audit {
  const { oracle } = world.contracts;
  const reports: Reported[] = [];
  let nextBlock = 0;
  let seen = -1n;
  const update = async (): Promise<void> => {
    const last = await oracle.lastRefSlot();
    if (last === seen) return;
    const head = await world.provider.getBlockNumber();
    const accepted = await oracle.queryFilter(oracle.filters.ReportAccepted(), nextBlock, head);
    for (const { args, transactionHash, blockNumber } of accepted) {
      const transaction = await world.provider.getTransaction(transactionHash);
      const call = oracle.interface.parseTransaction(transaction ?? { data: "0x" });
      const report = call?.args["report"] as {
        blockRoot: Hex;
        clBalanceGwei: bigint;
        leavingGwei: bigint;
        withdrawalVaultBalance: bigint;
        rewardsVaultBalance: bigint;
        incident: boolean;
      };
      const block = await world.beacon.blockAtOrBefore(Number(args.refSlot));
      const pubkeys = await reader.fundedKeysAt(block.execution.number);
      const client = await clientBalances(world, block.slot, args.refSlot / SLOTS_PER_EPOCH, pubkeys);
      reports.push({
        refSlot: Number(args.refSlot),
        clBalanceGwei: report.clBalanceGwei,
        clientGwei: client.gwei,
        leavingGwei: report.leavingGwei,
        clientLeavingGwei: client.leavingGwei,
        fromWithdrawalVault: report.withdrawalVaultBalance,
        fromRewardsVault: report.rewardsVaultBalance,
        executionBlock: block.execution.number,
        blockSlot: block.slot,
        isItsBlock: report.blockRoot === block.root,
        incident: report.incident,
        acceptedIn: blockNumber,
      });
    }
    nextBlock = head + 1;
    seen = last;
  };
  return { reports, update };
}

/** Gwei at these keys, by the client's JSON: balances in the registry and deposits on their way to it; and of those whose exit has begun. */
async function clientBalances(
  world: World,
  slot: number,
  epoch: bigint,
  pubkeys: readonly string[],
): Promise<{ readonly gwei: bigint; readonly leavingGwei: bigint }> {
  const wanted = new Set(pubkeys);
  const [registry, deposits] = (await Promise.all([
    world.beaconJson(`/eth/v1/beacon/states/${slot}/validators`),
    world.beaconJson(`/eth/v1/beacon/states/${slot}/pending_deposits`),
  ])) as [
    {
      data: {
        balance: string;
        validator: { pubkey: string; slashed: boolean; exit_epoch: string; withdrawable_epoch: string };
      }[];
    },
    { data: { pubkey: string; amount: string }[] },
  ];
  let [gwei, leavingGwei] = [0n, 0n];
  for (const { balance, validator } of registry.data) {
    if (!wanted.has(validator.pubkey)) continue;
    gwei += BigInt(balance);
    const { slashed, exit_epoch, withdrawable_epoch } = validator;
    const epochs = { slashed, exitEpoch: BigInt(exit_epoch), withdrawableEpoch: BigInt(withdrawable_epoch) };
    if (isLeaving(epochs, epoch)) leavingGwei += BigInt(balance);
  }
  for (const { pubkey, amount } of deposits.data) if (wanted.has(pubkey)) gwei += BigInt(amount);
  return { gwei, leavingGwei };
}
