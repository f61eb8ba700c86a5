/** stake, unstake, claim, wrap, unwrap. What they do is loaded when it is used, so that help comes at once. */
import type { Command } from "commander";
import type { ReceiverOption, WrappedOption } from "../actions/staker.ts";
import type { Run } from "../program.ts";

export function stakerCommands(program: Command, run: Run): void {
  const actions = () => import("../actions/staker.ts");
  program
    .command("stake")
    .description("stake ETH for estETH")
    .argument("<amount>", "ETH")
    .option("--wrapped", "get westETH")
    .option("--receiver <address>", "who gets it (default: you)")
    .addHelpText("after", "\nExample: estuary stake 1.5 --dry-run")
    .action((amount: string, options: ReceiverOption & WrappedOption) =>
      run(SIGNER, async (session) => (await actions()).stakeEther(session, amount, options)),
    );
  program
    .command("unstake")
    .description("request a withdrawal: ETH, once the request is finalised and claimed")
    .argument("<amount>", "estETH, or all")
    .option("--wrapped", "the amount is westETH")
    .addHelpText("after", "\nExample: estuary unstake all")
    .action((amount: string, options: WrappedOption) =>
      run(SIGNER, async (session) => (await actions()).unstake(session, amount, options)),
    );
  program
    .command("claim")
    .description("claim withdrawals that are finalised")
    .argument("[ids...]", "requests (default: all that are claimable)")
    .option("--receiver <address>", "who gets the ETH (default: you)")
    .action((ids: string[], options: ReceiverOption) =>
      run(SIGNER, async (session) => (await actions()).claimWithdrawals(session, ids, options)),
    );
  program
    .command("wrap")
    .description("estETH into westETH")
    .argument("<amount>", "estETH, or all")
    .action((amount: string) => run(SIGNER, async (session) => (await actions()).wrapStaked(session, amount)));
  program
    .command("unwrap")
    .description("westETH into estETH")
    .argument("<amount>", "westETH, or all")
    .action((amount: string) => run(SIGNER, async (session) => (await actions()).unwrapStaked(session, amount)));
}

const SIGNER = { account: "signer" } as const;
