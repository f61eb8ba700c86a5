/** operator status, operator exits: where its validators are, and what comes next. */
import { readOperator, readOperatorNames, readOperatorValidators } from "../../chain/read/operator.ts";
import type { Ejection, OperatorStatus, OperatorValidator } from "../../chain/read/operator.ts";
import { ValidatorReader } from "../../chain/validatorReader.ts";
import { AppError, EXIT } from "../../util/errors.ts";
import { dateOf, ether, renderRows, renderTable } from "../format.ts";
import { operatorId } from "../parse.ts";
import { whole } from "../session.ts";
import type { Session } from "../session.ts";

const STATUSES = ["predeposited", "queued", "dropped", "active", "exiting", "withdrawn"] as const;
/** All of an operator's. */
const EVERY = Number.MAX_SAFE_INTEGER;

export interface PageOptions {
  readonly status?: string;
  readonly offset: string;
  readonly limit: string;
}

export async function showOperator(session: Session, text: string, options: PageOptions): Promise<void> {
  const { protocol } = session;
  const id = operatorId(text);
  const status = STATUSES.find((one) => one === options.status);
  if (options.status !== undefined && status === undefined)
    throw new AppError(EXIT.usage, `--status: one of ${STATUSES.join(", ")}, not ${options.status}`);
  const reader = new ValidatorReader(protocol.validators, protocol.provider, protocol.fromBlock);
  const [operator, names, page] = await Promise.all([
    readOperator(protocol, id),
    readOperatorNames(protocol, [id]),
    readOperatorValidators(protocol, reader, id, {
      ...(status === undefined ? {} : { status }),
      offset: whole("--offset", options.offset),
      limit: whole("--limit", options.limit),
    }),
  ]);
  const { bond, rewards, ejection } = operator;
  const name = names.get(id);
  session.show({ ...operator, name, validators: page }, () => {
    const rows = renderRows([
      [
        "operator",
        `${id}, ${name === undefined ? "" : `${name}, `}tier ${operator.tier}${operator.frozen ? ", FROZEN" : ""}`,
      ],
      ["owner", operator.owner],
      ["bond", `${ether(bond.held)} held, ${ether(bond.required)} required, ${ether(bond.freeValue)} free`],
      ["debt", ether(operator.debt)],
      ["rewards", ether(rewards.value)],
      ...(ejection === undefined ? [] : ([["validators", ejectionText(ejection)]] as const)),
      ["validators", `${page.total}`],
    ]);
    return page.items.length === 0 ? rows : `${rows}\n${tableOf(operator, page.items)}`;
  });
}

/** Those that leave, were asked to, or may be made to. */
export async function showExits(session: Session, text: string): Promise<void> {
  const { protocol } = session;
  const id = operatorId(text);
  const reader = new ValidatorReader(protocol.validators, protocol.provider, protocol.fromBlock);
  const [operator, all] = await Promise.all([
    readOperator(protocol, id),
    readOperatorValidators(protocol, reader, id, { limit: EVERY }),
  ]);
  const { ejection } = operator;
  const items = all.items.filter(
    ({ status, exitRequestedAt }) =>
      status === "exiting" || exitRequestedAt !== undefined || (status === "active" && ejection !== undefined),
  );
  session.show({ ejection, validators: items }, () => {
    const head = ejection === undefined ? [] : [ejectionText(ejection)];
    if (items.length === 0) return [...head, "no validator leaves, none was asked to"].join("\n");
    return [...head, tableOf(operator, items)].join("\n");
  });
}

function tableOf(operator: OperatorStatus, items: readonly OperatorValidator[]): string {
  return renderTable(
    ["key", "index", "status", "next"],
    items.map((item) => [
      `${item.pubkey.slice(0, 14)}…`,
      `${item.validatorIndex ?? "-"}`,
      `${item.status}${item.slashed ? ", slashed" : ""}${item.exitRequestedAt === undefined ? "" : ", asked to exit"}`,
      nextStep(item, operator),
    ]),
  );
}

/** Why, and from when on. */
function ejectionText({ cause, from }: Ejection): string {
  return cause === "debt"
    ? "made to exit because the operator has a debt: add bond to repay it"
    : `may be made to exit when ether is needed because the operator is frozen; from ${dateOf(from)} on in any case`;
}

/** What an operator should do or expect, in a few words. */
function nextStep(item: OperatorValidator, { id, ejection }: OperatorStatus): string {
  const { status, funding, exitRequestedAt, withdrawableEpoch } = item;
  switch (status) {
    case "predeposited":
      return `proven in some hours, by the keeper or operator prove ${id}`;
    case "queued":
      return funding === undefined ? "its tier is full" : `${funding.position} ahead, ${dateOf(funding.expected)}`;
    case "dropped":
      return `operator requeue ${id}`;
    case "active":
      if (exitRequestedAt !== undefined) return `asked ${dateOf(exitRequestedAt)}; keep it running until it has left`;
      return ejection === undefined ? "" : `made to exit: ${ejection.cause === "debt" ? "debt" : "frozen operator"}`;
    case "exiting":
      return withdrawableEpoch === undefined
        ? "keep it running until it has left"
        : `keep it running until its exit; withdrawable in epoch ${withdrawableEpoch}`;
    case "withdrawn":
      return "";
  }
}
