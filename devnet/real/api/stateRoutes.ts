/** `/eth/v1/beacon/states/*` and the debug endpoints that hand out whole states. */
import { FAR_FUTURE_EPOCH } from "@lodestar/params";
import type { BeaconStateElectra } from "@lodestar/state-transition";
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import type { BeaconChain } from "../chain.ts";
import { epochOf } from "../transition.ts";
import { findState, metaOf, typesAt, versionAt, wholeNumber } from "./lookups.ts";
import { ApiError, get, jsonOf, post, prefersSsz } from "./router.ts";
import type { ApiReply, Handler, Route } from "./router.ts";

export function stateRoutes(chain: BeaconChain): Route[] {
  const of =
    (answer: (state: BeaconStateElectra, query: URLSearchParams) => unknown): Handler =>
    ({ params, query }) => {
      const { state, meta } = findState(chain, params["state"] ?? "");
      return { json: { ...meta, data: answer(state, query) } };
    };
  const pending =
    (list: "pendingDeposits" | "pendingPartialWithdrawals" | "pendingConsolidations"): Handler =>
    (request) => {
      const { state, meta } = findState(chain, request.params["state"] ?? "");
      const version = versionAt(chain, state.slot);
      const headers = { "eth-consensus-version": version };
      const { type } = state[list];
      if (prefersSsz(request)) return { headers, bytes: state[list].serialize() };
      return { headers, json: { version, ...meta, data: type.toJson(state[list].toValue() as never) } };
    };
  const path = (rest: string): string => `/eth/v1/beacon/states/:state/${rest}`;
  return [
    get(
      path("root"),
      of((state) => ({ root: hexlify(state.hashTreeRoot()) })),
    ),
    get(
      path("fork"),
      of((state) => ssz.phase0.Fork.toJson(state.fork.toValue())),
    ),
    get(
      path("finality_checkpoints"),
      of((state) => ({
        previous_justified: ssz.phase0.Checkpoint.toJson(state.previousJustifiedCheckpoint.toValue()),
        current_justified: ssz.phase0.Checkpoint.toJson(state.currentJustifiedCheckpoint.toValue()),
        finalized: ssz.phase0.Checkpoint.toJson(state.finalizedCheckpoint.toValue()),
      })),
    ),
    get(
      path("validators"),
      of((state, query) => validators(state, listOf(query, "id"), listOf(query, "status"))),
    ),
    post(path("validators"), (request) => {
      const { state, meta } = findState(chain, request.params["state"] ?? "");
      const { ids, statuses } = jsonOf(request) as { ids?: string[] | null; statuses?: string[] | null };
      return { json: { ...meta, data: validators(state, ids ?? undefined, statuses ?? undefined) } };
    }),
    get(path("validators/:validator"), ({ params }) => {
      const { state, meta } = findState(chain, params["state"] ?? "");
      const [found] = validators(state, [params["validator"] ?? ""]);
      if (found === undefined) throw new ApiError(404, `no validator ${params["validator"]}`);
      return { json: { ...meta, data: found } };
    }),
    get(
      path("validator_balances"),
      of((state, query) => balances(state, listOf(query, "id"))),
    ),
    post(path("validator_balances"), (request) => {
      const { state, meta } = findState(chain, request.params["state"] ?? "");
      return { json: { ...meta, data: balances(state, jsonOf(request) as string[]) } };
    }),
    get(
      path("randao"),
      of((state, query) => {
        const epoch = query.has("epoch") ? wholeNumber("epoch", query.get("epoch")) : epochOf(state.slot);
        return { randao: hexlify(state.randaoMixes.get(epoch % state.randaoMixes.length)) };
      }),
    ),
    get(path("pending_deposits"), pending("pendingDeposits")),
    get(path("pending_partial_withdrawals"), pending("pendingPartialWithdrawals")),
    get(path("pending_consolidations"), pending("pendingConsolidations")),
    get("/eth/v2/debug/beacon/states/:state", (request) =>
      wholeState(chain, request.params["state"] ?? "", prefersSsz(request)),
    ),
    get("/eth/v2/debug/beacon/heads", () => {
      const { entry } = chain.head;
      return { json: { data: [{ root: entry.root, slot: String(entry.slot), execution_optimistic: false }] } };
    }),
  ];
}

