/** status, history, deploy verify: nothing is sent. */
import { aprSummary, readHistory, rewardsOf } from "../../chain/history.ts";
import type { Apr, RebaseEntry } from "../../chain/history.ts";
import { readAccount } from "../../chain/read/account.ts";
import { readProtocol } from "../../chain/read/protocol.ts";
import type { ProtocolStatus, Unrest } from "../../chain/read/protocol.ts";
import { readWithdrawals } from "../../chain/read/withdrawals.ts";
import { AppError, EXIT, messageOf } from "../../util/errors.ts";
import { dateOf, ether, percent, renderRows, renderTable, sparkline } from "../format.ts";
import { parseAddress } from "../session.ts";
import type { Session } from "../session.ts";

export async function protocolStatus(session: Session): Promise<void> {
  const [status, apr] = await Promise.all([readProtocol(session.protocol), recentApr(session)]);
  const { totals, pool, deposits, payments, oracle, queue, validators } = status;
  session.show({ ...status, apr }, () =>
    renderRows([
      ["block", `${status.block.number}, ${dateOf(status.block.timestamp)}`],
      ["staked", ether(totals.ether)],
      ["APR", apr.problem ?? aprText(apr.week)],
      ["rate", `${ether(status.rate / 10n ** 9n, "ETH")} a westETH`],
      ["buffer", `${ether(pool.buffer)}, ${ether(pool.promised)} of it promised`],
      [
        "at validators",
        `${ether(pool.etherAtValidators)}: ${validators.active} active, ${validators.queued} queued, ${validators.leaving} asked to leave or left`,
      ],
      ["on its way", `${ether(pool.leaving)}; ${ether(pool.exitDemand)} more are needed`],
      ["deposits", deposits.blocked ?? `open, ${ether(deposits.room)} until the next report`],
      ["payments", paymentsText(payments)],
      ["withdrawals", `${queue.lastRequestId - queue.lastFinalizedId} waiting for ${ether(queue.waitingEther)}`],
      [
        "last report",
        oracle.lastReportTime === 0n
          ? "none yet"
          : `slot ${oracle.lastRefSlot}, ${dateOf(oracle.lastReportTime)}${oracle.incident ? ", incident" : ""}`,
      ],
      ["committee", `${oracle.committee.quorum} of ${oracle.committee.members} sign`],
      ["fee", percent(pool.feeBp)],
    ]),
  );
}

/** Of the last week. Its log is the only thing here that a node may not have: without it the rest is shown. */
async function recentApr({
  protocol,
}: Session): Promise<{ readonly week?: Apr | undefined; readonly problem?: string }> {
  const WEEK_AND_MORE = 10 * 7_200; // blocks
  try {
    const latest = await protocol.provider.getBlockNumber();
    const fromBlock = Math.max(protocol.fromBlock, latest - WEEK_AND_MORE);
    const { week } = aprSummary((await readHistory(protocol, { fromBlock })).items);
    return { week };
  } catch (error) {
    return { problem: `unknown: ${messageOf(error)}` };
  }
}

function paymentsText({ blocked, unreportedSlashings }: ProtocolStatus["payments"]): string {
  const slashings = unreportedSlashings === 0 ? "" : `; slashings not yet reported: ${unreportedSlashings}`;
  return `${blocked === undefined ? "calm" : UNREST[blocked]}${slashings}`;
}

const UNREST: Readonly<Record<Unrest, string>> = {
  paused: "not calm: withdrawal requests are paused",
  overdue: "not calm: a report is overdue, or waits for signatures or for governance",
  new: "not calm: no report was applied yet",
  incident: "not calm: the last report forbids payments",
  slashings: "not calm: too many slashings wait to be reported",
};

