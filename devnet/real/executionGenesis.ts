/** Block 0 of the execution layer, in geth's format: Prague rules, the deposit and system contracts, funded accounts. */
import { getGenesis } from "@ethereumjs/genesis";
import { HDNodeWallet, Mnemonic } from "ethers";
import type { Hex } from "../../offchain/util/hex.ts";
import { committeeWallets } from "../committee.ts";
import { TEST_MNEMONIC } from "../keys.ts";
import { DEPOSIT_CONTRACT } from "../predeploys.ts";

const HOODI_CHAIN_ID = 560_048; // its genesis has every system contract, with the code and the addresses of mainnet
const FUNDED_WEI = 1_000_000n * 10n ** 18n;
export const FUNDED_ACCOUNTS = 20;
const FUNDED_COMMITTEE = 9;
const GAS_LIMIT = 36_000_000;

interface GenesisAccount {
  readonly balance: Hex;
  readonly code?: Hex;
  readonly nonce?: Hex;
  readonly storage?: Readonly<Record<Hex, Hex>>;
}

/** The accounts m/44'/60'/0'/0/i of the usual development mnemonic. */
export function fundedWallets(count = FUNDED_ACCOUNTS): HDNodeWallet[] {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(TEST_MNEMONIC), "m/44'/60'/0'/0");
  return Array.from({ length: count }, (_, index) => root.deriveChild(index));
}

/** @param timestamp unix seconds; slot s of the beacon chain is at `timestamp + 12 s` */
export function executionGenesis(chainId: number, timestamp: number): object {
  const atGenesis = Object.fromEntries(
    [
      ...["homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg"],
      ...["istanbul", "berlin", "london", "mergeFork", "mergeNetsplit"],
    ].map((fork) => [`${fork}Block`, 0]),
  );
  return {
    name: "estuary-devnet",
    config: {
      chainId,
      ...atGenesis,
      shanghaiTime: 0,
      cancunTime: 0,
      pragueTime: 0,
      terminalTotalDifficulty: 0,
      terminalTotalDifficultyPassed: true,
      depositContractAddress: DEPOSIT_CONTRACT,
    },
    nonce: "0x0",
    timestamp: quantity(timestamp),
    extraData: "0x",
    gasLimit: quantity(GAS_LIMIT),
    difficulty: "0x0",
    mixHash: `0x${"00".repeat(32)}`,
    coinbase: `0x${"00".repeat(20)}`,
    baseFeePerGas: quantity(10 ** 9),
    excessBlobGas: "0x0",
    blobGasUsed: "0x0",
    number: "0x0",
    gasUsed: "0x0",
    parentHash: `0x${"00".repeat(32)}`,
    alloc: { ...systemContracts(), ...fundedAccounts() },
  };
}

function systemContracts(): Record<string, GenesisAccount> {
  const hoodi = getGenesis(HOODI_CHAIN_ID);
  if (hoodi === undefined) throw new Error("@ethereumjs/genesis has no Hoodi genesis");
  const accounts: Record<string, GenesisAccount> = {};
  for (const [address, account] of Object.entries(hoodi)) {
    if (!Array.isArray(account)) continue; // a balance only: somebody's test ether
    const [balance, code, storage, nonce] = account;
    accounts[address] = { balance, code, nonce: nonce ?? "0x0", storage: Object.fromEntries(storage ?? []) };
  }
  return accounts;
}

function fundedAccounts(): Record<string, GenesisAccount> {
  const wallets = [...fundedWallets(), ...committeeWallets(FUNDED_COMMITTEE)];
  return Object.fromEntries(wallets.map(({ address }) => [address.toLowerCase(), { balance: quantity(FUNDED_WEI) }]));
}

function quantity(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}
