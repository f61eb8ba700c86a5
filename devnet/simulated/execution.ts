/** The execution layer as the beacon sees it: logs, system calls, credits, and the clock of its blocks. */
import { AbiCoder, id, toBeHex } from "ethers";
import type { DepositRequest } from "./transition/deposits.ts";
import type { WithdrawalRequest } from "./transition/exits.ts";
import type { Hex } from "./state/state.ts";
import type { Provider } from "../provider.ts";
import { exactNumber } from "../../offchain/util/exact.ts";
import { BEACON_ROOTS, CONSOLIDATION_REQUESTS, DEPOSIT_CONTRACT, WITHDRAWAL_REQUESTS } from "../predeploys.ts";

export interface ExecutionBlock {
  readonly number: number;
  readonly timestamp: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly stateRoot: Hex;
  readonly receiptsRoot: Hex;
  readonly gasLimit: number;
  readonly gasUsed: number;
  readonly baseFeePerGas: bigint;
  readonly miner: Hex;
  readonly prevRandao: Hex;
}

export interface DepositLog {
  readonly blockNumber: number;
  readonly request: DepositRequest;
}

/** Who makes system calls (EIP-4788, EIP-7002, EIP-7251). */
export const SYSTEM_ADDRESS: Hex = "0xfffffffffffffffffffffffffffffffffffffffe";

const DEPOSIT_EVENT = id("DepositEvent(bytes,bytes,bytes,bytes,bytes)");
const ROOTS_BUFFER = 8191;
const REQUEST_BYTES = 76; // source address 20, public key 48, amount 8
const MAX_REQUESTS_PER_BLOCK = 16;
const TARGET_REQUESTS_PER_BLOCK = 2n;
const EXCESS_SLOT = "0x0";
const EXCESS_INHIBITOR = 2n ** 256n - 1n;
const SYSTEM_CALL_GAS = 4_000_000;

export class ExecutionLayer {
  readonly provider: Provider;

  constructor(provider: Provider) {
    this.provider = provider;
  }

  /** Lets the system address send transactions: a system call is one from it, paid from a balance it is given. */
  async prepare(): Promise<void> {
    await this.call("hardhat_impersonateAccount", SYSTEM_ADDRESS);
    await this.call("hardhat_setBalance", SYSTEM_ADDRESS, quantity(2n ** 120n));
  }

  async block(number: number | "latest"): Promise<ExecutionBlock | undefined> {
    const tag = typeof number === "number" ? quantity(number) : number;
    const raw = await this.call("eth_getBlockByNumber", tag, false);
    if (raw === null) return undefined;
    return {
      number: Number(raw.number),
      timestamp: Number(raw.timestamp),
      hash: raw.hash,
      parentHash: raw.parentHash,
      stateRoot: raw.stateRoot,
      receiptsRoot: raw.receiptsRoot,
      gasLimit: Number(raw.gasLimit),
      gasUsed: Number(raw.gasUsed),
      baseFeePerGas: BigInt(raw.baseFeePerGas),
      miner: raw.miner,
      prevRandao: raw.mixHash,
    };
  }

  async latest(): Promise<ExecutionBlock> {
    const block = await this.block("latest");
    if (block === undefined) throw new Error("the execution layer has no block");
    return block;
  }

  /** Mines what waits in the pool when automatic mining is off, so that a slot's own block holds system calls only. */
  async flushPool(): Promise<void> {
    const pending = await this.call("eth_pendingTransactions");
    if (pending.length > 0) await this.call("evm_mine");
  }

  async depositCount(): Promise<number> {
    const data = await this.call(
      "eth_call",
      { to: DEPOSIT_CONTRACT, data: id("get_deposit_count()").slice(0, 10) },
      "latest",
    );
    const [bytes] = AbiCoder.defaultAbiCoder().decode(["bytes"], data);
    return Number(littleEndian(bytes));
  }

  async depositLogs(fromBlock: number, toBlock: number): Promise<DepositLog[]> {
    if (fromBlock > toBlock) return [];
    const logs: { blockNumber: string; data: string }[] = await this.call("eth_getLogs", {
      address: DEPOSIT_CONTRACT,
      topics: [DEPOSIT_EVENT],
      fromBlock: quantity(fromBlock),
      toBlock: quantity(toBlock),
    });
    return logs.map((log) => ({
      blockNumber: Number(log.blockNumber),
      request: parseDepositEvent(log.data),
    }));
  }

  /** The EIP-7002 requests that the system call at the end of the next block will take out of the queue. */
  async nextWithdrawalRequests(): Promise<WithdrawalRequest[]> {
    const data = await this.call("eth_call", { from: SYSTEM_ADDRESS, to: WITHDRAWAL_REQUESTS, data: "0x" }, "latest");
    return parseWithdrawalRequests(data);
  }

