/** stake, unstake, claim, wrap, unwrap. */
import type { Command } from "commander";
import { readAccount } from "../../chain/read/account.ts";
import { readWithdrawals } from "../../chain/read/withdrawals.ts";
import { approvalFor, stake, stakeAndWrap, unwrap, wrap } from "../../chain/write/stake.ts";
import { MOST_CLAIMS, claim, requestWithdrawals, requestWrappedWithdrawals } from "../../chain/write/withdraw.ts";
import { wei } from "../../protocol/units.ts";
import type { Wei } from "../../protocol/units.ts";
import { AppError, EXIT } from "../../util/errors.ts";
import { ether } from "../io.ts";
import { act, parseAddress, parseAmount } from "../session.ts";
import type { Session } from "../session.ts";

type Run = (handle: (session: Session) => Promise<void>) => Promise<void>;

export function stakerCommands(program: Command, run: Run): void {
  program
    .command("stake")
    .description("stake ETH for estETH")
    .argument("<amount>", "ETH")
    .option("--wrapped", "get westETH")
    .option("--receiver <address>", "who gets it (default: you)")
    .addHelpText("after", "\nExample: estuary stake 1.5 --dry-run")
    .action((text: string, options: { wrapped?: boolean; receiver?: string }) =>
      run(async (session) => {
        const amount = positive(text);
        const receiver = receiverOf(options);
        const context = await session.context();
        const to = receiver === undefined ? {} : { receiver };
        if (options.wrapped === true)
          await act(session, await stakeAndWrap(context, amount, to), ({ wrapped }) => [
            ["got", ether(wrapped, "westETH")],
          ]);
        else
          await act(session, await stake(context, amount, to), (staked) => [["got", ether(staked.amount, "estETH")]]);
      }),
    );
  program
    .command("unstake")
    .description("request a withdrawal: ETH, once the request is finalised and claimed")
    .argument("<amount>", "estETH, or all")
    .option("--wrapped", "the amount is westETH")
    .addHelpText("after", "\nExample: estuary unstake all")
    .action((text: string, options: { wrapped?: boolean }) =>
      run(async (session) => {
        const context = await session.context();
        const held = await readAccount(session.protocol, await context.signer.getAddress());
        const prepared =
          options.wrapped === true
            ? await requestWrappedWithdrawals(context, partOf(held.wrapped, "westETH", text))
            : await requestWithdrawals(context, partOf(held.staked, "estETH", text));
        await act(session, prepared, ({ ids }) => [["requests", ids.join(", ")]]);
      }),
    );
  program
    .command("claim")
    .description("claim withdrawals that are finalised")
    .argument("[ids...]", "requests (default: all that are claimable)")
    .option("--receiver <address>", "who gets the ETH (default: you)")
    .action((texts: string[], options: { receiver?: string }) =>
      run(async (session) => {
        const receiver = receiverOf(options);
        const context = await session.context();
        const ids =
          texts.length > 0 ? texts.map(requestId) : await claimable(session, await context.signer.getAddress());
        if (ids.length === 0) {
          session.show({ claimed: [] }, () => "nothing is claimable");
          return;
        }
        const prepared = await claim(context, ids.slice(0, MOST_CLAIMS), receiver);
        await act(session, prepared, ({ amount }) => [["got", ether(amount)]]);
        if (ids.length > MOST_CLAIMS) session.io.err(`${ids.length - MOST_CLAIMS} more are claimable: run it again`);
      }),
    );
  program
    .command("wrap")
    .description("estETH into westETH")
    .argument("<amount>", "estETH, or all")
    .action((text: string) =>
      run(async (session) => {
        const context = await session.context();
        const held = await readAccount(session.protocol, await context.signer.getAddress());
        const amount = partOf(held.staked, "estETH", text);
        const approval = await approvalFor(context, "estETH", session.protocol.wrapped, amount);
        if (approval !== undefined) {
          if (session.options.dryRun === true) {
            session.show({ dryRun: true, action: approval.label, next: "wrap" }, () => `first: ${approval.label}`);
            return;
          }
          if (session.options.json === true) session.io.err(approval.label);
          await act(quietly(session), approval, () => []);
        }
        await act(session, await wrap(context, amount), ({ wrapped }) => [["got", ether(wrapped, "westETH")]]);
      }),
    );
  program
    .command("unwrap")
    .description("westETH into estETH")
    .argument("<amount>", "westETH, or all")
    .action((text: string) =>
      run(async (session) => {
        const context = await session.context();
        const held = await readAccount(session.protocol, await context.signer.getAddress());
        const amount = partOf(held.wrapped, "westETH", text);
        await act(session, await unwrap(context, amount), () => []);
      }),
    );
}

async function claimable(session: Session, owner: string): Promise<bigint[]> {
  const { requests } = await readWithdrawals(session.protocol, owner);
  return requests.filter(({ state }) => state === "claimable").map(({ id }) => id);
}

/** What comes before the result goes to stderr: stdout has one object. */
function quietly(session: Session): Session {
  const { io } = session;
  return { ...session, show: (_, text) => io.err(text()) };
}

function positive(text: string): Wei {
  const amount = parseAmount("amount", text);
  if (amount === 0n) throw new AppError(EXIT.usage, "amount: more than nothing");
  return wei(amount);
}

/** Of what is held, before anything is sent. @throws AppError: usage for what is no amount, failure where it is more */
function partOf(held: Wei, unit: "estETH" | "westETH", text: string): Wei {
  const amount = text === "all" ? held : positive(text);
  if (held === 0n) throw new AppError(EXIT.failure, `you have no ${unit}`);
  if (amount > held)
    throw new AppError(EXIT.failure, `you have ${ether(held, unit)}, less than ${ether(amount, unit)}`);
  return amount;
}

function receiverOf({ receiver }: { readonly receiver?: string }): string | undefined {
  return receiver === undefined ? undefined : parseAddress("--receiver", receiver);
}

function requestId(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw new AppError(EXIT.usage, `a request is a number, not ${text}`);
  return BigInt(text);
}
