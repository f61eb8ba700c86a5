/** The contracts' books beside what was sent to them and what the clients of both layers say. */
import type { Hex } from "../../offchain/util/hex.ts";
import type { Audit, Reported } from "./audit.ts";
import type { World } from "./world.ts";

const ETH = 10n ** 18n;
const GWEI = 10n ** 9n;

export interface Line {
  readonly name: string;
  /** Wei, as the contracts have it. */
  readonly contracts: bigint;
  /** Wei, as it must be. */
  readonly clients: bigint;
  readonly isEqual: boolean;
}

export interface Facts {
  /** Wei, what deploying locked included. */
  readonly deposits: readonly bigint[];
  /** Funded validators, all of them. */
  readonly pubkeys: readonly Hex[];
  readonly audit: Audit;
  readonly claimedWei: bigint;
}

/** As of the end of the newest execution block: the chain goes on while this is read. */
export async function reconcile(world: World, { deposits, pubkeys, audit, claimedWei }: Facts): Promise<Line[]> {
  const { pool, token, queue, validators, withdrawalVault, rewardsVault, oracle } = world.contracts;
  const number = await world.provider.getBlockNumber();
  await audit.update();
  const reports = audit.reports.filter(({ acceptedIn }) => acceptedIn <= number);
  const at = { blockTag: number };
  const balance = async (of: { getAddress(): Promise<string> }, block = number): Promise<bigint> =>
    world.provider.getBalance(await of.getAddress(), block);
  const last = reports.at(-1);
  if (last === undefined) throw new Error("there was no report");
  const applied = await pool.queryFilter(pool.filters.ReportApplied(), 0, number);
  const continued = await pool.queryFilter(pool.filters.FinalisationContinued(), 0, number);
  const asked = await validators.queryFilter(validators.filters.ExitRequested(), 0, number);
  const recognised = sum(applied.map(({ args }) => args.recognised));
  const paid = sum(applied.map(({ args }) => args.paid)) + sum(continued.map(({ args }) => args.paid));
  const deposited = sum(deposits);
  const count = BigInt(pubkeys.length);
  const vault = (await withdrawalVault.getAddress()).toLowerCase();
  const taken = sum(reports.map(({ fromWithdrawalVault }) => fromWithdrawalVault));
  const swept = world.keepsEveryBlock ? await withdrawalsTo(world, vault, number) : undefined;
  const sweptToRef =
    swept === undefined
      ? taken - last.fromWithdrawalVault + (await balance(withdrawalVault, last.executionBlock))
      : sum(swept.filter(({ slot }) => slot <= last.blockSlot).map(({ wei }) => wei));
  const tipsTaken = sum(reports.map(({ fromRewardsVault }) => fromRewardsVault));
  const tipsToRef = tipsTaken - last.fromRewardsVault + (await balance(rewardsVault, last.executionBlock));
  const { heldBack } = await pool.books(at);
  const line = (name: string, contracts: bigint, clients: bigint): Line => ({
    name,
    contracts,
    clients,
    isEqual: contracts === clients,
  });
  return [
    line("reports, of which each says what the client does", BigInt(applied.length), exact(reports)),
    line("exits asked of the consensus layer, for one that was needed", BigInt(asked.length), 1n),
    line("the oracle's last reference slot", await oracle.lastRefSlot(at), BigInt(last.refSlot)),
    line(
      "gains recognised and held back = balances + withdrawals + tips - funded",
      recognised + heldBack,
      last.clientGwei * GWEI + sweptToRef + tipsToRef - 32n * ETH * count,
    ),
    line(
      "pooled ether = deposits + bonds + gains - paid",
      await token.getTotalPooledEther(at),
      deposited + ETH * count + recognised - paid,
    ),
    line(
      "the pool's ether = deposits - fundings + taken from vaults - paid",
      await balance(pool),
      deposited - 31n * ETH * count + taken + tipsTaken - paid,
    ),
    line("the buffer = the pool's ether", await pool.buffer(at), await balance(pool)),
    line("paid to the queue = claimed and still there", paid, claimedWei + (await balance(queue))),
    ...(swept === undefined
      ? []
      : [
          line(
            "taken from the vault and still there = withdrawals in all blocks",
            taken + (await balance(withdrawalVault)),
            sum(swept.map(({ wei }) => wei)),
          ),
        ]),
  ];
}

/** How many reports are of the client's block and agree with its balances. */
function exact(reports: readonly Reported[]): bigint {
  return BigInt(
    reports.filter((r) => r.clBalanceGwei === r.clientGwei && r.leavingGwei === r.clientLeavingGwei && r.isItsBlock)
      .length,
  );
}

/** Withdrawals in the payloads of all beacon blocks, from genesis to the one with this execution block. */
async function withdrawalsTo(world: World, address: string, last: number): Promise<{ slot: number; wei: bigint }[]> {
  const found: { slot: number; wei: bigint }[] = [];
  let { root } = await world.beacon.blockAtOrBefore(await world.beacon.head());
  for (;;) {
    const { data } = (await world.beaconJson(`/eth/v2/beacon/blocks/${root}`)) as {
      data: {
        message: {
          slot: string;
          parent_root: Hex;
          body: { execution_payload: { block_number: string; withdrawals: { address: string; amount: string }[] } };
        };
      };
    };
    const { slot, parent_root: parent, body } = data.message;
    const { block_number: number, withdrawals } = body.execution_payload;
    if (Number(number) <= last)
      for (const withdrawal of withdrawals)
        if (withdrawal.address.toLowerCase() === address)
          found.push({ slot: Number(slot), wei: BigInt(withdrawal.amount) * GWEI });
    if (slot === "0" || /^0x0+$/.test(parent)) return found;
    root = parent;
  }
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
