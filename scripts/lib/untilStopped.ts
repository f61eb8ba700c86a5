/** How a program that starts others learns that it must stop. */
import { onParentGone } from "../../devnet/real/parent.ts";

let stop: AbortController | undefined;

/**
 * One signal for the whole process. Aborts at SIGINT, SIGTERM and SIGHUP, and when the process that started this one is gone. A signal that comes again while things are stopped
 * in order changes nothing: on Ctrl-C both the terminal and npm send one.
 */
export function untilStopped(): AbortSignal {
  if (stop !== undefined) return stop.signal;
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => controller.abort());
  onParentGone(() => controller.abort());
  stop = controller;
  return controller.signal;
}
