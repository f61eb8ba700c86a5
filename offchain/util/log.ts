/** Structured logs on stderr: JSON lines, or readable ones on a terminal. */
import { pino } from "pino";
import type { Logger } from "pino";
import { PinoPretty } from "pino-pretty";

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** Names under which a secret could slip into a log. */
const SECRETS = ["privateKey", "password", "mnemonic", "secret", "seed"];

export function makeLog(name: string, level: string, { pretty = process.stderr.isTTY } = {}): Log {
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
    ? pino(options, PinoPretty({ destination: 2, ignore: "pid,hostname", sync: true }))
    : pino(options, pino.destination({ fd: 2, sync: true }));
}

export const silentLog: Log = pino({ level: "silent" });
