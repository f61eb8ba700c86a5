/** Loaded before a program that knows nothing of who started it: the program stops when that process is gone, by whatever signal it ended. */
import { onParentGone } from "./parent.ts";

/** As long as a supervisor gives it. */
const STOP_LIMIT_MS = 15_000;

onParentGone(() => {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.kill(process.pid, "SIGKILL"), STOP_LIMIT_MS).unref();
});
