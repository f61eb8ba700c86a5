/** What a scenario needs of an Ethereum with the protocol on it: the same for the simulated layer and for the real devnet. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Provider, Signer, TransactionReceipt, TransactionResponse } from "ethers";
import type { Contracts } from "../../deploy/deploy.ts";
import type { BeaconSource } from "../../offchain/beacon/types.ts";
import type { ValidatorKey } from "../keys.ts";

/** Who acts by hand. The committee and the keeper are programs. */
export const ACTORS = ["governor", "alice", "bob", "carol", "nodeOperator"] as const;
export type Actor = (typeof ACTORS)[number];

/** What may be killed: the two clients, a member of the committee that has just signed, the keeper with a transaction on its way. */
export type Fault = "clients" | "member" | "keeper";

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
  /** Keys that somebody operates from the moment on at which they are active. */
  readonly keys: readonly ValidatorKey[];
  /** Lets a little time pass, and the committee and the keeper do what is to be done. */
  tick(): Promise<void>;
  /** While true, time passes as quickly as it can: long waits for epochs, in which nobody but validators and the committee acts. */
  hurry(on: boolean): Promise<void>;
  /** The validator votes twice for one epoch, and somebody tells the beacon chain. */
  voteTwice(key: ValidatorKey): Promise<void>;
  /** Kills it without warning, and waits until it is back. @returns what it was; undefined on the simulated layer, which has no processes */
  disturb(fault: Fault): Promise<string | undefined>;
  stop(): Promise<void>;
}

const LOOK_MS = 50;

/** Waits until a transaction is in a block. @throws when it failed */
export async function mined(sent: Promise<TransactionResponse>): Promise<TransactionReceipt> {
  const { hash, provider } = await sent;
  // not `wait`: its polling goes on for a while in the background, where nobody catches what a client that is killed answers
  for (;;) {
    const receipt = await provider.getTransactionReceipt(hash);
    if (receipt?.status === 0) throw new Error(`transaction ${hash} failed`);
    if (receipt !== null) return receipt;
    await sleep(LOOK_MS);
  }
}
