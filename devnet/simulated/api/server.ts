/**
 * The Beacon REST API of the simulated layer, on loopback: the part of https://ethereum.github.io/beacon-APIs that the daemons and common tools
 * read, JSON and SSZ. `faults` makes it fail the way real nodes do.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { SLOTS_PER_EPOCH } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { getBytes, hexlify } from "ethers";
import type { SimulatedBeacon } from "../beacon.ts";
import type { BeaconBlock } from "../history.ts";
import { BodyTooLarge, readBody } from "../../httpBody.ts";
import { DEPOSIT_CONTRACT } from "../../predeploys.ts";
import { ApiError, blockById, blockBytes, blockJson, headerJson, isFinal, stateBytes } from "./blocks.ts";
import { takeExit } from "./pool.ts";
import { checkpointsJson, indexOf, pendingDepositsJson, validatorJson, validatorsJson } from "./validators.ts";

export interface Faults {
  /** Every request is answered with this status. */
  status?: number;
  /** Requests are taken and never answered. */
  stalls?: boolean;
  syncing?: boolean;
  optimistic?: boolean;
  /** The head is this many slots behind. */
  lagSlots?: number;
  /** Another network's genesis. */
  wrongChain?: boolean;
  /** States are found by slot only, as some nodes keep old ones. */
  noStateRoots?: boolean;
  /** The state endpoint for debugging is switched off, as on nodes that don't serve it. */
  noDebug?: boolean;
  /** Added to the balance of each of these validator indices, in gwei. */
  lies?: ReadonlyMap<number, number>;
}

