/** Requests to one beacon node: what is asked for under several names, again later, or again at once; and what its refusals mean. */
import type { z } from "zod";
import type { Clock } from "../util/clock.ts";
import { isAbort } from "../util/errors.ts";
import { HostFailure, askHttp, statusFailure } from "../util/http.ts";
import type { HttpAnswer } from "../util/http.ts";
import type { Encoded } from "./blockCodec.ts";

/** A node can't be used now, or not for this; the next may be. */
export class Unusable extends Error {}

/** Of one machine behind a URL, which may lag behind the one that answered before. */
const TRIES = 3;
/** Refusals of a request's size, or of its form. */
const TOO_LARGE: ReadonlySet<number> = new Set([400, 413, 414, 422, 431]);

/** What a node was found to want: kept for as long as the program runs. */
export interface Habits {
  /** Public keys in one POST; 0 where it has no such route. */
  mostIds: number;
  mostIdsInUrl: number;
}

export interface NodeContext {
  readonly clock: Clock;
  /** Seconds for one answer. */
  readonly timeoutSeconds: number;
  /** Seconds to wait in all where the node asks to be left alone, before it is given up. */
  readonly patience: number;
  readonly habits: Habits;
  readonly signal: AbortSignal | undefined;
}

export class NodeRequests {
  readonly url: string;
  readonly context: NodeContext;
  #waited = 0;

  constructor(url: string, context: NodeContext) {
    this.url = url;
    this.context = context;
  }

  /** One thing under several names. @throws the first failure that says more than that it is not there; at once what another name does not mend */
  async first<T>(asks: readonly (() => Promise<T>)[]): Promise<T> {
    let first: unknown;
    for (const ask of asks) {
      try {
        return await ask();
      } catch (error) {
        this.context.signal?.throwIfAborted();
        if (!mayBeNamedOtherwise(error)) throw error;
        // that something is not there says less than why it could not be read
        if (first === undefined || (isMissing(first) && !isMissing(error))) first = error;
      }
    }
    throw first;
  }

  /** What the chain says is there: another machine behind the same URL may have it. */
  async known<T>(ask: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (attempt === TRIES || !isMissing(error)) throw error;
      }
    }
  }

  async orMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** SSZ, or JSON of a node that has no SSZ for it. */
  async encoded(path: string): Promise<Encoded> {
    const asSsz = this.#ask(path, "application/octet-stream");
    const { bytes, headers } = await asSsz.catch((error: unknown) => {
      if (error instanceof HostFailure && [400, 406, 415, 501].includes(error.status ?? 0))
        return this.#ask(path, "application/json");
      throw error;
    });
    return { bytes, version: headers.get("eth-consensus-version")?.trim().toLowerCase() };
  }

  /** In the shape of `schema`. Optimistic answers are refused. */
  async json<T>(path: string, schema: z.ZodType<T, z.ZodTypeDef, unknown>, body?: unknown): Promise<T> {
    const { bytes } = await this.#ask(path, "application/json", body);
    const route = path.split("?")[0] ?? path;
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      throw new Unusable(bytes.length === 0 ? `${route} is empty` : `${route} is not JSON`);
    }
    if (String((value as { execution_optimistic?: unknown } | null)?.execution_optimistic) === "true")
      throw new Unusable(`${route} is optimistic: its execution layer has not verified it`);
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Unusable(`${route} has an unknown shape at ${issue?.path.join(".") ?? "?"}: ${issue?.message ?? ""}`);
  }

  async #ask(path: string, accept: string, body?: unknown): Promise<HttpAnswer> {
    const { timeoutSeconds, signal } = this.context;
    return this.patiently(async () => {
      const answer = await askHttp(this.url, path, {
        method: body === undefined ? "GET" : "POST",
        headers: { accept, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        // a POST that a redirect turns into a GET without ids would ask for all validators
        ...(body === undefined ? {} : { body: JSON.stringify(body), redirect: "manual" }),
        ...{ timeoutSeconds, signal },
      });
      if (answer.status === 200) return answer;
      throw statusFailure(answer, path.split("?")[0]);
    });
  }

  /** Again after as long as the node says, or after a growing pause where it only says that it was asked too often. */
  async patiently<T>(ask: () => Promise<T>): Promise<T> {
    const { clock, patience, signal } = this.context;
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        const wait = isAskedTooOften(error) ? Math.max(1, error.waitSeconds ?? 2 ** attempt) : Infinity;
        if (this.#waited + wait > patience) throw error;
        this.#waited += wait;
        await clock.sleep(wait, signal);
      }
    }
  }
}

/** Whether the host wants to be left alone for a while: the same request is right later. */
export function isAskedTooOften(error: unknown): error is HostFailure {
  if (!(error instanceof HostFailure)) return false;
  return error.status === 429 || (error.status === 503 && error.waitSeconds !== undefined);
}

export function isMissing(error: unknown): boolean {
  return error instanceof HostFailure && (error.status === 404 || error.status === 204);
}

export function isTooLarge(error: unknown): boolean {
  return error instanceof HostFailure && TOO_LARGE.has(error.status ?? 0);
}

/** A host that is not there, wants a key or is asked too often will not like another name better. */
function mayBeNamedOtherwise(error: unknown): boolean {
  if (isAbort(error) || isAskedTooOften(error)) return false;
  if (!(error instanceof HostFailure)) return true;
  return error.status !== undefined && error.status !== 401;
}

/** The host does not have the route, or not with this method. */
export function isNoRoute(error: unknown): boolean {
  return error instanceof HostFailure && [404, 405, 501].includes(error.status ?? 0);
}

/** The host does not have the route, or not for us: rather than that it failed. */
export function isNotServed(error: unknown): boolean {
  return isNoRoute(error) || (error instanceof HostFailure && [403, 410].includes(error.status ?? 0));
}
