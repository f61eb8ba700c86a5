/** Files as a person may drop them on the page for operators, and the sentence that each is answered with. */
import { getBytes } from "ethers";
import { deriveValidatorKeys } from "../../devnet/keys.ts";
import { signDeposit } from "../../offchain/keys/deposit.ts";
import { depositFile } from "../../offchain/keys/depositFile.ts";
import { PREDEPOSIT_GWEI, withdrawalCredentials } from "../../offchain/keys/depositRoots.ts";
import { NETWORKS } from "../../offchain/keys/networks.ts";
import type { Hex } from "../../offchain/util/hex.ts";

export interface DroppedFile {
  readonly name: string;
  readonly text: string;
}

export interface BadFile extends DroppedFile {
  readonly sentence: RegExp;
}

interface FileOptions {
  readonly credentials: Hex;
  readonly first?: number;
  readonly count?: number;
  readonly amountGwei?: bigint;
  readonly network?: keyof typeof NETWORKS;
}

/** As the launchpad's tools write it, of the keys of the development mnemonic. */
export function goodFile(options: FileOptions): DroppedFile {
  const { credentials, first = 0, count = 1, amountGwei = PREDEPOSIT_GWEI, network = "mainnet" } = options;
  const version = NETWORKS[network].genesisForkVersion;
  const deposits = deriveValidatorKeys(count, first).map((key) =>
    signDeposit(key, credentials, amountGwei, getBytes(version)),
  );
  return { name: `deposit_data-${first}.json`, text: depositFile(deposits, version, network) };
}

type Entry = Record<string, unknown>;

/** @param registered index of a key that the registry knows @param free index of one that nobody brought */
export function badFiles(credentials: Hex, registered: number, free: number): readonly BadFile[] {
  const file = (options: Partial<FileOptions> = {}): string =>
    goodFile({ credentials, first: free, count: 2, ...options }).text;
  const changed = (change: (entries: [Entry, Entry]) => unknown): string =>
    JSON.stringify(change(JSON.parse(file()) as [Entry, Entry]));
  const stranger = `0x${"ab".repeat(20)}`;
  const words = "legal winner thank year wave sausage worth useful legal winner thank yellow";
  const keystore = { crypto: { kdf: {}, checksum: {}, cipher: {} }, path: "m/12381/3600/0/0/0", uuid: "", version: 4 };
  const bad: [string, string, RegExp][] = [
    ["not-json", "{", /it is not JSON/],
    ["not-a-list", "{}", /it is not a list of deposits/],
    ["empty", "[]", /no deposit in this file/],
    ["keystore", JSON.stringify(keystore), /This is a keystore\. It stays with your validator/],
    ["mnemonic", words, /These seem to be the words of a wallet/],
    ["secret", `0x${"12".repeat(32)}`, /This seems to be a secret key/],
    ["no-entry", "[7]", /Deposit 1: this is not deposit data/],
    ["no-field", changed(([{ signature: _, ...rest }]) => [rest]), /Deposit 1: the field signature is missing/],
    ["other-network", file({ network: "hoodi" }), /Deposit 1: it is made for hoodi, not for mainnet/],
    ["other-name", changed(([one]) => [{ ...one, network_name: "sepolia" }]), /made for sepolia, not for mainnet/],
    ["stranger", file({ credentials: withdrawalCredentials(stranger) }), /its ether would go to 0xabab…abab, not/],
    ["bls", file({ credentials: `0x00${"11".repeat(31)}` }), /its withdrawal credentials are a BLS key/],
    ["whole", file({ amountGwei: 32n * PREDEPOSIT_GWEI }), /made for 32\.0000.ETH; here a key is deposited with 1 ETH/],
    ["twice", changed(([one, two]) => [one, two, one]), /Deposit 3: its key is also deposit 1/],
    ["registered", file({ first: registered, count: 1 }), /Deposit 1: its key is registered already/],
    [
      "changed",
      changed(([one, two]) => [one, { ...two, deposit_data_root: "11".repeat(32) }]),
      /Deposit 2: its checksum \(root\) does not fit/,
    ],
    // its root fits its fields: only the signature is another key's
    ["unsigned", otherSignature(credentials, free), /Deposit 1: its signature is not valid/],
    ["large", " ".repeat(10_000_000), /This file has 10 MB/],
  ];
  return bad.map(([name, text, sentence]) => ({ name: `${name}.json`, text, sentence }));
}

function otherSignature(credentials: Hex, free: number): string {
  const [first, second] = deriveValidatorKeys(2, free);
  if (first === undefined || second === undefined) throw new Error("no keys");
  const version = NETWORKS.mainnet.genesisForkVersion;
  const deposit = signDeposit(
    { pubkey: first.pubkey, sign: (message) => second.sign(message) },
    credentials,
    PREDEPOSIT_GWEI,
    getBytes(version),
  );
  return depositFile([deposit], version, "mainnet");
}
