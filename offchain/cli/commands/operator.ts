/** operator ...: what they do is loaded when it is used, so that help comes at once. */
import type { Command } from "commander";
import type { KeysOptions } from "../actions/keyFiles.ts";
import type { PageOptions } from "../actions/operatorStatus.ts";
import type { ExitOptions } from "../actions/exit.ts";
import type { Io } from "../io.ts";
import type { GlobalOptions } from "../options.ts";
import type { Run } from "../program.ts";

const SIGNER = { account: "signer" } as const;

export function operatorCommands(program: Command, io: Io, run: Run): void {
  const operator = program.command("operator").description("run validators");
  keyCommands(operator, run);
  statusCommands(operator, run);
  exitCommand(program, operator, io);
  const actions = () => import("../actions/operator.ts");
  operator
    .command("join")
    .description("become an operator of an open tier")
    .argument("<tier>", "its id")
    .argument("<name>", "a name")
    .option("--reward-address <address>", "who may claim rewards (default: you)")
    .action((tier: string, name: string, options: { rewardAddress?: string }) =>
      run(SIGNER, async (session) => (await actions()).joinTier(session, tier, name, options)),
    );
  operator
    .command("claim")
    .description("claim the operator's rewards")
    .argument("<operator>", "its id")
    .option("--wrapped", "as westETH")
    .option("--compound", "into the bond")
    .action((id: string, options: { wrapped?: boolean; compound?: boolean }) =>
      run(SIGNER, async (session) => (await actions()).claimOperatorRewards(session, id, options)),
    );
  operator
    .command("bond")
    .description("add to the bond, or withdraw what is free")
    .argument("<add|withdraw>", "what")
    .argument("<operator>", "its id")
    .argument("<amount>", "ETH; of a withdrawal, the worth in estETH")
    .action((what: string, id: string, amount: string) =>
      run(SIGNER, async (session) => (await actions()).changeBond(session, what, id, amount)),
    );
}

function keyCommands(operator: Command, run: Run): void {
  const files = () => import("../actions/keyFiles.ts");
  operator
    .command("keys")
    .description("derive validator keys: keystores, and 1-ETH deposit data for this protocol")
    .requiredOption("--count <count>", "how many")
    .option("--first <index>", "index of the first", "0")
    .option("--folder <path>", "where the files go", "validator_keys")
    .option("--network <name>", NETWORK_ABOUT)
    .option("--kdf <name>", "scrypt or pbkdf2", "scrypt")
    .addHelpText(
      "after",
      "\nESTUARY_KEYS_PASSWORD(_FILE) encrypts the keystores. ESTUARY_MNEMONIC(_FILE) has the words; without them, new ones are written to stderr once.",
    )
    .action((options: KeysOptions) => run({}, async (session) => (await files()).makeKeys(session, options)));
  operator
    .command("predeposit")
    .description("check a file of deposit data and send its keys to the registry, 1 ETH each")
    .argument("<operator>", "its id")
    .argument("<file>", "deposit_data-*.json")
    .option("--network <name>", NETWORK_ABOUT)
    .addHelpText("after", "\nExample: estuary operator predeposit 7 validator_keys/deposit_data-*.json --dry-run")
    .action((id: string, file: string, options: { network?: string }) =>
      run(SIGNER, async (session) => (await files()).sendKeys(session, id, file, options)),
    );
  operator
    .command("prove")
    .description("prove its predeposited keys as soon as the beacon chain has them; the keeper does it too")
    .argument("<operator>", "its id")
    .addHelpText("after", "\nExample: estuary operator prove 7 --beacon http://127.0.0.1:5052 --dry-run")
    .action((id: string) =>
      run({ ...SIGNER, beacon: true }, async (session) =>
        (await import("../actions/proving.ts")).proveKeys(session, id),
      ),
    );
  const moves = () => import("../actions/operatorKeys.ts");
  operator
    .command("requeue")
    .description("put its dropped keys back at the end of their queue; owner or manager")
    .argument("<operator>", "its id")
    .argument("[pubkeys...]", "48 bytes each (default: all that were dropped)")
    .action((id: string, pubkeys: string[]) =>
      run(SIGNER, async (session) => (await moves()).moveKeys(session, "requeue", id, pubkeys)),
    );
  operator
    .command("drop")
    .description("drop queued keys of an operator that is frozen, in debt, or short of bond after a penalty; anyone")
    .argument("<operator>", "its id")
    .argument("[pubkeys...]", "48 bytes each (default: all that are queued)")
    .action((id: string, pubkeys: string[]) =>
      run(SIGNER, async (session) => (await moves()).moveKeys(session, "drop", id, pubkeys)),
    );
  operator
    .command("fund-own")
    .description("fund a queued key of yours out of turn, with 31 ETH for estETH")
    .argument("<pubkey>", "48 bytes")
    .action((pubkey: string) =>
      run(SIGNER, async (session) => (await import("../actions/operator.ts")).fundOwnKey(session, pubkey)),
    );
}

