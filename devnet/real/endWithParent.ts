/** Loaded before a program that knows nothing of its supervisor: it stops when the supervisor is gone. */
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
// listening must not keep a finished program alive
process.channel?.unref();
