/** The committee without processes: the oracle's own functions read what is due, a quorum of wallets signs, and it is submitted. */
import type { Protocol } from "../../offchain/chain/connect.ts";
import type { ValidatorReader } from "../../offchain/chain/validatorReader.ts";
import type { BeaconSource } from "../../offchain/beacon/types.ts";
import { buildReport } from "../../offchain/oracle/buildReport.ts";
import { dueSlot, readStanding } from "../../offchain/oracle/contract.ts";
import { readSnapshot } from "../../offchain/oracle/snapshot.ts";
import { REPORT_TYPES, reportDomain } from "../../offchain/protocol/report.ts";
import { compactSignature } from "../committee.ts";
import type { LocalCommittee } from "../simulated/localCommittee.ts";

export interface CommitteeSources {
  readonly protocol: Protocol;
  readonly beacon: BeaconSource;
  readonly validators: ValidatorReader;
}

/** Reports what is due at this finalised slot, if anything is. */
export async function committeeTurn(
  sources: CommitteeSources,
  { wallets, quorum }: Pick<LocalCommittee, "wallets" | "quorum">,
  finalized: number,
): Promise<void> {
  const { protocol } = sources;
  const standing = await readStanding(protocol, 0);
  if (standing.nextRefSlot <= standing.lastRefSlot) return;
  const refSlot = dueSlot(standing, BigInt(finalized));
  if (refSlot === undefined) return;
  const link = { prevReportHash: standing.lastReportHash, committeeVersion: standing.committeeVersion };
  const { report } = buildReport(await readSnapshot(sources, standing, refSlot), link);
  const domain = reportDomain(standing.chainId, standing.oracle);
  const signatures = await Promise.all(
    wallets
      .slice(0, quorum)
      .map(async (wallet) => compactSignature(await wallet.signTypedData(domain, REPORT_TYPES, { ...report }))),
  );
  await (await protocol.oracle.submitReport(report, signatures)).wait();
}
