/** What `estuary init` asks a person, of what was not given already. Secrets are not asked for: files hold them. */
import { existsSync } from "node:fs";
import { address, httpUrl, list } from "../../util/config.ts";
import { AppError, EXIT } from "../../util/errors.ts";
import type { Prompts } from "../io.ts";
import { LOCAL_NODE } from "../networks.ts";

/** Settings by the variables' names. */
export type Answers = Record<string, string | undefined>;

type Check = (answer: string) => string | undefined;

/** @throws AppError (refused) where a question is left unanswered */
export async function askFor(prompts: Prompts, given: Answers): Promise<Answers> {
  const answers: Answers = { ...given };
  const ask = async (variable: string, question: string, check: Check, initial?: string): Promise<void> => {
    if (answers[variable] !== undefined) return;
    const answer = answered(await prompts.text(question, { check, initial }));
    if (answer !== "") answers[variable] = answer;
  };
  answers["ESTUARY_NETWORK"] ??= answered(
    await prompts.choose("Network", [
      { value: "mainnet", label: "mainnet" },
      { value: "hoodi", label: "hoodi" },
      { value: "sepolia", label: "sepolia" },
      { value: "local", label: "local: npm run dev, npm run devnet" },
    ]),
  );
  await ask(
    "ESTUARY_EXECUTION_URLS",
    "JSON-RPC of execution nodes, separated by commas",
    valid(list(httpUrl)),
    LOCAL_NODE,
  );
  await ask(
    "ESTUARY_BEACON_URLS",
    "Beacon API of consensus nodes, for operators and daemons (empty: none)",
    orEmpty(valid(list(httpUrl))),
  );
  await ask("ESTUARY_DEPLOYMENT", "Addresses file (empty: deployments/<chain id>.json)", orEmpty(file));
  if (ACCOUNTS.every((variable) => answers[variable] === undefined)) {
    const kind = answered(
      await prompts.choose("Account", [
        { value: "keystore", label: "an encrypted keystore, whose password is asked for" },
        { value: "key", label: "a private key in a file" },
        { value: "signer", label: "an external signer: Clef, web3signer, a wallet with a Ledger" },
        { value: "address", label: "an address to look at, nothing is sent" },
        { value: "none", label: "none" },
      ]),
    );
    if (kind === "keystore") await ask("ESTUARY_KEYSTORE", "Keystore file", file);
    if (kind === "key") await ask("ESTUARY_PRIVATE_KEY_FILE", "File that holds the private key", file);
    if (kind === "signer") await ask("ESTUARY_SIGNER_URL", "JSON-RPC of the external signer", valid(httpUrl));
    if (kind === "address") await ask("ESTUARY_ACCOUNT", "Address", valid(address));
  }
  if (answers["ESTUARY_SIGNER_URL"] !== undefined)
    await ask("ESTUARY_SIGNER_ADDRESS", "Account of the external signer", valid(address));
  return answers;
}

const ACCOUNTS = ["ESTUARY_KEYSTORE", "ESTUARY_PRIVATE_KEY_FILE", "ESTUARY_SIGNER_URL", "ESTUARY_ACCOUNT"];

function answered(answer: string | undefined): string {
  if (answer === undefined) throw new AppError(EXIT.refused, "stopped: nothing was written");
  return answer.trim();
}

function valid(parse: (text: string) => unknown): Check {
  return (answer) => {
    try {
      parse(answer.trim());
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
}

function orEmpty(check: Check): Check {
  return (answer) => (answer.trim() === "" ? undefined : check(answer));
}

function file(answer: string): string | undefined {
  return existsSync(answer.trim()) ? undefined : "there is no such file";
}