export interface BeaconApi {
  readonly url: string;
  readonly faults: Faults;
  /** How often each path was asked for, with ids replaced by {}. */
  readonly asked: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

interface Call {
  readonly beacon: SimulatedBeacon;
  readonly faults: Faults;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly wantsSsz: boolean;
  readonly ids: readonly string[];
}

type Answer =
  | { readonly data: unknown; readonly block?: BeaconBlock }
  | { readonly ssz: Uint8Array; readonly block: BeaconBlock }
  | { readonly status: number };

const MAX_BODY_BYTES = 10_000_000;
const CHAIN_ID = 31_337;

const ROUTES: readonly (readonly [method: string, path: RegExp, name: string, handle: (call: Call) => Answer])[] = [
  route("GET", "/eth/v1/node/health", ({ faults }) => ({ status: faults.syncing === true ? 206 : 200 })),
  route("GET", "/eth/v1/node/version", () => ({ data: { version: "Estuary/simulated" } })),
  route("GET", "/eth/v1/node/syncing", (call) => ({ data: syncingJson(call) })),
  route("GET", "/eth/v1/beacon/genesis", (call) => ({ data: genesisJson(call) })),
  route("GET", "/eth/v1/config/spec", (call) => ({ data: specJson(call) })),
  route("GET", "/eth/v1/config/deposit_contract", () => ({
    data: { chain_id: String(CHAIN_ID), address: DEPOSIT_CONTRACT },
  })),
  route("GET", "/eth/v1/beacon/headers/{}", (call) => {
    const block = find(call, "block");
    return { data: headerJson(call.beacon, block), block };
  }),
  route("GET", "/eth/v1/beacon/blocks/{}/root", (call) => {
    const block = find(call, "block");
    return { data: { root: block.root }, block };
  }),
  route("GET", "/eth/v2/beacon/blocks/{}", (call) => {
    const block = find(call, "block");
    return call.wantsSsz ? { ssz: blockBytes(block), block } : { data: blockJson(block), block };
  }),
  route("GET", "/eth/v1/beacon/states/{}/root", (call) => {
    const block = find(call, "state");
    return { data: { root: block.header.stateRoot }, block };
  }),
  route("GET", "/eth/v1/beacon/states/{}/fork", (call) => {
    const block = find(call, "state");
    const { fork } = ssz.electra.BeaconState.getViewDU(block.node);
    const data = {
      previous_version: hexlify(fork.previousVersion),
      current_version: hexlify(fork.currentVersion),
      epoch: String(fork.epoch),
    };
    return { data, block };
  }),
  route("GET", "/eth/v1/beacon/states/{}/finality_checkpoints", (call) => {
    const block = find(call, "state");
    const rootOf = (epoch: number): Uint8Array =>
      epoch === 0 ? new Uint8Array(32) : getBytes(call.beacon.blockAt(epoch * SLOTS_PER_EPOCH).root);
    return { data: checkpointsJson(block, rootOf), block };
  }),
  route("GET", "/eth/v1/beacon/states/{}/validators", (call) => {
    const block = find(call, "state");
    const ids = call.query.getAll("id").flatMap((part) => part.split(","));
    if (ids.length > 64) throw new ApiError(400, "too many validator ids for GET");
    const statuses = call.query.getAll("status").flatMap((part) => part.split(","));
    return { data: validatorsJson(block, ids, statuses, (index) => balanceOf(call, block, index)), block };
  }),
  route("POST", "/eth/v1/beacon/states/{}/validators", (call) => {
    const block = find(call, "state");
    const { ids, statuses } = (call.body ?? {}) as { ids?: string[] | null; statuses?: string[] | null };
    return { data: validatorsJson(block, ids ?? [], statuses ?? [], (index) => balanceOf(call, block, index)), block };
  }),
  route("GET", "/eth/v1/beacon/states/{}/validators/{}", (call) => {
    const block = find(call, "state");
    const index = indexOf(block, call.ids[1] ?? "");
    if (index === undefined) throw new ApiError(404, "validator not found");
    return { data: validatorJson(block, index, balanceOf(call, block, index)), block };
  }),
  route("GET", "/eth/v1/beacon/states/{}/pending_deposits", (call) => {
    const block = find(call, "state");
    return { data: pendingDepositsJson(block), block };
  }),
  route("POST", "/eth/v1/beacon/pool/voluntary_exits", ({ beacon, body }) => takeExit(beacon, body)),
  route("GET", "/eth/v2/debug/beacon/states/{}", (call) => {
    if (call.faults.noDebug === true) throw new ApiError(404, "the debug namespace is not served");
    const block = find(call, "state");
    if (!call.wantsSsz) throw new ApiError(406, "states are served as application/octet-stream");
    return { ssz: withLies(stateBytes(block), block, call.faults), block };
  }),
];

/** @param port 0 picks a free one */
export async function serveBeaconApi(beacon: SimulatedBeacon, port = 0): Promise<BeaconApi> {
  const faults: Faults = {};
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    void answer(beacon, faults, asked, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return { url: `http://127.0.0.1:${bound}`, faults, asked, close: () => close(server) };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

async function answer(
  beacon: SimulatedBeacon,
  faults: Faults,
  asked: Map<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (faults.stalls === true) return;
    const url = new URL(request.url ?? "/", "http://localhost");
    const matching = ROUTES.filter(([, path]) => path.test(url.pathname));
    const [, path, name, handle] = matching.find(([method]) => method === request.method) ?? [];
    if (name !== undefined) asked.set(name, (asked.get(name) ?? 0) + 1);
    if (faults.status !== undefined) throw new ApiError(faults.status, "out of order");
    if (path === undefined || handle === undefined)
      throw new ApiError(matching.length > 0 ? 405 : 404, `no ${request.method} ${url.pathname}`);
    const call: Call = {
      beacon,
      faults,
      query: url.searchParams,
      body: request.method === "POST" ? await readJson(request) : undefined,
      wantsSsz: (request.headers.accept ?? "").split(",")[0]?.trim().startsWith("application/octet-stream") === true,
      ids: path.exec(url.pathname)?.slice(1) ?? [],
    };
    send(call, handle(call), response);
  } catch (error) {
    const { status, message } = error instanceof ApiError ? error : { status: 500, message: String(error) };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ code: status, message }));
  }
}

