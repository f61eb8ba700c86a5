/** leave, pool ...: what they do is loaded when it is used, so that help comes at once. */
import type { Command } from "commander";
import type { EnterOptions, ExitOptions, ProvideOptions } from "../actions/pool.ts";
import type { LeaveOptions } from "../actions/leave.ts";
import type { Run } from "../program.ts";

const SIGNER = { account: "signer" } as const;

export function liquidityCommands(program: Command, run: Run): void {
  leaveCommand(program, run);
  const pool = program.command("pool").description("the EtherPool: lend to those who leave at once");
  const actions = () => import("../actions/pool.ts");
  pool
    .command("status")
    .description(
      "its ether, fee and LP, what can be sold within a fee, and how long the queue takes; or also your part",
    )
    .argument("[address]", "whose LP; me for the configured account")
    .option("--max-fee <percent>", MAX_FEE_ABOUT)
    .addHelpText("after", "\nExamples:\n  estuary pool status\n  estuary pool status me --json")
    .action((address: string | undefined, options: { maxFee?: string }) =>
      run(address === "me" ? { account: "address" } : {}, async (session) =>
        (await actions()).poolStatus(session, address, options),
      ),
    );
  timed(pool.command("provide"))
    .description("lend ETH: a part is staked for it, and both enter the EtherPool")
    .argument("<amount>", "ETH")
    .option("--max-fee <percent>", "refuse while the next wei costs sellers more on top (default: 0.3)")
    .option("--receiver <address>", "who gets the LP (default: you)")
    .addHelpText("after", "\nExample: estuary pool provide 10 --dry-run")
    .action((amount: string, options: ProvideOptions) =>
      run(SIGNER, async (session) => (await actions()).provideEther(session, amount, options)),
    );
  pool
    .command("enter")
    .description("lend ETH and estETH of your own, as much of both as the LP cost")
    .argument("<lp>", "LP")
    .option("--receiver <address>", "who gets the LP (default: you)")
    .addHelpText("after", "\nExample: estuary pool enter 10 --dry-run")
    .action((lp: string, options: EnterOptions) =>
      run(SIGNER, async (session) => (await actions()).enterPool(session, lp, options)),
    );
  timed(leaving(pool.command("exit")))
    .description("take back your part of both assets; with --to-ether, leave with the estETH as well")
    .argument("<lp>", "LP, or all")
    .option("--to-ether", "ETH at once as far as the fee reaches, and a withdrawal request for the rest")
    .addHelpText("after", "\nExample: estuary pool exit all --to-ether --dry-run")
    .action((lp: string, options: ExitOptions) =>
      run(SIGNER, async (session) => (await actions()).exitPool(session, lp, options)),
    );
}

function leaveCommand(program: Command, run: Run): void {
  timed(leaving(program.command("leave")))
    .description("ETH at once as far as the fee reaches, and a withdrawal request for the rest")
    .argument("<amount>", "estETH, or all")
    .option("--wrapped", "the amount is westETH")
    .addHelpText("after", "\nExamples:\n  estuary leave 10 --dry-run\n  estuary leave all --max-fee 0.1 --min-ether 5")
    .action((amount: string, options: LeaveOptions) =>
      run(SIGNER, async (session) => (await import("../actions/leave.ts")).leaveAtOnce(session, amount, options)),
    );
}

const MAX_FEE_ABOUT = "of the last wei that is sold, on top of what is paid; the average is lower (default: 0.3)";

function leaving(command: Command): Command {
  return command
    .option("--max-fee <percent>", MAX_FEE_ABOUT)
    .option("--min-ether <ETH>", "refuse where less comes at once")
    .option("--permit", "sign a permit in place of an approval: one transaction")
    .option("--receiver <address>", "who gets the ETH and the request (default: you)");
}

function timed(command: Command): Command {
  return command.option("--minutes <count>", "valid for so long after the newest block (default: 20)");
}
