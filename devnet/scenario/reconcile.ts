/** The contracts' books beside what was sent to them and what the clients of both layers say. */
import type { Hex } from "../../offchain/util/hex.ts";
import type { Reported } from "./reporter.ts";
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
  readonly reports: readonly Reported[];
  readonly claimedWei: bigint;
}

export async function reconcile(world: World, { deposits, pubkeys, reports, claimedWei }: Facts): Promise<Line[]> {
  const { pool, token, queue, withdrawalVault, rewardsVault, oracle } = world.contracts;
  const balance = async (of: { getAddress(): Promise<string> }, block?: number): Promise<bigint> =>
    world.provider.getBalance(await of.getAddress(), block ?? "latest");
  const last = reports.at(-1);
  if (last === undefined) throw new Error("there was no report");
  const applied = await pool.queryFilter(pool.filters.ReportApplied());
  const continued = await pool.queryFilter(pool.filters.FinalisationContinued());
  const recognised = sum(applied.map(({ args }) => args.recognised));
  const paid = sum(applied.map(({ args }) => args.paid)) + sum(continued.map(({ args }) => args.paid));
  const deposited = sum(deposits);
  const count = BigInt(pubkeys.length);
  const vault = (await withdrawalVault.getAddress()).toLowerCase();
  const taken = sum(reports.map(({ fromWithdrawalVault }) => fromWithdrawalVault));
  // the chain goes on while this is read: blocks and balances up to one and the same block
  const head = await world.beacon.blockAtOrBefore(await world.beacon.head());
  const swept = world.keepsEveryBlock ? await withdrawalsTo(world, vault, head.root) : undefined;
  const sweptToRef =
    swept === undefined
      ? taken - last.fromWithdrawalVault + (await balance(withdrawalVault, last.executionBlock))
      : sum(swept.filter(({ slot }) => slot <= last.blockSlot).map(({ wei }) => wei));
  const tipsTaken = sum(reports.map(({ fromRewardsVault }) => fromRewardsVault));
  const tipsToRef = tipsTaken - last.fromRewardsVault + (await balance(rewardsVault, last.executionBlock));
  const { heldBack } = await pool.books();
  const line = (name: string, contracts: bigint, clients: bigint): Line => ({
    name,
    contracts,
    clients,
    isEqual: contracts === clients,
  });
  return [
    line("reports, of which each says what the client does", BigInt(applied.length), exact(reports)),
    line("the oracle's last reference slot", await oracle.lastRefSlot(), BigInt(last.refSlot)),
    line(
      "gains recognised and held back = balances + withdrawals + tips - funded",
      recognised + heldBack,
      last.clientGwei * GWEI + sweptToRef + tipsToRef - 32n * ETH * count,
    ),
    line(
      "pooled ether = deposits + bonds + gains - paid",
      await token.getTotalPooledEther(),
      deposited + ETH * count + recognised - paid,
    ),
    line(
      "the pool's ether = deposits - fundings + taken from vaults - paid",
      await balance(pool),
      deposited - 31n * ETH * count + taken + tipsTaken - paid,
    ),
    line("the buffer = the pool's ether", await pool.buffer(), await balance(pool)),
    line("paid to the queue = claimed and still there", paid, claimedWei + (await balance(queue))),
    ...(swept === undefined
      ? []
      : [
          line(
            "taken from the vault and still there = withdrawals in all blocks",
            taken + (await balance(withdrawalVault, head.execution.number)),
            sum(swept.map(({ wei }) => wei)),
          ),
        ]),
  ];
}

/** How many reports agree with the client. */
function exact(reports: readonly Reported[]): bigint {
  return BigInt(reports.filter(({ clBalanceGwei, clientGwei }) => clBalanceGwei === clientGwei).length);
}

/** Withdrawals in the payloads of all beacon blocks, from `root` back to genesis. */
async function withdrawalsTo(world: World, address: string, root: Hex): Promise<{ slot: number; wei: bigint }[]> {
  const found: { slot: number; wei: bigint }[] = [];
  for (let id: string = root; ;) {
    const { data } = (await world.beaconJson(`/eth/v2/beacon/blocks/${id}`)) as {
      data: {
        message: {
          slot: string;
          parent_root: string;
          body: { execution_payload: { withdrawals: { address: string; amount: string }[] } };
        };
      };
    };
    const { slot, parent_root: parent, body } = data.message;
    for (const withdrawal of body.execution_payload.withdrawals)
      if (withdrawal.address.toLowerCase() === address)
        found.push({ slot: Number(slot), wei: BigInt(withdrawal.amount) * GWEI });
    if (slot === "0" || /^0x0+$/.test(parent)) return found;
    id = parent;
  }
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
