/** Everything that can be wrong with a file of deposit data, and the command line's sentences for it. */
import type { Hex } from "../util/hex.ts";
import { networkOfFork } from "./networks.ts";
import { PREDEPOSIT_GWEI } from "./depositRoots.ts";
import type { Secret } from "./secrets.ts";

/** Of the file as a whole. */
export type FileProblem =
  | { readonly kind: "not-json" | "not-a-list" | "empty" }
  /** It is not deposit data, and should not have been given to anybody. */
  | { readonly kind: "secret"; readonly secret: Secret };

/** Of one deposit. */
export type EntryProblem =
  /** @param field its name, or "entry" for all of it */
  | { readonly kind: "field"; readonly field: string; readonly message: string }
  | { readonly kind: "twice"; readonly pubkey: Hex; readonly before: number }
  | { readonly kind: "in-use"; readonly pubkey: Hex }
  /** `owner` where they are of an address, `isBls` where of a key. */
  | {
      readonly kind: "credentials";
      readonly found: Hex;
      readonly ours: Hex;
      readonly isBls: boolean;
      readonly owner: Hex | undefined;
    }
  | { readonly kind: "amount"; readonly gwei: bigint }
  /** Genesis fork versions. */
  | { readonly kind: "network"; readonly found: Hex; readonly ours: Hex }
  | { readonly kind: "network-name"; readonly found: string; readonly ours: Hex }
  | { readonly kind: "root"; readonly field: "deposit_message_root" | "deposit_data_root" }
  | { readonly kind: "signature"; readonly ours: Hex };

/** `deposit`: the number of the entry, from 1. */
export type DepositProblem =
  | (FileProblem & { readonly deposit?: undefined })
  | (EntryProblem & {
      readonly deposit: number;
    });

const SECRETS: Readonly<Record<Secret, string>> = {
  keystore: "a keystore: it stays with your validator; deposit data is in deposit_data-*.json",
  mnemonic: "words of a wallet: they belong on paper; deposit data is in deposit_data-*.json",
  key: "a secret key: it stays with your validator; deposit data is in deposit_data-*.json",
};

/** In one line. */
export function describeProblem(problem: DepositProblem): string {
  const text = sentenceOf(problem);
  return problem.deposit === undefined ? text : `deposit ${problem.deposit}: ${text}`;
}

function sentenceOf(problem: DepositProblem): string {
  switch (problem.kind) {
    case "not-json":
      return "not JSON";
    case "not-a-list":
      return "not a list of deposits";
    case "empty":
      return "no deposit in it";
    case "secret":
      return SECRETS[problem.secret];
    case "field":
      return `${problem.field}: ${problem.message}`;
    case "twice":
      return `the key ${problem.pubkey} is also deposit ${problem.before}`;
    case "in-use":
      return `the key ${problem.pubkey} is already in use`;
    case "credentials":
      if (problem.isBls) return "its withdrawal credentials are a BLS key (0x00), not this protocol's vault";
      return `its withdrawal credentials are ${
        problem.owner === undefined ? problem.found : `those of ${problem.owner} (type ${problem.found.slice(0, 4)})`
      }, not this protocol's: ${problem.ours}`;
    case "amount":
      return `the amount is ${problem.gwei} gwei; a predeposit is ${PREDEPOSIT_GWEI} (1 ETH)`;
    case "network":
      return `it is for ${nameOfFork(problem.found)}, not for ${nameOfFork(problem.ours)}`;
    case "network-name":
      return `its network_name is ${problem.found}, not ${nameOfFork(problem.ours)}`;
    case "root":
      return `${problem.field} does not fit the other fields`;
    case "signature":
      return `the signature is not valid for this key, amount, credentials and ${nameOfFork(problem.ours)}`;
  }
}

function nameOfFork(version: Hex): string {
  return networkOfFork(version) ?? `the network with fork version ${version}`;
}
