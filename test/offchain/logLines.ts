/** A log that a test reads. */
import { silentLog } from "../../offchain/util/log.ts";
import type { Log } from "../../offchain/util/log.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Record<string, unknown>;
  readonly text: string;
}

export function logInto(lines: LogLine[]): Log {
  const at =
    (level: LogLine["level"]) =>
    (fields: unknown, text?: string): void => {
      const isText = typeof fields === "string";
      lines.push({
        level,
        fields: isText ? {} : (fields as Record<string, unknown>),
        text: isText ? fields : (text ?? ""),
      });
    };
  return { ...silentLog, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
