/** Metrics and health of a daemon over HTTP: /metrics (Prometheus), /healthz (503 when its loop is stale), /readyz. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { Clock } from "./clock.ts";

export const METRIC_PREFIX = "estuary_";

/** One boolean for each reason not to act: 1 while it holds. */
export class Reasons<Name extends string> {
  readonly #gauge: Gauge;
  readonly #names: readonly Name[];

  constructor(registry: Registry, metric: string, help: string, names: readonly Name[]) {
    this.#names = names;
    this.#gauge = new Gauge({ name: METRIC_PREFIX + metric, help, labelNames: ["reason"], registers: [registry] });
    this.set([]);
  }

  set(holding: readonly Name[]): void {
    for (const reason of this.#names) this.#gauge.set({ reason }, holding.includes(reason) ? 1 : 0);
  }
}

export function gauge(registry: Registry, name: string, help: string, labelNames: readonly string[] = []): Gauge {
  return new Gauge({ name: METRIC_PREFIX + name, help, labelNames: [...labelNames], registers: [registry] });
}

export function counter(registry: Registry, name: string, help: string, labelNames: readonly string[] = []): Counter {
  return new Counter({ name: METRIC_PREFIX + name, help, labelNames: [...labelNames], registers: [registry] });
}

/** When the loop last came round, and whether the daemon can do its work. */
export interface Pulse {
  beat(): void;
  ready(isReady: boolean): void;
  isStale(): boolean;
  isReady(): boolean;
}

/** @param staleAfter seconds without a beat */
export function makePulse(clock: Clock, staleAfter: number): Pulse {
  let last = clock.now();
  let readiness = false;
  return {
    beat: () => (last = clock.now()),
    ready: (isReady) => (readiness = isReady),
    isStale: () => clock.now() - last > staleAfter,
    isReady: () => readiness,
  };
}

export async function serveHealth(registry: Registry, pulse: Pulse, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = "text/plain"): void => {
      response.writeHead(status, { "content-type": type }).end(body);
    };
    if (request.method !== "GET") answer(405, "GET only\n");
    else if (request.url === "/healthz" && pulse.isStale()) answer(503, "stale\n");
    else if (request.url === "/readyz" && !pulse.isReady()) answer(503, "not ready\n");
    else if (request.url === "/healthz" || request.url === "/readyz") answer(200, "ok\n");
    else if (request.url === "/metrics") {
      registry.metrics().then(
        (body) => answer(200, body, registry.contentType),
        () => answer(500, "no metrics\n"),
      );
    } else answer(404, "not found\n");
  });
  server.requestTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
