/** What a member counts and shows (docs/running.md lists it; a test compares). */
import { Registry } from "prom-client";
import type { Counter, Gauge } from "prom-client";
import { Reasons, counter, gauge } from "../util/health.ts";

/** Why this member is not submitting a report at this moment. The first two are the usual ones. */
export const REASONS = [
  "no_new_frame",
  "not_final",
  "execution_unavailable",
  "beacon_unavailable",
  "needs_whole_state",
  "layers_disagree",
  "not_member",
  "signer_unavailable",
  "signed_otherwise",
  "few_signatures",
  "outvoted",
  "not_my_turn",
  "needs_governance",
  "simulation_failed",
  "fee_too_high",
  "no_funds",
  "send_failed",
] as const;
export type Reason = (typeof REASONS)[number];

export interface OracleMetrics {
  readonly registry: Registry;
  readonly blocked: Reasons<Reason>;
  readonly lastRefSlot: Gauge;
  readonly nextRefSlot: Gauge;
  readonly signedRefSlot: Gauge;
  readonly finalizedSlot: Gauge;
  readonly executionTime: Gauge;
  readonly signatures: Gauge;
  readonly quorum: Gauge;
  readonly members: Gauge;
  readonly clBalance: Gauge;
  readonly leaving: Gauge;
  readonly counted: Gauge;
  readonly incident: Gauge;
  readonly account: Gauge;
  readonly peerUp: Gauge;
  readonly stepSeconds: Gauge;
  readonly steps: Counter;
  readonly skipped: Counter;
  readonly divergences: Counter;
  readonly equivocations: Counter;
  readonly outvoted: Counter;
  readonly submissions: Counter;
  readonly announcements: Counter;
  readonly requests: Counter;
  readonly beaconFailures: Counter;
}

export function makeMetrics(registry = new Registry()): OracleMetrics {
  const labelled = ["signer"] as const;
  return {
    registry,
    blocked: new Reasons(registry, "oracle_blocked", "1 for each reason why no report is submitted now", REASONS),
    lastRefSlot: gauge(registry, "oracle_last_ref_slot", "Reference slot of the last accepted report"),
    nextRefSlot: gauge(registry, "oracle_next_ref_slot", "Newest reference slot whose time has come"),
    signedRefSlot: gauge(
      registry,
      "oracle_signed_ref_slot",
      "Reference slot of the newest report signed by this member",
    ),
    finalizedSlot: gauge(registry, "oracle_finalized_slot", "Finalised slot, by the beacon node"),
    executionTime: gauge(registry, "oracle_execution_block_time_seconds", "Timestamp of the newest execution block"),
    signatures: gauge(registry, "oracle_signatures", "Signatures known for this member's newest report"),
    quorum: gauge(registry, "oracle_quorum", "Signatures that a report needs"),
    members: gauge(registry, "oracle_members", "Members of the committee"),
    clBalance: gauge(
      registry,
      "oracle_report_cl_balance_gwei",
      "Balance of all funded validators in the newest report",
    ),
    leaving: gauge(
      registry,
      "oracle_report_leaving_gwei",
      "The part of it that is on its way out, in the newest report",
    ),
    counted: gauge(registry, "oracle_report_validators", "Validators counted in the newest report"),
    incident: gauge(registry, "oracle_report_incident", "1 if this member's newest report says incident"),
    account: gauge(registry, "oracle_account_balance_ether", "Ether of the submitting account"),
    peerUp: gauge(registry, "oracle_peer_up", "1 if the peer answered the last time", ["peer"]),
    stepSeconds: gauge(registry, "oracle_step_seconds", "How long the last turn took"),
    steps: counter(registry, "oracle_steps_total", "Turns of the loop", ["result"]),
    skipped: counter(registry, "oracle_peer_items_skipped_total", "Parts of peers' answers that were of no use", [
      "peer",
    ]),
    divergences: counter(
      registry,
      "oracle_divergences_total",
      "Other reports for a slot, by who signed them",
      labelled,
    ),
    equivocations: counter(registry, "oracle_equivocations_total", "Second reports for a slot by one signer", labelled),
    outvoted: counter(registry, "oracle_outvoted_total", "Accepted reports that differ from this member's"),
    submissions: counter(registry, "oracle_submissions_total", "Reports sent", ["result"]),
    announcements: counter(
      registry,
      "oracle_announcements_total",
      "Announcements sent, of reports that need more than a quorum",
      ["result"],
    ),
    requests: counter(registry, "oracle_requests_total", "Requests of peers and strangers", ["status"]),
    beaconFailures: counter(registry, "oracle_beacon_failures_total", "Failed requests to a beacon node", ["host"]),
  };
}
