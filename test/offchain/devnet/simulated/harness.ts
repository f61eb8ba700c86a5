/** A fresh network with a beacon beside it, and the few calls that the tests make. */
import { Interface, concat, sha256, toBeHex } from "ethers";
import { network } from "hardhat";
import { SimulatedBeacon } from "../../../../devnet/simulated/beacon.ts";
import type { BeaconOptions } from "../../../../devnet/simulated/beacon.ts";
import type { Hex } from "../../../../devnet/simulated/state/state.ts";
import type { Provider } from "../../../../devnet/provider.ts";
import { signedDeposit, topUpDeposit, withdrawalCredentials } from "../../../../devnet/keys.ts";
import type { DepositData, ValidatorKey } from "../../../../devnet/keys.ts";
import { BEACON_ROOTS, DEPOSIT_CONTRACT, WITHDRAWAL_REQUESTS } from "../../../../devnet/predeploys.ts";
import type { Proof } from "../../../../offchain/beacon/proofs.ts";

/** Owner of the validators' credentials; an address without code. */
export const VAULT: Hex = `0x${"11".repeat(20)}`;
export const CREDENTIALS = withdrawalCredentials(VAULT);
export const GWEI = 10n ** 9n;
export const ETH_GWEI = 10n ** 9n;

const DEPOSIT = new Interface(["function deposit(bytes,bytes,bytes,bytes32) payable"]);

export interface Devnet {
  readonly provider: Provider;
  readonly beacon: SimulatedBeacon;
  readonly user: Hex;
}

export async function startDevnet(options: BeaconOptions = {}): Promise<Devnet> {
  const { provider } = await network.create();
  const beacon = await SimulatedBeacon.start(provider, options);
  const [user] = await rpc(provider, "eth_accounts");
  return { provider, beacon, user };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON-RPC
export function rpc(provider: Provider, method: string, ...params: unknown[]): Promise<any> {
  return provider.request({ method, params });
}

export async function send(net: Devnet, to: Hex, data: string, wei: bigint, from: Hex = net.user): Promise<void> {
  const hash = await rpc(net.provider, "eth_sendTransaction", { from, to, data, value: `0x${wei.toString(16)}` });
  const receipt = await rpc(net.provider, "eth_getTransactionReceipt", hash);
  if (receipt.status !== "0x1") throw new Error(`transaction ${hash} failed`);
}

export async function deposit(net: Devnet, data: DepositData): Promise<void> {
  const { pubkey, withdrawalCredentials: credentials, signature, depositDataRoot } = data;
  const call = DEPOSIT.encodeFunctionData("deposit", [pubkey, credentials, signature, depositDataRoot]);
  await send(net, DEPOSIT_CONTRACT, call, data.amountGwei * GWEI);
}

/** 1 ETH with the key's signature, then 31 ETH without, as the protocol does. */
export async function fundValidator(net: Devnet, key: ValidatorKey, credentials = CREDENTIALS): Promise<void> {
  await deposit(net, signedDeposit(key, credentials, ETH_GWEI));
  await deposit(net, topUpDeposit(key.pubkey, credentials, 31n * ETH_GWEI));
}

/** An EIP-7002 request from `source`, which the test network impersonates. */
export async function requestWithdrawal(net: Devnet, source: Hex, pubkey: Hex, amountGwei = 0n): Promise<void> {
  await rpc(net.provider, "hardhat_impersonateAccount", source);
  const balance = await balanceOf(net, source);
  await rpc(net.provider, "hardhat_setBalance", source, `0x${(balance + 10n ** 18n).toString(16)}`);
  const fee = BigInt(await rpc(net.provider, "eth_call", { to: WITHDRAWAL_REQUESTS, data: "0x" }, "latest"));
  await send(net, WITHDRAWAL_REQUESTS, concat([pubkey, toBeHex(amountGwei, 8)]), fee, source);
}

export async function isActive(net: Devnet, key: ValidatorKey): Promise<void> {
  const { beacon } = net;
  await beacon.advanceUntil((state) => (state.validator(key.pubkey)?.activationEpoch ?? Infinity) <= beacon.epoch);
}

export async function balanceOf(net: Devnet, address: Hex, block: string | number = "latest"): Promise<bigint> {
  const tag = typeof block === "number" ? `0x${block.toString(16)}` : block;
  return BigInt(await rpc(net.provider, "eth_getBalance", address, tag));
}

/** The parent beacon root that the real EIP-4788 contract returns; undefined when it reverts. */
export async function beaconRoot(net: Devnet, timestamp: bigint | number): Promise<Hex | undefined> {
  try {
    return await rpc(net.provider, "eth_call", { to: BEACON_ROOTS, data: toBeHex(timestamp, 32) }, "latest");
  } catch {
    return undefined;
  }
}

/** Independent of proofs.ts: hashes from the leaf to the top, left or right by the bits of the index. */
export function branchRoot(proof: Proof, leaf: string = proof.leaf): string {
  let node = leaf;
  let index = proof.gindex;
  for (const sibling of proof.nodes) {
    node = sha256(index % 2n === 1n ? concat([sibling, node]) : concat([node, sibling]));
    index /= 2n;
  }
  if (index !== 1n) throw new Error("the proof's length does not fit its index");
  return node;
}
