/** A line under the header: only when something is not ordinary, and what it means for the person who reads it. */
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { useProtocol } from "../data/chain.ts";
import { STALE_SECONDS, useNow } from "../data/now.ts";
import type { Now } from "../data/now.ts";
import { useStatus } from "../data/queries.ts";
import type { ProtocolStatus } from "../../../offchain/chain/index.ts";
import { ConnectError } from "../../../offchain/chain/index.ts";
import { useSpeech } from "../words/context.tsx";
import type { Speech } from "../words/context.tsx";

interface Line {
  readonly tone: "bad" | "warn" | "quiet";
  readonly text: string;
}

export function StatusLine(): ReactElement | null {
  const speech = useSpeech();
  const isOnline = useOnline();
  const protocol = useProtocol();
  const status = useStatus();
  const now = useNow();
  const line = lineOf(speech, {
    isOnline,
    problem: protocol.error,
    isFailing: status.isError,
    status: status.data,
    now,
  });
  if (line === undefined) return null;
  return (
    <div className={`status-line ${line.tone}`} role="status">
      {line.text}
    </div>
  );
}

function lineOf(
  { t, clock, moment, when, count, span, locale }: Speech,
  {
    isOnline,
    problem,
    isFailing,
    status,
    now,
  }: { isOnline: boolean; problem: Error | null; isFailing: boolean; status: ProtocolStatus | undefined; now: Now },
): Line | undefined {
  if (problem instanceof ConnectError) return { tone: "bad", text: t.state.wrongDeployment };
  if (!isOnline) return { tone: "warn", text: t.state.offline };
  if (status === undefined) return isFailing ? { tone: "warn", text: t.state.nodeDownAtFirst } : undefined;
  if (isFailing) {
    const time = Number(status.block.timestamp);
    return { tone: "warn", text: t.state.nodeDown(now.time - time < 43_200 ? clock(time) : moment(time)) };
  }
  if (status.payments.blocked === "incident") return { tone: "bad", text: t.state.incident };
  if (status.deposits.blocked === "overdue") {
    const due = Number(status.oracle.lastReportTime + status.oracle.secondsPerFrame);
    return { tone: "warn", text: t.state.reportLate(when(due, now.time)) };
  }
  if (status.deposits.blocked === "paused") return { tone: "warn", text: t.state.depositsPaused };
  if (status.queue.paused) return { tone: "warn", text: t.state.requestsPaused };
  if (now.age !== undefined && now.age > STALE_SECONDS) {
    const age = locale === "de" ? `vor ${span(now.age)}` : `${span(now.age)} ago`;
    return { tone: "quiet", text: t.state.stale(count(now.block ?? 0), age) };
  }
  return undefined;
}

function useOnline(): boolean {
  const [isOnline, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const change = (): void => setOnline(navigator.onLine);
    window.addEventListener("online", change);
    window.addEventListener("offline", change);
    return () => {
      window.removeEventListener("online", change);
      window.removeEventListener("offline", change);
    };
  }, []);
  return isOnline;
}