function send({ beacon, faults }: Call, result: Answer, response: ServerResponse): void {
  if ("status" in result) {
    response.writeHead(result.status).end();
    return;
  }
  const { block } = result;
  const version: Record<string, string> = block === undefined ? {} : { "eth-consensus-version": block.fork };
  if ("ssz" in result) {
    response.writeHead(200, { ...version, "content-type": "application/octet-stream" }).end(result.ssz);
    return;
  }
  const about =
    block === undefined
      ? {}
      : { version: block.fork, execution_optimistic: faults.optimistic === true, finalized: isFinal(beacon, block) };
  response.writeHead(200, { ...version, "content-type": "application/json" });
  response.end(JSON.stringify({ ...about, data: result.data }));
}

function find({ beacon, ids, faults }: Call, kind: "block" | "state"): BeaconBlock {
  const [id = ""] = ids;
  if (id === "head" && faults.lagSlots !== undefined)
    return beacon.blockAt(Math.max(0, beacon.head.slot - faults.lagSlots));
  if (kind === "state" && faults.noStateRoots === true && id.startsWith("0x"))
    throw new ApiError(404, "state not found");
  return blockById(beacon, id, kind);
}

function syncingJson({ beacon, faults }: Call): object {
  const behind = faults.lagSlots ?? 0;
  return {
    head_slot: String(Math.max(0, beacon.head.slot - behind)),
    sync_distance: faults.syncing === true ? "1000" : "0",
    is_syncing: faults.syncing === true,
    is_optimistic: faults.optimistic === true,
    el_offline: false,
  };
}

function genesisJson({ beacon, faults }: Call): object {
  const version = hexlify(beacon.rules.genesisForkVersion);
  return {
    genesis_time: String(beacon.genesisTime),
    genesis_validators_root: beacon.genesisValidatorsRoot,
    genesis_fork_version: faults.wrongChain === true ? "0x90000069" : version,
  };
}

function specJson({ beacon, faults }: Call): object {
  return {
    CONFIG_NAME: "estuary-simulated",
    PRESET_BASE: "mainnet",
    SECONDS_PER_SLOT: "12",
    SLOTS_PER_EPOCH: String(SLOTS_PER_EPOCH),
    DEPOSIT_CHAIN_ID: String(faults.wrongChain === true ? 1 : CHAIN_ID),
    DEPOSIT_NETWORK_ID: String(CHAIN_ID),
    DEPOSIT_CONTRACT_ADDRESS: DEPOSIT_CONTRACT,
    GENESIS_FORK_VERSION: hexlify(beacon.rules.genesisForkVersion),
    CAPELLA_FORK_VERSION: hexlify(beacon.rules.capellaForkVersion),
    ELECTRA_FORK_VERSION: hexlify(beacon.rules.electraForkVersion),
    FULU_FORK_VERSION: hexlify(beacon.rules.fuluForkVersion),
    SHARD_COMMITTEE_PERIOD: String(beacon.rules.shardCommitteePeriod),
    MIN_VALIDATOR_WITHDRAWABILITY_DELAY: String(beacon.rules.minValidatorWithdrawabilityDelay),
  };
}

function balanceOf({ faults }: Call, { state }: BeaconBlock, index: number): number {
  return (state.balancesGwei[index] ?? 0) + (faults.lies?.get(index) ?? 0);
}

/** Rewrites balances in the serialized state. */
function withLies(bytes: Uint8Array, { fork }: BeaconBlock, { lies }: Faults): Uint8Array {
  if (lies === undefined) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = fork === "fulu" ? ssz.fulu.BeaconState : ssz.electra.BeaconState;
  const position = Object.keys(type.fields).indexOf("balances");
  const range = type.getFieldRanges(view, 0, bytes.length)[position];
  for (const [index, gwei] of lies) {
    const offset = (range?.start ?? 0) + 8 * index;
    view.setBigUint64(offset, view.getBigUint64(offset, true) + BigInt(gwei), true);
  }
  return bytes;
}

function route(method: string, name: string, handle: (call: Call) => Answer) {
  return [method, new RegExp(`^${name.replaceAll("{}", "([^/]+)")}$`), name, handle] as const;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  try {
    return JSON.parse(await readBody(request, MAX_BODY_BYTES));
  } catch (error) {
    if (error instanceof BodyTooLarge) throw new ApiError(413, "the body is too large");
    throw new ApiError(400, "the body is not JSON");
  }
}