const NETWORK_ABOUT =
  "the deposits' network: mainnet, hoodi, sepolia, local, or a genesis fork version (ESTUARY_NETWORK; default: mainnet)";

function statusCommands(operator: Command, run: Run): void {
  const actions = () => import("../actions/operatorStatus.ts");
  operator
    .command("status")
    .description("bond, rewards and validators of an operator")
    .argument("<operator>", "its id")
    .option("--status <status>", "only validators in this status")
    .option("--offset <count>", "validators to skip", "0")
    .option("--limit <count>", "validators to show", "50")
    .action((id: string, options: PageOptions) =>
      run({}, async (session) => (await actions()).showOperator(session, id, options)),
    );
  operator
    .command("exits")
    .description("its validators that were asked to exit, that leave, or that may be made to; and what is next")
    .argument("<operator>", "its id")
    .action((id: string) => run({}, async (session) => (await actions()).showExits(session, id)));
}

function exitCommand(program: Command, operator: Command, io: Io): void {
  operator
    .command("exit")
    .description(
      "sign a voluntary exit of a validator (EIP-7044) and hand it to a consensus node, or write it to a file",
    )
    .argument("<pubkey>", "48 bytes")
    .option("--keystore <file>", "the validator's keystore (EIP-2335); without it, ESTUARY_MNEMONIC(_FILE)")
    .option("--in <file>", "an exit that is signed already")
    .option("--out <file>", "write the signed exit, send nothing")
    .option("--epoch <epoch>", "from when on it may be carried out (default: the present one; 0 without a node)")
    .option("--validator-index <index>", "needed without a consensus node")
    .option("--network <name>", "without a consensus node: mainnet, hoodi or sepolia (ESTUARY_NETWORK)")
    .option("--genesis-validators-root <root>", "without a consensus node, of another network")
    .option("--capella-fork-version <version>", "the same")
    .addHelpText("after", EXIT_HELP)
    .action(async (pubkey: string, options: ExitOptions) => {
      const { exitValidator } = await import("../actions/exit.ts");
      await exitValidator(io, program.opts<GlobalOptions>(), pubkey, options);
    });
}

const EXIT_HELP = `
The exit is for ever, and so is the file: whoever has it can make the validator leave. ESTUARY_KEYS_PASSWORD(_FILE) opens the keystore; on a terminal it is asked for.

Others can have it leave, too: the registry asks for exits on chain (EIP-7002) when stakers want their ether, in the order of estuary operator exits, and out of turn for a debt, a slashing, or a balance below 31 ETH (docs/operators.md).

Examples:
  estuary operator exit 0x... --keystore validator_keys/keystore-m_12381_3600_0_0_0-1.json --dry-run
  estuary operator exit 0x... --keystore key.json --validator-index 1234 --network hoodi --out exit.json
  estuary operator exit 0x... --in exit.json --beacon http://127.0.0.1:5052`;
