/** The committee in this process: with the oracle's own functions it reports every frame, and asks the client for the same sum in another way. */
import type { Provider } from "ethers";
import { connect } from "../../offchain/chain/connect.ts";
import type { Protocol } from "../../offchain/chain/connect.ts";
import { ValidatorReader } from "../../offchain/chain/validatorReader.ts";
import { buildReport } from "../../offchain/oracle/buildReport.ts";
import { dueSlot, readStanding } from "../../offchain/oracle/contract.ts";
import { readSnapshot } from "../../offchain/oracle/snapshot.ts";
import { REPORT_TYPES, reportDomain } from "../../offchain/protocol/report.ts";
import { compactSignature } from "../committee.ts";
import { mined } from "./world.ts";
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
  readonly incident: boolean;
}

export interface Reporter {
  readonly reports: readonly Reported[];
  /** Reports what is due, if anything is. */
  run(): Promise<void>;
}

export async function makeReporter(world: World): Promise<Reporter> {
  const protocol = await protocolOf(world.provider, world);
  const validators = new ValidatorReader(protocol.validators, world.provider, 0);
  const sources = { protocol, beacon: world.beacon, validators };
  const reports: Reported[] = [];
  let seen = -1;
  const run = async (): Promise<void> => {
    const finalized = await world.beacon.finalizedSlot();
    if (finalized === seen) return;
    await report(finalized);
    seen = finalized;
  };
  const report = async (finalized: number): Promise<void> => {
    const standing = await readStanding(protocol, 0);
    if (standing.nextRefSlot <= standing.lastRefSlot) return;
    const refSlot = dueSlot(standing, BigInt(finalized));
    if (refSlot === undefined) return;
    const snapshot = await readSnapshot(sources, standing, refSlot);
    const link = { prevReportHash: standing.lastReportHash, committeeVersion: standing.committeeVersion };
    const built = buildReport(snapshot, link).report;
    const domain = reportDomain(standing.chainId, standing.oracle);
    const signatures = await Promise.all(
      world.committee
        .slice(0, world.quorum)
        .map(async (wallet) => compactSignature(await wallet.signTypedData(domain, REPORT_TYPES, { ...built }))),
    );
    const { oracle, pool } = world.contracts;
    await mined(oracle.connect(world.actors.keeper).submitReport(built, signatures));
    const books = await pool.books();
    const { block } = snapshot.state;
    const pubkeys = snapshot.funded.map(({ pubkey }) => pubkey);
    reports.push({
      refSlot: Number(refSlot),
      clBalanceGwei: built.clBalanceGwei,
      clientGwei: await clientBalance(world, block.slot, pubkeys),
      fromWithdrawalVault: books.lastSweptWithdrawals,
      fromRewardsVault: books.lastSweptRewards,
      executionBlock: block.execution.number,
      blockSlot: block.slot,
      incident: built.incident,
    });
  };
  return { reports, run };
}

/** Gwei at these keys, by the client's JSON: balances in the registry, and deposits on their way to it. */
export async function clientBalance(world: World, slot: number, pubkeys: readonly string[]): Promise<bigint> {
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

async function protocolOf(provider: Provider, { contracts }: World): Promise<Protocol> {
  const { chainId } = await provider.getNetwork();
  const [token, wrapped] = await Promise.all([contracts.token.getAddress(), contracts.wrapped.getAddress()]);
  return connect(provider, { chainId, token, wrapped, fromBlock: 0 });
}
