/** Spellings of the Beacon API, and what nodes say of themselves. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Behaviour, Client, Effect } from "../behaviour.ts";
import { json, withJson } from "../proxy.ts";
import type { Reply, Tamper } from "../proxy.ts";

type Fields = Record<string, unknown>;

const VALIDATORS = /\/states\/[^/]+\/validators(\?|$)/;

export const BEACON_API: readonly Behaviour[] = [
  {
    ...about(
      "no SECONDS_PER_SLOT",
      ["prysm", "nimbus"],
      "harmless",
      "config/spec has SLOT_DURATION_MS only",
      "https://github.com/OffchainLabs/prysm/issues/16484",
    ),
    tamper: () =>
      onData("/eth/v1/config/spec", (spec) => {
        const { SECONDS_PER_SLOT, ...rest } = spec;
        return { ...rest, SLOT_DURATION_MS: String(1_000 * Number(SECONDS_PER_SLOT)) };
      }),
  },
  {
    ...about(
      "lists in config/spec",
      ["lighthouse", "lodestar", "grandine"],
      "harmless",
      "config/spec has BLOB_SCHEDULE, a list",
      "https://github.com/attestantio/go-eth2-client/issues/230",
    ),
    tamper: () =>
      onData("/eth/v1/config/spec", (spec) => ({
        ...spec,
        BLOB_SCHEDULE: [{ EPOCH: "412672", MAX_BLOBS_PER_BLOCK: "15" }],
      })),
  },
  {
    ...about(
      "no Eth-Consensus-Version",
      ["provider", "lodestar"],
      "harmless",
      "blocks and states without the header",
      "https://github.com/ChainSafe/lodestar/issues/6123",
    ),
    tamper: () =>
      onReply(({ headers, ...reply }) => {
        const { "eth-consensus-version": _, ...rest } = headers;
        return { ...reply, headers: rest };
      }),
  },
  {
    ...about(
      "no Eth-Consensus-Version with JSON",
      ["prysm"],
      "harmless",
      "the header is missing where the body is JSON",
      "https://github.com/OffchainLabs/prysm/issues/12580",
    ),
    tamper: () =>
      onReply((reply) => {
        if (reply.headers["content-type"]?.includes("json") !== true) return reply;
        const { "eth-consensus-version": _, ...headers } = reply.headers;
        return { ...reply, headers };
      }),
  },
  {
    ...about(
      "JSON in place of SSZ",
      ["prysm"],
      "harmless",
      "blocks as JSON though SSZ was asked for",
      "https://github.com/OffchainLabs/prysm/issues/10743",
    ),
    tamper: () => async (asked, forward) =>
      asked.path.includes("/beacon/blocks/")
        ? forward({ ...asked, headers: { ...asked.headers, accept: "application/json" } })
        : forward(),
  },
  {
    ...about(
      "statuses null: 400",
      ["teku"],
      "harmless",
      'POST validators with "statuses": null: 400',
      "https://github.com/Consensys-Incorporated/teku/issues/9687",
    ),
    tamper: () => async (asked, forward) =>
      asked.method === "POST" && /"statuses":\s*null/.test(asked.body)
        ? json(400, { code: 400, message: "Array expected but got VALUE_NULL" })
        : forward(),
  },
  {
    ...about(
      "no POST validators: 405",
      ["grandine"],
      "harmless",
      "POST validators: 405; GET is there",
      "https://github.com/grandinetech/grandine/issues/28",
    ),
    tamper: () => withoutPost(() => ({ status: 405, headers: {}, body: Buffer.alloc(0) })),
  },
  {
    ...about(
      "no POST validators: 400",
      ["lighthouse"],
      "harmless",
      "POST validators: 400 Unsupported endpoint version",
      "https://github.com/Consensys-Incorporated/teku/pull/7842",
    ),
    tamper: () =>
      withoutPost(() =>
        json(400, { code: 400, message: "BAD_REQUEST: Unsupported endpoint version: v1", stacktraces: [] }),
      ),
  },
  {
    ...about(
      "no POST validators: 404",
      ["provider"],
      "harmless",
      "POST validators: 404, as of a path nobody knows",
      "https://github.com/Consensys-Incorporated/teku/pull/7786",
    ),
    tamper: () => withoutPost(() => json(404, { code: 404, message: "no such route" })),
  },
  {
    ...about(
      "hexadecimal in capitals",
      ["provider"],
      "harmless",
      "keys and roots in capitals, as the specification allows",
      "https://github.com/ethereum/beacon-APIs/blob/master/types/primitive.yaml",
    ),
    tamper: () => onReply((reply) => withJson(reply, inCapitals)),
  },
  {
    ...about(
      "more fields",
      ["lighthouse", "teku"],
      "harmless",
      "fields that nobody asked for",
      "https://github.com/ethereum/beacon-APIs/pull/529",
    ),
    tamper: () =>
      onReply((reply) => withJson(reply, (value) => ({ ...(value as Fields), meta: { served_by: "bn-3" } }))),
  },
  {
    ...about(
      "missed slots: 500",
      ["prysm"],
      "passing",
      "slots without a block: 500 no block exists, in place of 404",
      "https://github.com/OffchainLabs/prysm/pull/17402",
    ),
    tamper: () => async (asked, forward) => {
      const reply = await forward();
      return reply.status === 404 && /\/v[12]\/beacon\/(blocks|headers|states)\/\d+/.test(asked.path)
        ? json(500, { message: "Could not get state root: no block exists", code: 500 })
        : reply;
    },
  },
  {
    ...about(
      "el_offline",
      ["nimbus"],
      "blinding",
      "el_offline: true though all is well",
      "https://github.com/status-im/nimbus-eth2/issues/4987",
    ),
    tamper: () => onData("/eth/v1/node/syncing", (data) => ({ ...data, el_offline: true })),
  },
  {
    ...about(
      "syncing at distance 0",
      ["teku"],
      "blinding",
      "is_syncing: true and sync_distance 0 while optimistic",
      "https://github.com/Consensys-Incorporated/teku/issues/8888",
    ),
    tamper: () => onData("/eth/v1/node/syncing", (data) => ({ ...data, is_syncing: true, is_optimistic: true })),
  },
  {
    ...about(
      "optimistic",
      ["lighthouse", "prysm", "nimbus", "lodestar", "grandine"],
      "blinding",
      "is_optimistic and execution_optimistic: true",
      "https://github.com/ethereum/consensus-specs/blob/master/sync/optimistic.md",
    ),
    tamper: () =>
      onReply((reply) =>
        withJson(reply, (value) => {
          const { data, ...rest } = value as Fields;
          const isStatus = typeof data === "object" && data !== null && "is_syncing" in data;
          return isStatus
            ? { ...rest, data: { ...data, is_optimistic: true } }
            : { ...rest, data, execution_optimistic: true };
        }),
      ),
  },
  {
    ...about(
      "no fields about optimism",
      ["prysm", "teku"],
      "harmless",
      "is_optimistic, el_offline, execution_optimistic and finalized are missing: they are optional",
      "https://github.com/status-im/nimbus-eth2/pull/3968",
    ),
    tamper: () =>
      onReply((reply) =>
        withJson(reply, (value) => {
          const { execution_optimistic: _, finalized: __, data, ...rest } = value as Fields;
          if (typeof data !== "object" || data === null || !("is_syncing" in data)) return { ...rest, data };
          const { is_optimistic: ___, el_offline: ____, ...status } = data as Fields;
          return { ...rest, data: status };
        }),
      ),
  },
  {
    ...about(
      "a machine behind",
      ["provider"],
      "passing",
      "some requests reach a machine whose head is two slots older",
      "https://github.com/ethereum/go-ethereum/issues/27353",
    ),
    reasons: ["layers_disagree"],
    tamper: (dice) => async (asked, forward) => {
      if (!/\/(headers|states)\/head/.test(asked.path) || !dice.chance(0.2)) return forward();
      const head = await forward({ ...asked, method: "GET", path: "/eth/v1/beacon/headers/head" });
      const slot = Number((JSON.parse(head.body.toString()) as HeadJson).data.header.message.slot);
      for (let older = slot - 2; older >= Math.max(0, slot - 6); older--) {
        const reply = await forward({ ...asked, path: asked.path.replace("/head", `/${older}`) });
        if (reply.status === 200) return reply;
      }
      return forward();
    },
  },
  {
    ...about(
      "a state takes its time",
      ["provider"],
      "harmless",
      "a state's first byte comes after a while",
      "https://github.com/alrevuelta/eth-metrics/pull/28",
    ),
    tamper: () => async (asked, forward) => {
      if (asked.path.includes("/debug/")) await sleep(100);
      return forward();
    },
  },
];

interface HeadJson {
  readonly data: { readonly header: { readonly message: { readonly slot: string } } };
}

function about(
  name: string,
  by: readonly (Client | "provider")[],
  effect: Effect,
  what: string,
  source: string,
): Omit<Behaviour, "tamper"> {
  return { name, layers: ["beacon"], by, what, source, effect };
}

function onReply(change: (reply: Reply) => Reply): Tamper {
  return async (_, forward) => change(await forward());
}

function onData(path: string, change: (data: Fields) => Fields): Tamper {
  return async (asked, forward) => {
    const reply = await forward();
    if (asked.path !== path) return reply;
    return withJson(reply, (value) => ({ ...(value as Fields), data: change((value as { data: Fields }).data) }));
  };
}

function withoutPost(reply: () => Reply): Tamper {
  return async (asked, forward) => (asked.method === "POST" && VALIDATORS.test(asked.path) ? reply() : forward());
}

function inCapitals(value: unknown): unknown {
  if (typeof value === "string") return /^0x[0-9a-f]+$/.test(value) ? `0x${value.slice(2).toUpperCase()}` : value;
  if (Array.isArray(value)) return value.map(inCapitals);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inCapitals(item)]));
}