  /**
   * Mines a slot's own block: the root of the parent beacon block into EIP-4788, then the request queues drained, as a client does at the
   * boundaries of a block.
   */
  async mineSlot(timestamp: number, parentRoot: Hex): Promise<ExecutionBlock> {
    const automine = await this.call("hardhat_getAutomine");
    if (automine) await this.call("evm_setAutomine", false);
    const hashes: string[] = [];
    try {
      hashes.push(await this.sendSystemCall(BEACON_ROOTS, parentRoot));
      hashes.push(await this.sendSystemCall(WITHDRAWAL_REQUESTS, "0x"));
      hashes.push(await this.sendSystemCall(CONSOLIDATION_REQUESTS, "0x"));
      await this.call("evm_setNextBlockTimestamp", quantity(timestamp));
      await this.call("evm_mine");
    } finally {
      if (automine) await this.call("evm_setAutomine", true);
    }
    for (const hash of hashes) {
      const receipt = await this.call("eth_getTransactionReceipt", hash);
      if (receipt?.status !== "0x1") throw new Error(`system call ${hash} failed`);
    }
    const block = await this.latest();
    if (block.timestamp !== timestamp) throw new Error(`block at ${block.timestamp}, wanted ${timestamp}`);
    return block;
  }

  /** Writes the ring buffer of EIP-4788 for a past timestamp, exactly as its system call would have done then. */
  async writeBeaconRoot(timestamp: number, root: Hex): Promise<void> {
    const position = timestamp % ROOTS_BUFFER;
    await this.call("hardhat_setStorageAt", BEACON_ROOTS, quantity(position), toBeHex(timestamp, 32));
    await this.call("hardhat_setStorageAt", BEACON_ROOTS, quantity(position + ROOTS_BUFFER), root);
  }

  /** The excess that sets the request fees falls by the target in every block: applies it for blocks that were skipped. */
  async decayRequestFees(blocks: number): Promise<void> {
    for (const predeploy of [WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS]) {
      const excess = BigInt(await this.call("eth_getStorageAt", predeploy, EXCESS_SLOT, "latest"));
      if (excess === 0n || excess === EXCESS_INHIBITOR) continue;
      const decayed = excess - TARGET_REQUESTS_PER_BLOCK * BigInt(blocks);
      const next = toBeHex(decayed > 0n ? decayed : 0n, 32);
      await this.call("hardhat_setStorageAt", predeploy, EXCESS_SLOT, next);
    }
  }

  /** A withdrawal of the consensus layer, or a tip of its proposer: the balance grows, nothing is called. */
  async credit(address: Hex, wei: bigint): Promise<void> {
    const balance = BigInt(await this.call("eth_getBalance", address, "latest"));
    await this.call("hardhat_setBalance", address, quantity(balance + wei));
  }

  /** No later block gets a timestamp at or below `timestamp`. */
  async moveClockPast(timestamp: number): Promise<void> {
    await this.call("evm_setNextBlockTimestamp", quantity(timestamp + 1));
  }

  private async sendSystemCall(to: Hex, data: Hex): Promise<string> {
    return this.call("eth_sendTransaction", {
      from: SYSTEM_ADDRESS,
      to,
      data,
      gas: quantity(SYSTEM_CALL_GAS),
      maxFeePerGas: quantity(10n ** 15n),
      maxPriorityFeePerGas: "0x0",
    });
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON-RPC results are read by the callers above
  private call(method: string, ...params: unknown[]): Promise<any> {
    return this.provider.request({ method, params });
  }
}

export function parseDepositEvent(data: string): DepositRequest {
  const [pubkey, credentials, amount, signature, index] = AbiCoder.defaultAbiCoder().decode(
    ["bytes", "bytes", "bytes", "bytes", "bytes"],
    data,
  );
  return {
    pubkey,
    withdrawalCredentials: credentials,
    amountGwei: exactNumber(littleEndian(amount)),
    signature,
    index: littleEndian(index),
  };
}

/** The 76-byte records of EIP-7002, at most 16: address, public key, amount in little-endian bytes. */
export function parseWithdrawalRequests(data: string): WithdrawalRequest[] {
  const hex = data.slice(2);
  const size = REQUEST_BYTES * 2;
  if (hex.length % size !== 0 || hex.length > size * MAX_REQUESTS_PER_BLOCK) {
    throw new Error(`EIP-7002 returned ${hex.length / 2} bytes`);
  }
  return Array.from({ length: hex.length / size }, (_, i) => {
    const record = hex.slice(i * size, (i + 1) * size);
    return {
      sourceAddress: `0x${record.slice(0, 40)}`,
      pubkey: `0x${record.slice(40, 136)}`,
      amountGwei: littleEndian(`0x${record.slice(136)}`),
    };
  });
}

function littleEndian(bytes: string): bigint {
  const pairs = bytes.slice(2).match(/../g) ?? [];
  return BigInt(`0x0${pairs.reverse().join("")}`);
}

function quantity(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
