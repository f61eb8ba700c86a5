/** The keeper's metrics, all documented by their help. */
import type { TransactionReceipt } from "ethers";
import type { Registry } from "prom-client";
import { counter, gauge } from "../util/health.ts";
import { ACTION_KINDS, EJECTION_CAUSES, REASONS } from "./actions.ts";
import type { ActionKind, Reason } from "./actions.ts";
import type { Purchase } from "./arbitrage.ts";
import type { Plan } from "./plan.ts";
import type { Snapshot } from "./snapshot.ts";

export interface KeeperMetrics {
  blocked(action: ActionKind, reasons: readonly Reason[]): void;
  sent(action: ActionKind, receipt: TransactionReceipt): void;
  refused(action: ActionKind): void;
  turned(snapshot: Snapshot, plan: Plan): void;
  bought(purchase: Purchase): void;
  /** @param tiedUp wei, and so is the profit since the start */
  traded(tiedUp: bigint, profit: bigint): void;
}

const ETH = 1e18;

export function keeperMetrics(registry: Registry): KeeperMetrics {
  const blocked = gauge(registry, "keeper_blocked", "1 while the reason holds the action back", ["action", "reason"]);
  const sent = counter(registry, "keeper_transactions_total", "transactions mined", ["action"]);
  const refused = counter(registry, "keeper_refusals_total", "actions that a node or a contract refused", ["action"]);
  const gas = counter(registry, "keeper_gas_total", "gas used by mined transactions", ["action"]);
  const spent = counter(registry, "keeper_fees_eth_total", "fees of mined transactions in ETH");
  const planned = gauge(registry, "keeper_planned_actions", "actions of the last plan");
  const foreign = gauge(registry, "keeper_foreign_keys", "predeposited keys with credentials of somebody else");
  const delinquent = gauge(registry, "keeper_delinquent_validators", "validators that are made to exit, by cause", [
    "cause",
  ]);
  const slot = gauge(registry, "keeper_finalized_slot", "slot of the beacon state that the last plan is about");
  const block = gauge(registry, "keeper_execution_block", "execution block that the last plan is about");
  const demand = gauge(registry, "keeper_exit_demand_eth", "ether that must come from further exits");
  const bought = counter(registry, "keeper_arbitrage_bought_eth_total", "ETH that bought from the EtherPool");
  const expected = counter(
    registry,
    "keeper_arbitrage_expected_profit_eth_total",
    "ETH that purchases were expected to bring, after gas and the cost of waiting",
  );
  const tied = gauge(
    registry,
    "keeper_arbitrage_tied_up_eth",
    "ETH in estETH and requests of the account, at the rate",
  );
  const profit = gauge(
    registry,
    "keeper_arbitrage_profit_eth",
    "ETH that buying, queueing and claiming brought since the start, after gas; what is tied up at the rate",
  );
  return {
    blocked: (action, reasons) => {
      for (const reason of REASONS) blocked.set({ action, reason }, reasons.includes(reason) ? 1 : 0);
    },
    sent: (action, receipt) => {
      sent.inc({ action });
      gas.inc({ action }, Number(receipt.gasUsed));
      spent.inc(Number(receipt.fee) / ETH);
    },
    bought: (purchase) => {
      bought.inc(Number(purchase.amount) / ETH);
      expected.inc(Number(purchase.profit) / ETH);
    },
    traded: (wei, earned) => {
      tied.set(Number(wei) / ETH);
      profit.set(Number(earned) / ETH);
    },
    refused: (action) => refused.inc({ action }),
    turned: (snapshot, plan) => {
      planned.set(plan.actions.length);
      foreign.set(plan.foreign.length);
      for (const cause of EJECTION_CAUSES) delinquent.set({ cause }, plan.delinquent[cause]);
      slot.set(snapshot.state.block.slot);
      block.set(snapshot.executionBlock);
      demand.set(Number(snapshot.exitDemand) / ETH);
      for (const action of ACTION_KINDS) for (const counted of [sent, refused, gas]) counted.inc({ action }, 0);
    },
  };
}
