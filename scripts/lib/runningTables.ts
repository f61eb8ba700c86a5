/** Which table of docs/running.md comes from where. */
import { Registry } from "prom-client";
import { KEEPER_FIELDS } from "../../offchain/keeper/config.ts";
import { keeperMetrics } from "../../offchain/keeper/metrics.ts";
import { ORACLE_FIELDS } from "../../offchain/oracle/config.ts";
import { makeMetrics } from "../../offchain/oracle/metrics.ts";
import { DAEMON_FIELDS } from "../../offchain/util/daemon.ts";
import type { Fields } from "../../offchain/util/config.ts";
import { SIGNER_FIELDS } from "../../offchain/util/signer.ts";
import { metricsTable, settingsTable } from "./operations.ts";

/** Both daemons' metrics, as they register them. */
export function registries(): { readonly oracle: Registry; readonly keeper: Registry } {
  const keeper = new Registry();
  keeperMetrics(keeper);
  return { oracle: makeMetrics().registry, keeper };
}

export function runningTables(): Record<string, string> {
  const { oracle, keeper } = registries();
  return {
    "common settings": settingsTable({ ...DAEMON_FIELDS, ...SIGNER_FIELDS }),
    "oracle settings": settingsTable(own(ORACLE_FIELDS)),
    "keeper settings": settingsTable(own(KEEPER_FIELDS)),
    "oracle metrics": metricsTable(oracle),
    "keeper metrics": metricsTable(keeper),
  };
}

/** Without those that both daemons have. */
function own(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(([name]) => !(name in DAEMON_FIELDS) && !(name in SIGNER_FIELDS)),
  );
}
