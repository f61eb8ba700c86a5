/** How beacon nodes find states, or don't. */
import type { Behaviour, BEACON_CLIENTS, Effect } from "../behaviour.ts";
import { json } from "../proxy.ts";
import type { Asked, Reply, Tamper } from "../proxy.ts";

type BeaconClient = (typeof BEACON_CLIENTS)[number];

const BY_ROOT = /\/states\/0x[0-9a-f]{64}/i;
const BY_SLOT = /\/states\/(\d+)/;
const DEBUG = "/debug/beacon/states/";

export const STATES: readonly Behaviour[] = [
  state("states by root: 500", ["nimbus"], "harmless", "states by root: 500; by slot they are there", {
    source: "https://github.com/status-im/nimbus-eth2/pull/8819",
    concerns: ({ path }) => BY_ROOT.test(path),
    reply: () => json(500, { code: 500, message: "Internal server error" }),
  }),
  state("states by root: a database error", ["lighthouse"], "harmless", "states by root: 500 MissingHotStateSummary", {
    source: "https://github.com/sigp/lighthouse/issues/8640",
    concerns: ({ path }) => BY_ROOT.test(path) && !path.endsWith("/root"),
    reply: () =>
      json(500, {
        code: 500,
        message: 'UNHANDLED_ERROR: DBError(LoadingHotStateError("get state", 0x9e98, MissingHotStateSummary))',
        stacktraces: [],
      }),
  }),
  state("states by root: not found", ["prysm"], "harmless", "states by root: 404 State not found", {
    source: "https://github.com/lidofinance/lido-oracle/pull/582",
    concerns: ({ path }) => BY_ROOT.test(path),
    reply: () => json(404, { message: "State not found", code: 404 }),
  }),
  state("states by root: an empty 404", ["lodestar"], "harmless", "states by root: 404 without a body", {
    source: "https://github.com/lidofinance/lido-oracle/pull/582",
    concerns: ({ path }) => BY_ROOT.test(path),
    reply: () => ({ status: 404, headers: {}, body: Buffer.alloc(0) }),
  }),
  state("no debug states", ["prysm"], "harmless", "404 for /eth/v2/debug/beacon/states without a flag", {
    source: "https://github.com/OffchainLabs/prysm/issues/11663",
    concerns: ({ path }) => path.includes(DEBUG),
    reply: () => json(404, { message: "404 page not found", code: 404 }),
  }),
  state("states of yesterday", ["lighthouse"], "blinding", "pruned states: 404 with stacktraces", {
    source: "https://github.com/sigp/lighthouse/issues/8459",
    concerns: isOfOldState,
    reply: () => json(404, { code: 404, message: "NOT_FOUND: beacon state at slot 13092597", stacktraces: [] }),
  }),
  state("could not get requested state", ["nimbus"], "blinding", "recent states: 404 Could not get requested state", {
    source: "https://github.com/status-im/nimbus-eth2/issues/6271",
    concerns: isOfOldState,
    reply: () => json(404, { code: 404, message: "Could not get requested state" }),
  }),
  state("no seed state", ["lodestar"], "blinding", "states that are not cached: 500 REGEN_ERROR_NO_SEED_STATE", {
    source: "https://github.com/grandinetech/grandine/issues/213",
    concerns: isOfOldState,
    reply: () => json(500, { code: 500, message: "REGEN_ERROR_NO_SEED_STATE" }),
  }),
  state("replay fails", ["prysm"], "blinding", "states: 500 Invalid state ID while replaying history", {
    source: "https://github.com/OffchainLabs/prysm/issues/12180",
    concerns: isOfOldState,
    reply: () => json(500, { message: "Invalid state ID: error while replaying history to slot=5249045", code: 500 }),
  }),
  {
    name: "another slot's state",
    layers: ["beacon"],
    by: ["lighthouse"],
    what: "the debug state of another slot than was asked for",
    source: "https://github.com/sigp/lighthouse/issues/4041",
    effect: "blinding",
    tamper: () => async (asked, forward) => {
      if (!asked.path.includes(DEBUG)) return forward();
      const reply = await forward({ ...asked, path: asked.path.replace(/\/states\/.*$/, "/states/finalized") });
      return reply.status === 200 ? reply : forward();
    },
  },
];

function state(
  name: string,
  by: readonly BeaconClient[],
  effect: Effect,
  what: string,
  rule: { source: string; concerns: (asked: Asked) => boolean; reply: () => Reply },
): Behaviour {
  const tamper: Tamper = async (asked, forward) => (rule.concerns(asked) ? rule.reply() : forward());
  return { name, layers: ["beacon"], by, what, source: rule.source, effect, tamper: () => tamper };
}

/** By root or by slot: what is asked by a name is new. */
function isOfOldState({ path }: Asked): boolean {
  return BY_ROOT.test(path) || BY_SLOT.test(path);
}
