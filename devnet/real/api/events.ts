/**
 * `/eth/v1/events`: server-sent events. `devnet_slot` and `devnet_votes` are ours: the times in a slot to propose and to
 * attest, which no wall clock tells here.
 */
import type { ServerResponse } from "node:http";
import type { BeaconChain } from "../chain.ts";
import { ApiError, get } from "./router.ts";
import type { Route } from "./router.ts";

const TOPICS = new Set(["head", "block", "finalized_checkpoint", "devnet_slot", "devnet_votes"]);

export class Events {
  readonly #followers = new Map<ServerResponse, ReadonlySet<string>>();

  constructor(chain: BeaconChain) {
    chain.onImport(({ entry, finalized, isNewEpoch }) => {
      const slot = String(entry.slot);
      this.send("block", { slot, block: entry.root, execution_optimistic: false });
      this.send("head", {
        slot,
        block: entry.root,
        state: entry.stateRoot,
        epoch_transition: isNewEpoch,
        execution_optimistic: false,
      });
      if (finalized !== undefined) {
        const state = chain.history.byRoot(finalized.root)?.stateRoot;
        const epoch = String(finalized.epoch);
        this.send("finalized_checkpoint", { block: finalized.root, state, epoch, execution_optimistic: false });
      }
    });
  }

  route(): Route {
    return get("/eth/v1/events", ({ query, raw }, response) => {
      const topics = new Set(query.getAll("topics").flatMap((value) => value.split(",")));
      const unknown = [...topics].find((topic) => !TOPICS.has(topic));
      if (unknown !== undefined || topics.size === 0)
        throw new ApiError(400, `topics: no such topic: ${unknown ?? ""}`);
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
      response.flushHeaders();
      this.#followers.set(response, topics);
      raw.on("close", () => this.#followers.delete(response));
      return undefined;
    });
  }

  send(topic: string, data: object): void {
    for (const [response, topics] of this.#followers)
      if (topics.has(topic)) response.write(`event: ${topic}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  close(): void {
    for (const response of this.#followers.keys()) response.end();
  }
}
