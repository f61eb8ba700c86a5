/** status, history, deploy verify. What they do is loaded when it is used. */
import type { Command } from "commander";
import type { Run } from "../program.ts";

export function statusCommands(program: Command, run: Run): void {
  const actions = () => import("../actions/status.ts");
  program
    .command("status")
    .description("the protocol, or what an address holds and waits for")
    .argument("[address]", "an address; me for the configured account")
    .addHelpText("after", "\nExamples:\n  estuary status\n  estuary status me --json")
    .action((address?: string) =>
      run(lookingAt(address), async (session) => {
        const { accountStatus, protocolStatus } = await actions();
        await (address === undefined ? protocolStatus(session) : accountStatus(session, address));
      }),
    );
  program
    .command("history")
    .description("the reports: rate and APR over time, and what they brought an address")
    .argument("[address]", "whose rewards; me for the configured account")
    .option("--last <count>", "so many reports", "30")
    .action((address: string | undefined, { last }: { last: string }) =>
      run(lookingAt(address), async (session) => (await actions()).history(session, address, Number(last))),
    );
  program
    .command("deploy")
    .description("deployments")
    .command("verify")
    .description("check that the addresses file, the node and the contracts fit together")
    .action(() => run({}, async (session) => (await actions()).verifyDeployment(session)));
}

function lookingAt(address: string | undefined) {
  return address === "me" ? ({ account: "address" } as const) : {};
}
