/** operator ...: what needs the consensus layer's types is loaded when it is used, so that other commands start at once. */
import type { Command } from "commander";
import { addBond, claimRewards, compoundRewards, fundOwn, join, withdrawBond } from "../../chain/write/operator.ts";
import { shares, wei } from "../../protocol/units.ts";
import { AppError, EXIT } from "../../util/errors.ts";
import type { Hex } from "../../util/hex.ts";
import { ether } from "../io.ts";
import { act, parseAddress, parseAmount, whole } from "../session.ts";
import type { KeysOptions } from "../keyFiles.ts";
import type { Session } from "../session.ts";
import { moveKeys } from "./operatorKeys.ts";
import { showExits, showOperator } from "./operatorStatus.ts";
import type { PageOptions } from "./operatorStatus.ts";

type Run = (handle: (session: Session) => Promise<void>) => Promise<void>;

export function operatorCommands(program: Command, run: Run): void {
  const operator = program.command("operator").description("run validators");
  operator
    .command("keys")
    .description("derive validator keys: keystores, and 1-ETH deposit data for this protocol")
    .requiredOption("--count <count>", "how many")
    .option("--first <index>", "index of the first", "0")
    .option("--folder <path>", "where the files go", "validator_keys")
    .option("--network <name>", "the deposits' network: mainnet, hoodi, sepolia, or a genesis fork version", "mainnet")
    .option("--kdf <name>", "scrypt or pbkdf2", "scrypt")
    .addHelpText(
      "after",
      "\nESTUARY_KEYS_PASSWORD(_FILE) encrypts the keystores. ESTUARY_MNEMONIC(_FILE) has the words; without them, new ones are written to stderr once.",
    )
    .action((options: KeysOptions) =>
      run(async (session) => {
        const { makeKeys } = await import("../keyFiles.ts");
        await makeKeys(session, options);
      }),
    );
  operator
    .command("predeposit")
    .description("check a file of deposit data and send its keys to the registry, 1 ETH each")
    .argument("<operator>", "its id")
    .argument("<file>", "deposit_data-*.json")
    .option("--network <name>", "the network that the deposits are for", "mainnet")
    .addHelpText("after", "\nExample: estuary operator predeposit 7 validator_keys/deposit_data-*.json --dry-run")
    .action((id: string, file: string, options: { network: string }) =>
      run(async (session) => {
        const { sendKeys } = await import("../keyFiles.ts");
        await sendKeys(session, operatorId(id), file, options.network);
      }),
    );
  operator
    .command("prove")
    .description("prove its predeposited keys as soon as the beacon chain has them; the keeper does it too")
    .argument("<operator>", "its id")
    .addHelpText("after", "\nExample: estuary operator prove 7 --beacon http://127.0.0.1:5052 --dry-run")
    .action((id: string) =>
      run(async (session) => {
        const { proveKeys } = await import("../proving.ts");
        await proveKeys(session, operatorId(id));
      }),
    );
  operator
    .command("status")
    .description("bond, rewards and validators of an operator")
    .argument("<operator>", "its id")
    .option("--status <status>", "only validators in this status")
    .option("--offset <count>", "validators to skip", "0")
    .option("--limit <count>", "validators to show", "50")
    .action((id: string, options: PageOptions) => run((session) => showOperator(session, operatorId(id), options)));
  operator
    .command("exits")
    .description("its validators that were asked to exit, that leave, or that may be made to; and what is next")
    .argument("<operator>", "its id")
    .action((id: string) => run((session) => showExits(session, operatorId(id))));
  operator
    .command("requeue")
    .description("put its dropped keys back at the end of their queue; owner or manager")
    .argument("<operator>", "its id")
    .argument("[pubkeys...]", "48 bytes each (default: all that were dropped)")
    .action((id: string, pubkeys: string[]) =>
      run((session) => moveKeys(session, "requeue", operatorId(id), pubkeys.map(publicKey))),
    );
  operator
    .command("drop")
    .description("drop queued keys of an operator that is frozen, in debt, or short of bond after a penalty; anyone")
    .argument("<operator>", "its id")
    .argument("[pubkeys...]", "48 bytes each (default: all that are queued)")
    .action((id: string, pubkeys: string[]) =>
      run((session) => moveKeys(session, "drop", operatorId(id), pubkeys.map(publicKey))),
    );
  operator
    .command("join")
    .description("become an operator of an open tier")
    .argument("<tier>", "its id")
    .argument("<name>", "a name")
    .option("--reward-address <address>", "who may claim rewards (default: you)")
    .action((tier: string, name: string, options: { rewardAddress?: string }) =>
      run(async (session) => {
        if (name.trim() === "") throw new AppError(EXIT.usage, "name: is empty");
        const given =
          options.rewardAddress === undefined ? undefined : parseAddress("--reward-address", options.rewardAddress);
        const context = await session.context();
        const rewardAddress = given ?? (await context.signer.getAddress());
        await act(session, await join(context, operatorId(tier), rewardAddress, name), (made) => [
          ["operator", `${made.operatorId}`],
        ]);
      }),
    );
  operator
    .command("claim")
    .description("claim the operator's rewards")
    .argument("<operator>", "its id")
    .option("--wrapped", "as westETH")
    .option("--compound", "into the bond")
    .action((id: string, options: { wrapped?: boolean; compound?: boolean }) =>
      run(async (session) => {
        const context = await session.context();
        const prepared =
          options.compound === true
            ? await compoundRewards(context, operatorId(id))
            : await claimRewards(context, operatorId(id), options.wrapped === true ? "westETH" : "estETH");
        await act(session, prepared, (change) => [["shares", `${change.shares}`]]);
      }),
    );
  operator
    .command("bond")
    .description("add to the bond, or withdraw what is free")
    .argument("<add|withdraw>", "what")
    .argument("<operator>", "its id")
    .argument("<amount>", "ETH; of a withdrawal, the worth in estETH")
    .action((what: string, id: string, text: string) =>
      run((session) => changeBond(session, what, operatorId(id), text)),
    );
  operator
    .command("fund-own")
    .description("fund a queued key of yours out of turn, with 31 ETH for estETH")
    .argument("<pubkey>", "48 bytes")
    .action((pubkey: string) =>
      run(async (session) => {
        const key = publicKey(pubkey);
        await act(session, await fundOwn(await session.context(), key), () => []);
      }),
    );
}

async function changeBond(session: Session, what: string, id: bigint, text: string): Promise<void> {
  const amount = wei(parseAmount("amount", text));
  const context = await session.context();
  if (what === "add") {
    await act(session, await addBond(context, id, amount), () => [["added", ether(amount)]]);
  } else if (what === "withdraw") {
    const part = await session.protocol.token.getSharesByPooledEth(amount);
    await act(session, await withdrawBond(context, id, shares(part)), (change) => [["shares", `${change.shares}`]]);
  } else {
    throw new AppError(EXIT.usage, `add or withdraw, not ${what}`);
  }
}

function operatorId(text: string): bigint {
  return BigInt(whole("id", text));
}

function publicKey(text: string): Hex {
  if (!/^0x[0-9a-f]{96}$/i.test(text)) throw new AppError(EXIT.usage, "a public key is 0x and 96 hexadecimal digits");
  return text.toLowerCase() as Hex;
}
