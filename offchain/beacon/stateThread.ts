/** Runs `stateWorker.ts`. */
import { Worker } from "node:worker_threads";
import { AppError, EXIT } from "../util/errors.ts";
import type { StateAnswer, StateTask } from "./stateWorker.ts";

/** Downloads a state and answers from it, in a thread of its own that ends with the answer. */
export async function inThread(task: StateTask, signal: AbortSignal | undefined): Promise<StateAnswer> {
  signal?.throwIfAborted();
  const worker = new Worker(new URL("./stateWorker.ts", import.meta.url), {
    workerData: task,
    // a small young generation is collected often: chunks of the download are gone soon
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  try {
    return await new Promise<StateAnswer>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => reject(new AppError(EXIT.unavailable, "the thread that reads the state ended")));
    });
  } finally {
    await worker.terminate();
  }
}
