/** What a scenario needs of an Ethereum with the protocol on it: the same for the simulated layer and for the real devnet. */
import type { ContractTransactionReceipt, ContractTransactionResponse, HDNodeWallet, Provider, Signer } from "ethers";
import type { Contracts } from "../../deploy/deploy.ts";
import type { BeaconSource } from "../../offchain/beacon/types.ts";
import type { ValidatorKey } from "../keys.ts";

export const ACTORS = ["governor", "alice", "bob", "carol", "nodeOperator", "keeper"] as const;
export type Actor = (typeof ACTORS)[number];

export interface World {
  readonly name: "simulated" | "real";
  readonly contracts: Contracts;
  readonly provider: Provider;
  /**
   * Whether every withdrawal is in the payload of a block that the client still has. The simulated layer jumps over epochs and keeps the last
   * block of a jump: the ether arrives, the blocks that carried it are not there.
   */
  readonly keepsEveryBlock: boolean;
  /** As the protocol's programs read the consensus layer. */
  readonly beacon: BeaconSource;
  /** As the client itself puts it: GET a path of the Beacon API, JSON. */
  readonly beaconJson: (path: string) => Promise<unknown>;
  readonly actors: Readonly<Record<Actor, Signer>>;
  /** Sorted by address. */
  readonly committee: readonly HDNodeWallet[];
  readonly quorum: number;
  /** Keys that somebody operates from the moment on at which they are active. */
  readonly keys: readonly ValidatorKey[];
  /** Lets a little time pass: part of an epoch at most, or an epoch where one waits long. */
  tick(): Promise<void>;
  /** While true, time passes as quickly as it can: long waits for epochs, in which nobody but validators acts. */
  hurry(on: boolean): Promise<void>;
  /** The validator votes twice for one epoch, and somebody tells the beacon chain. */
  voteTwice(key: ValidatorKey): Promise<void>;
  /** Kills what can be killed, without warning, and waits until it is back. @returns what it was; the simulated layer has no processes */
  disturb(): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** Waits until a transaction is in a block. @throws when it failed */
export async function mined(sent: Promise<ContractTransactionResponse>): Promise<ContractTransactionReceipt> {
  const receipt = await (await sent).wait();
  if (receipt === null) throw new Error("the transaction is in no block");
  return receipt;
}
