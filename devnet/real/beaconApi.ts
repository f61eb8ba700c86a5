/** The little of HTTP that a validator client needs: JSON, and server-sent events that survive a restart of the beacon node. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BeaconApi } from "./validatorClient.ts";

const RECONNECT_MS = 300;

export function beaconApi(url: string): BeaconApi {
  const call = async (path: string, init: RequestInit): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  return {
    get: (path) => call(path, {}),
    post: (path, body) =>
      call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  };
}

/** Calls back for every event until aborted; connects again when the connection ends. */
export async function followEvents(
  url: string,
  topics: readonly string[],
  onEvent: (topic: string, data: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(`${url}/eth/v1/events?topics=${topics.join(",")}`, { signal });
      if (response.ok && response.body !== null) {
        for await (const { topic, data } of eventsIn(response.body)) onEvent(topic, data);
      }
    } catch {
      // the beacon node is away
    }
    await sleep(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function* eventsIn(body: AsyncIterable<Uint8Array>): AsyncGenerator<{ topic: string; data: unknown }> {
  const decoder = new TextDecoder();
  let buffer = "";
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true });
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const message = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      const topic = /^event: (.*)$/m.exec(message)?.[1];
      const data = /^data: (.*)$/m.exec(message)?.[1];
      if (topic !== undefined && data !== undefined) yield { topic, data: JSON.parse(data) };
    }
  }
}
