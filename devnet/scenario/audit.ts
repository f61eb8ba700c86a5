/** Every accepted report beside what the client itself says of the same block. */
import type { Hex } from "../../offchain/util/hex.ts";
import type { ValidatorReader } from "../../offchain/chain/validatorReader.ts";
import type { World } from "./world.ts";

export interface Reported {
  readonly refSlot: number;
  /** As reported. */
  readonly clBalanceGwei: bigint;
  /** The same keys' balances and pending deposits, from the client's JSON at the same block. */
  readonly clientGwei: bigint;
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
  const { oracle, pool } = world.contracts;
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
      const report = call?.args["report"] as { blockRoot: Hex; clBalanceGwei: bigint; incident: boolean };
      const books = await pool.books({ blockTag: blockNumber });
      const block = await world.beacon.blockAtOrBefore(Number(args.refSlot));
      reports.push({
        refSlot: Number(args.refSlot),
        clBalanceGwei: report.clBalanceGwei,
        clientGwei: await clientBalance(world, block.slot, await reader.fundedKeysAt(block.execution.number)),
        fromWithdrawalVault: books.lastSweptWithdrawals,
        fromRewardsVault: books.lastSweptRewards,
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

/** Gwei at these keys, by the client's JSON: balances in the registry, and deposits on their way to it. */
async function clientBalance(world: World, slot: number, pubkeys: readonly string[]): Promise<bigint> {
  const wanted = new Set(pubkeys);
  const [registry, deposits] = (await Promise.all([
    world.beaconJson(`/eth/v1/beacon/states/${slot}/validators`),
    world.beaconJson(`/eth/v1/beacon/states/${slot}/pending_deposits`),
  ])) as [
    { data: { balance: string; validator: { pubkey: string } }[] },
    { data: { pubkey: string; amount: string }[] },
  ];
  let sum = 0n;
  for (const { balance, validator } of registry.data) if (wanted.has(validator.pubkey)) sum += BigInt(balance);
  for (const { pubkey, amount } of deposits.data) if (wanted.has(pubkey)) sum += BigInt(amount);
  return sum;
}
