/** Structured logs on stderr: JSON lines, or readable ones on a terminal. */
import { pino } from "pino";
import type { Logger } from "pino";
import { PinoPretty } from "pino-pretty";

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** Names under which a secret could slip into a log. */
const SECRETS = ["privateKey", "password", "mnemonic", "secret", "seed"];

/** @param to a file's descriptor; stderr unless told */
export function makeLog(name: string, level: string, { to = 2, pretty = process.stderr.isTTY } = {}): Log {
  const options = {
    name,
    level,
    base: { name },
    redact: { paths: SECRETS.flatMap((key) => [key, `*.${key}`]), censor: "(hidden)" },
    serializers: { error: pino.stdSerializers.err },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pretty
    ? pino(options, PinoPretty({ destination: to, ignore: "pid,hostname", sync: true }))
    : pino(options, pino.destination({ fd: to, sync: true }));
}

export const silentLog: Log = pino({ level: "silent" });
