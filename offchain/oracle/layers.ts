/** Errors that say which layer's node they are about. */
import { AppError, EXIT, isAbort, messageOf } from "../util/errors.ts";

export class LayerError extends AppError {
  readonly layer: "execution" | "beacon";

  constructor(layer: "execution" | "beacon", message: string, options?: ErrorOptions) {
    super(EXIT.unavailable, message, options);
    this.layer = layer;
  }
}

/** A slashed validator's penalty depends on sums over all validators, which only whole states tell. */
export class WholeStateNeeded extends AppError {
  constructor(details?: string) {
    const wanted =
      "a validator of ours is slashed: its penalty needs a whole state. Add a beacon node that serves /eth/v2/debug/beacon/states to ESTUARY_BEACON_URLS";
    super(EXIT.unavailable, details === undefined ? wanted : `${wanted} (${details})`);
    this.name = "WholeStateNeeded";
  }
}

/** The error to throw for whatever a node's client threw. What is not about the node passes: an abort that was asked for, a check that failed. */
export function layerError(layer: "execution" | "beacon", error: unknown, signal?: AbortSignal): unknown {
  if (isAbort(error) && signal?.aborted === true) return error;
  if (error instanceof LayerError || error instanceof WholeStateNeeded) return error;
  if (error instanceof AppError && error.exitCode !== EXIT.unavailable) return error;
  const message = error instanceof AppError ? error.message : `${layer} node: ${messageOf(error)}`;
  return new LayerError(layer, message, { cause: error });
}

export async function asking<T>(layer: "execution" | "beacon", answer: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw layerError(layer, error, signal);
  }
}
