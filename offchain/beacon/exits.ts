/** What a voluntary exit needs of a beacon node: what it is signed over, whether it is time, and the pool that takes it. */
import { z } from "zod";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import { askHttp, explanationOf, hostOf, statusFailure } from "../util/http.ts";
import { bigintField, hexField, numberField } from "./fields.ts";

const TIMEOUT_SECONDS = 15;
const FAR_FUTURE = 2n ** 64n - 1n;

/** A validator that may leave, or why it may not. */
export interface ExitStanding {
  /** What it is signed over. */
  readonly domain: { readonly capellaForkVersion: Hex; readonly genesisValidatorsRoot: Hex };
  /** Of the head. */
  readonly epoch: number;
  readonly validatorIndex: number;
  /** In words; undefined where it may leave now. */
  readonly obstacle: string | undefined;
}

const genesis = z.object({ data: z.object({ genesis_validators_root: hexField }) });
const spec = z.object({
  data: z.object({
    CAPELLA_FORK_VERSION: hexField,
    SLOTS_PER_EPOCH: numberField,
    SHARD_COMMITTEE_PERIOD: numberField,
  }),
});
const header = z.object({ data: z.object({ header: z.object({ message: z.object({ slot: numberField }) }) }) });
const validatorSchema = z.object({
  data: z.object({
    index: numberField,
    status: z.string(),
    validator: z.object({ activation_epoch: bigintField, exit_epoch: bigintField }),
  }),
});

/** By the first of the nodes that answers. @throws AppError: unavailable; invalid for a key that the chain does not know */
export async function readExitStanding(urls: readonly string[], pubkey: Hex): Promise<ExitStanding> {
  return firstOf(urls, async (url) => {
    const [{ data: chain }, { data: rules }, { data: head }] = await Promise.all([
      get(url, "/eth/v1/beacon/genesis", genesis),
      get(url, "/eth/v1/config/spec", spec),
      get(url, "/eth/v1/beacon/headers/head", header),
    ]);
    const { data: found } = await get(url, `/eth/v1/beacon/states/head/validators/${pubkey}`, validatorSchema);
    const epoch = Math.floor(head.header.message.slot / rules.SLOTS_PER_EPOCH);
    return {
      domain: {
        capellaForkVersion: rules.CAPELLA_FORK_VERSION,
        genesisValidatorsRoot: chain.genesis_validators_root,
      },
      epoch,
      validatorIndex: found.index,
      obstacle: obstacleOf(found, epoch, rules.SHARD_COMMITTEE_PERIOD),
    };
  });
}

/** process_voluntary_exit's conditions, but for the signature. */
function obstacleOf(
  { status, validator }: z.output<typeof validatorSchema>["data"],
  epoch: number,
  period: number,
): string | undefined {
  const { activation_epoch: activation, exit_epoch: exit } = validator;
  if (exit !== FAR_FUTURE) return `it leaves already, in epoch ${exit}`;
  if (activation > BigInt(epoch)) return `it is not active yet (${status})`;
  const from = activation + BigInt(period);
  if (from > BigInt(epoch))
    return `it must have been active for ${period} epochs: from epoch ${from} on, it is ${epoch} now`;
  return undefined;
}

/**
 * Hands an exit to the pools of all nodes: one that takes it is enough.
 * @param exit as JSON (`exitJson`)
 * @returns the hosts that took it @throws AppError: failure where a node refuses it, with the reason in its words; unavailable
 */
export async function submitExit(urls: readonly string[], exit: object): Promise<readonly string[]> {
  const taken: string[] = [];
  const problems: string[] = [];
  let isRefused = false;
  for (const url of urls) {
    try {
      const answer = await askHttp(url, "/eth/v1/beacon/pool/voluntary_exits", {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify(exit),
        timeoutSeconds: TIMEOUT_SECONDS,
      });
      if (answer.status >= 200 && answer.status < 300) {
        taken.push(hostOf(url));
        continue;
      }
      if (answer.status !== 400) throw statusFailure(answer);
      isRefused = true;
      const said = explanationOf(answer);
      problems.push(`consensus node ${hostOf(url)} refuses the exit${said === "" ? "" : `: ${said}`}`);
    } catch (error) {
      problems.push(`consensus node ${hostOf(url)}: ${messageOf(error)}`);
    }
  }
  if (taken.length === 0) throw new AppError(isRefused ? EXIT.failure : EXIT.unavailable, problems.join("\n"));
  return taken;
}

async function firstOf<T>(urls: readonly string[], ask: (url: string) => Promise<T>): Promise<T> {
  const problems: string[] = [];
  for (const url of urls) {
    try {
      return await ask(url);
    } catch (error) {
      if (error instanceof AppError) throw error;
      const said = error instanceof z.ZodError ? "it does not answer as a consensus node does" : messageOf(error);
      problems.push(`consensus node ${hostOf(url)}: ${said}`);
    }
  }
  throw new AppError(EXIT.unavailable, problems.join("\n"));
}

async function get<T>(url: string, path: string, schema: z.ZodType<T, z.ZodTypeDef, unknown>): Promise<T> {
  const answer = await askHttp(url, path, { headers: { accept: "application/json" }, timeoutSeconds: TIMEOUT_SECONDS });
  if (answer.status === 404 && path.includes("/validators/"))
    throw new AppError(EXIT.invalid, `consensus node ${hostOf(url)}: the beacon chain has no validator with this key`);
  if (answer.status !== 200) throw statusFailure(answer, path);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(answer.bytes));
  } catch {
    throw new z.ZodError([]);
  }
  return schema.parse(json);
}
