/** `/devnet/*`: what only a devnet has. */
import { z } from "zod";
import type { BeaconChain } from "../chain.ts";
import type { Pace } from "../slotLoop.ts";
import { epochOf } from "../transition.ts";
import { ApiError, get, jsonOf, post } from "./router.ts";
import type { Route } from "./router.ts";

const PACE = z.object({
  slotMs: z.number().int().min(0).max(3_600_000).optional(),
  blockEvery: z.number().int().min(1).max(32).optional(),
});

export interface DevnetStatus {
  readonly slot: number;
  readonly epoch: number;
  readonly finalizedEpoch: number;
  readonly blocks: number;
  readonly pace: Pace;
  readonly rssMiB: number;
}

/** @param pace is changed in place */
export function devnetRoutes(chain: BeaconChain, pace: Pace): Route[] {
  return [
    get("/devnet/status", () => {
      const { entry, state } = chain.head;
      const status: DevnetStatus = {
        slot: entry.slot,
        epoch: epochOf(entry.slot),
        finalizedEpoch: state.finalizedCheckpoint.epoch,
        blocks: chain.history.canonical().length,
        pace,
        rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
      };
      return { json: status };
    }),
    post("/devnet/pace", (request) => {
      const parsed = PACE.safeParse(jsonOf(request));
      if (!parsed.success) throw new ApiError(400, parsed.error.issues.map(({ message }) => message).join("; "));
      if (parsed.data.slotMs !== undefined) pace.slotMs = parsed.data.slotMs;
      if (parsed.data.blockEvery !== undefined) pace.blockEvery = parsed.data.blockEvery;
      return { json: pace };
    }),
  ];
}
