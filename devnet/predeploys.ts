/** Puts the deposit contract and the system contracts at their mainnet addresses on a Hardhat network. */
import { getGenesis } from "@ethereumjs/genesis";
import type { Hex } from "../offchain/util/hex.ts";
import type { Provider } from "./provider.ts";

export const DEPOSIT_CONTRACT: Hex = "0x00000000219ab540356cbb839cbe05303d7705fa";
export const BEACON_ROOTS: Hex = "0x000f3df6d732807ef1319fb7b8bb8522d0beac02";
export const WITHDRAWAL_REQUESTS: Hex = "0x00000961ef480eb55e80d19ad83579a64c007002";
export const CONSOLIDATION_REQUESTS: Hex = "0x0000bbddc7ce488642fb579f8b00f3a590007251";

const HOODI_CHAIN_ID = 560048; // its genesis holds all four, at the addresses and with the code of mainnet

/** Installs what is missing; a contract that has code is left as it is. */
export async function installPredeploys(provider: Provider): Promise<void> {
  const genesis = getGenesis(HOODI_CHAIN_ID);
  if (genesis === undefined) throw new Error("@ethereumjs/genesis has no Hoodi genesis");
  for (const address of [DEPOSIT_CONTRACT, BEACON_ROOTS, WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS]) {
    const existing = await provider.request({ method: "eth_getCode", params: [address, "latest"] });
    if (existing !== "0x") continue;
    const account = Object.entries(genesis).find(([key]) => key.toLowerCase() === address)?.[1];
    if (!Array.isArray(account)) throw new Error(`the Hoodi genesis has no contract at ${address}`);
    const [, code, storage] = account;
    await provider.request({ method: "hardhat_setCode", params: [address, code] });
    for (const [slot, value] of storage ?? []) {
      await provider.request({ method: "hardhat_setStorageAt", params: [address, toQuantity(slot), value] });
    }
  }
}

function toQuantity(slot: string): string {
  return `0x${BigInt(slot).toString(16)}`;
}
