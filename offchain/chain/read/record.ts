/** How operators did, as far as the chain knows. Balances of single validators are not on it: reports bring their sum. */
import { wei } from "../../protocol/units.ts";
import type { Wei } from "../../protocol/units.ts";
import type { Protocol } from "../connect.ts";
import { decodeEvents } from "../events.ts";
import { readLogs } from "../logs.ts";
import type { RangeOptions } from "../logs.ts";

export interface OperatorRecord {
  /** Validators whose slashing was proven, ever. */
  readonly slashed: number;
  /** What validators brought back less than their principal, ever: bond or debt paid it. */
  readonly lost: Wei;
}

export const CLEAN_RECORD: OperatorRecord = { slashed: 0, lost: wei(0n) };

/** By operator id; one that is missing has a clean record. @throws AppError (unavailable) */
export async function readOperatorRecords(
  protocol: Protocol,
  options: RangeOptions = {},
): Promise<ReadonlyMap<bigint, OperatorRecord>> {
  const { provider, operators, validators, fromBlock } = protocol;
  const topics = [
    [operators.interface.getEvent("PenaltyTaken").topicHash, validators.interface.getEvent("Slashed").topicHash],
  ];
  const address = [operators.target as string, validators.target as string];
  const latest = options.at?.number ?? (await provider.getBlockNumber());
  const events = decodeEvents(protocol, await readLogs(provider, { address, topics }, fromBlock, latest, options));
  const records = new Map<bigint, OperatorRecord>();
  for (const { name, args } of events) {
    const { operatorId: id, amount = 0n } = args as { readonly operatorId: bigint; readonly amount?: bigint };
    const { slashed, lost } = records.get(id) ?? CLEAN_RECORD;
    records.set(id, { slashed: slashed + (name === "Slashed" ? 1 : 0), lost: wei(lost + amount) });
  }
  return records;
}