export async function accountStatus(session: Session, text: string): Promise<void> {
  const address = await addressOf(session, text);
  const [account, withdrawals] = await Promise.all([
    readAccount(session.protocol, address),
    readWithdrawals(session.protocol, address),
  ]);
  const open = withdrawals.requests.filter(({ state }) => state === "waiting" || state === "claimable");
  session.show({ ...account, requests: open, claimable: withdrawals.claimable }, () => {
    const rows = renderRows([
      ["address", address],
      ["ETH", ether(account.ether)],
      ["estETH", ether(account.staked, "estETH")],
      ["westETH", `${ether(account.wrapped, "westETH")}, worth ${ether(account.wrappedValue)}`],
      ["claimable", ether(withdrawals.claimable)],
    ]);
    if (open.length === 0) return rows;
    const table = renderTable(
      ["request", "amount", "state", "expected"],
      open.map(({ id, amount, state, wait }) => [
        `${id}`,
        ether(amount),
        state,
        state === "claimable" ? "now" : dateOf(wait?.expected),
      ]),
    );
    return `${rows}\n${table}`;
  });
}

export async function history(session: Session, text: string | undefined, last: number): Promise<void> {
  if (!Number.isInteger(last) || last < 1) throw new AppError(EXIT.usage, "--last: a whole number above zero");
  const address = text === undefined ? undefined : await addressOf(session, text);
  const kept = await readHistory(session.protocol, {
    onProgress: (block, end) => session.io.err(`read to block ${block} of ${end}`),
  });
  const apr = aprSummary(kept.items);
  const shown = kept.items.slice(-last);
  const rewards = address === undefined ? undefined : await rewardsOf(session.protocol, address, kept);
  const rewardAt = new Map(rewards?.rewards.map(({ block, amount }) => [block, amount]));
  session.show({ apr, reports: shown, ...(rewards === undefined ? {} : { address, rewards }) }, () => {
    if (shown.length === 0) return "no report yet";
    const head = ["time", "westETH in ETH", "change", ...(rewards === undefined ? [] : ["reward"])];
    const rows = shown.map((entry) => [
      dateOf(entry.refTime ?? entry.timestamp),
      rateOf(entry, "after").toFixed(9),
      `${((rateOf(entry, "after") / rateOf(entry, "before") - 1) * 100).toFixed(5)}%`,
      ...(rewards === undefined ? [] : [ether(rewardAt.get(entry.block) ?? 0n)]),
    ]);
    return [
      renderTable(head, rows),
      `rate  ${sparkline(shown.map((entry) => rateOf(entry, "after")))}`,
      renderRows([
        ["APR, 7 days", aprText(apr.week)],
        ["APR, 30 days", aprText(apr.month)],
        ...(rewards === undefined ? [] : ([["rewards in all", ether(rewards.total)]] as const)),
      ]),
    ].join("\n");
  });
}

export async function verifyDeployment(session: Session): Promise<void> {
  const { protocol } = session;
  const { token, wrapped, pool, queue, operators, validators, oracle, withdrawalVault, rewardsVault } = protocol;
  const contracts = {
    token,
    wrapped,
    pool,
    queue,
    operators,
    validators,
    oracle,
    withdrawalVault,
    ...protocol.liquidity,
  };
  const addresses = Object.fromEntries(
    await Promise.all(Object.entries(contracts).map(async ([name, contract]) => [name, await contract.getAddress()])),
  ) as Record<string, string>;
  session.show({ chainId: protocol.chainId, ...addresses, rewardsVault, ok: true }, () =>
    renderRows([
      ["chain", `${protocol.chainId}`],
      ...Object.entries(addresses),
      ["rewardsVault", rewardsVault],
      ["wiring", "as it must be"],
    ]),
  );
}

/** What a command was given: me is the configured account. @throws AppError (usage) */
export async function addressOf(session: Session, text: string): Promise<string> {
  return text === "me" ? session.account() : parseAddress("address", text);
}

/** For charts and tables only. */
function rateOf(entry: RebaseEntry, when: "before" | "after"): number {
  const { ether: total, shares } = entry[when];
  return Number((total * 10n ** 9n * 10n ** 15n) / shares) / 1e15;
}

function aprText(apr: Apr | undefined): string {
  return apr === undefined
    ? "no report yet"
    : `${percent(apr.bp)} after fees, over ${(Number(apr.seconds) / 86_400).toFixed(1)} days`;
}