function wholeState(chain: BeaconChain, id: string, asSsz: boolean): ApiReply {
  const { state, meta } = findState(chain, id);
  const version = versionAt(chain, state.slot);
  const headers = { "eth-consensus-version": version };
  if (asSsz) return { headers, bytes: state.serialize() };
  const { BeaconState } = typesAt(chain, state.slot);
  const value = BeaconState.toJson(state.toValue());
  return { headers, json: { version, ...metaOf(chain, state.slot), finalized: meta.finalized, data: value } };
}

interface ValidatorJson {
  readonly index: string;
  /** Gwei. */
  readonly balance: string;
  readonly status: string;
  readonly validator: unknown;
}

function validators(state: BeaconStateElectra, ids?: readonly string[], statuses?: readonly string[]): ValidatorJson[] {
  const all = indicesOf(state, ids).map((index) => {
    const validator = state.validators.getReadonly(index);
    const balance = state.balances.get(index);
    return {
      index: String(index),
      balance: String(balance),
      status: statusOf(validator, balance, epochOf(state.slot)),
      validator: ssz.phase0.Validator.toJson(validator.toValue()),
    };
  });
  if (statuses === undefined || statuses.length === 0) return all;
  // `active` stands for `active_ongoing`, `active_exiting` and `active_slashed`, and so on
  return all.filter(({ status }) => statuses.some((wanted) => status === wanted || status.startsWith(`${wanted}_`)));
}

function balances(state: BeaconStateElectra, ids?: readonly string[]): { index: string; balance: string }[] {
  return indicesOf(state, ids).map((index) => ({ index: String(index), balance: String(state.balances.get(index)) }));
}

/** Unknown indices and keys are left out, as the specification wants it. */
function indicesOf(state: BeaconStateElectra, ids?: readonly string[]): number[] {
  const count = state.validators.length;
  if (ids === undefined || ids.length === 0) return Array.from({ length: count }, (_, index) => index);
  const byPubkey = ids.some((id) => id.startsWith("0x"))
    ? new Map(state.validators.getAllReadonly().map(({ pubkey }, index) => [hexlify(pubkey), index]))
    : new Map<string, number>();
  const indices = ids.map((id) => {
    if (/^0x[\da-f]{96}$/i.test(id)) return byPubkey.get(id.toLowerCase());
    return wholeNumber("validator_id", id);
  });
  return [...new Set(indices)].filter((index) => index !== undefined && index < count) as number[];
}

interface Lifetime {
  readonly activationEligibilityEpoch: number;
  readonly activationEpoch: number;
  readonly exitEpoch: number;
  readonly withdrawableEpoch: number;
  readonly slashed: boolean;
}

/** The status of the Beacon API. @param balance gwei */
export function statusOf(validator: Lifetime, balance: number, epoch: number): string {
  if (epoch < validator.activationEpoch)
    return validator.activationEligibilityEpoch === FAR_FUTURE_EPOCH ? "pending_initialized" : "pending_queued";
  if (epoch < validator.exitEpoch) {
    if (validator.exitEpoch === FAR_FUTURE_EPOCH) return "active_ongoing";
    return validator.slashed ? "active_slashed" : "active_exiting";
  }
  if (epoch < validator.withdrawableEpoch) return validator.slashed ? "exited_slashed" : "exited_unslashed";
  return balance > 0 ? "withdrawal_possible" : "withdrawal_done";
}

function listOf(query: URLSearchParams, name: string): string[] | undefined {
  const values = query.getAll(name).flatMap((value) => value.split(","));
  return values.length === 0 ? undefined : values;
}
