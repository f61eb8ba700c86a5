/** One look at a node that somebody names: does it answer, what is it, on which chain. Never throws. */
import { z } from "zod";
import { dateOf } from "./format.ts";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import { askHttp, hostOf, statusFailure } from "../util/http.ts";

export interface NodeAnswer {
  /** With the host, without what may be secret in its URL. */
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
  readonly chainId: bigint | undefined;
}

const TIMEOUT_SECONDS = 10;

export async function askExecutionNode(url: string): Promise<NodeAnswer> {
  return answerOf(`execution node ${hostOf(url)}`, async () => {
    const [chain, client, block] = await Promise.all([
      rpc(url, "eth_chainId", []),
      rpc(url, "web3_clientVersion", []).catch(() => "it"),
      rpc(url, "eth_getBlockByNumber", ["latest", false]),
    ]);
    const chainId = BigInt(z.string().parse(chain));
    const { number, timestamp } = z.object({ number: z.string(), timestamp: z.string() }).parse(block);
    const when = dateOf(BigInt(timestamp));
    return { chainId, text: `${String(client)}, chain ${chainId}, block ${Number(number)} of ${when}` };
  });
}

export async function askBeaconNode(url: string): Promise<NodeAnswer> {
  return answerOf(`consensus node ${hostOf(url)}`, async () => {
    const [version, syncing, spec] = await Promise.all([
      beacon(url, "/eth/v1/node/version", z.object({ version: z.string() })),
      beacon(url, "/eth/v1/node/syncing", z.object({ head_slot: z.string(), is_syncing: z.boolean() })),
      beacon(url, "/eth/v1/config/spec", z.object({ DEPOSIT_CHAIN_ID: z.string() }).passthrough()),
    ]);
    const chainId = BigInt(spec.DEPOSIT_CHAIN_ID);
    const state = syncing.is_syncing ? "still syncing" : "in sync";
    return { chainId, text: `${version.version}, chain ${chainId}, slot ${syncing.head_slot}, ${state}` };
  });
}

async function answerOf(
  name: string,
  ask: () => Promise<{ readonly chainId: bigint; readonly text: string }>,
): Promise<NodeAnswer> {
  try {
    return { name, ok: true, ...(await ask()) };
  } catch (error) {
    const text = error instanceof z.ZodError ? "it answers, but not as such a node does" : messageOf(error);
    return { name, ok: false, text, chainId: undefined };
  }
}

async function rpc(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  const answer = await askHttp(url, "", { method: "POST", headers, body, timeoutSeconds: TIMEOUT_SECONDS });
  if (answer.status !== 200) throw statusFailure(answer);
  const { result, error } = z
    .object({ result: z.unknown(), error: z.object({ message: z.string() }).optional() })
    .parse(jsonOf(answer.bytes));
  if (error !== undefined) throw new AppError(EXIT.unavailable, `${method}: ${error.message}`);
  return result;
}

async function beacon<T>(url: string, path: string, schema: z.ZodType<T, z.ZodTypeDef, unknown>): Promise<T> {
  const headers = { accept: "application/json" };
  const answer = await askHttp(url, path, { headers, timeoutSeconds: TIMEOUT_SECONDS });
  if (answer.status !== 200) throw statusFailure(answer, path);
  return z.object({ data: schema }).parse(jsonOf(answer.bytes)).data as T;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new z.ZodError([]);
  }
}
