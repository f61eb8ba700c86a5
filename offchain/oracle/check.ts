/** Every precondition of a member's work, with an explanation. No report is signed, and nothing is sent. */
import { formatEther, verifyTypedData } from "ethers";
import type { Signer } from "ethers";
import { Journal } from "./journal.ts";
import { CheckList, MOST_EPOCHS_TO_FINALITY, NODE_CHECKS, SIGNER_CHECK, clockFinding } from "../util/check.ts";
import type { Check } from "../util/check.ts";
import { loadSigner } from "../util/signer.ts";
import type { Clock } from "../util/clock.ts";
import type { Nodes } from "./assemble.ts";
import type { OracleConfig } from "./config.ts";
import { dueSlot, readStanding } from "./contract.ts";
import type { Standing } from "./contract.ts";
import { checkReading } from "./readingChecks.ts";

/** Below it the account is nearly empty: some fifty reports at 10 gwei. */
const LOW_BALANCE = 10n ** 17n;
const SLOTS_PER_EPOCH = 32n;
/** What no contract takes: to see the signer sign typed data without a report being signed. */
const SAMPLE_TYPES = { Check: [{ name: "account", type: "address" }] };

interface Finality {
  readonly slot: bigint;
  /** Unix seconds of the head's slot. */
  readonly headTime: number;
}

/** What can be asked without the key comes first; a check that needs a failed one says so. */
export async function checkAll(
  config: OracleConfig,
  nodes: Nodes,
  clock: Clock,
  signal?: AbortSignal,
): Promise<readonly Check[]> {
  const { protocol, beacon, peers } = nodes;
  const list = new CheckList();
  const standing = await list.run<Standing>(NODE_CHECKS.execution, async () => {
    const read = await readStanding(protocol, clock.now());
    return [true, `chain ${read.chainId}, block ${read.block.number}`, read];
  });
  await list.run(NODE_CHECKS.chains, async () => {
    const chain = await beacon.chain(signal);
    const genesisTime = await protocol.oracle.genesisTime();
    if (chain.chainId !== protocol.chainId)
      return [false, `beacon chain of ${chain.chainId}, contracts on ${protocol.chainId}`];
    if (BigInt(chain.genesisTime) !== genesisTime)
      return [false, `beacon genesis at ${chain.genesisTime}, the contract counts from ${genesisTime}`];
    const isKnown = chain.slotsPerEpoch === Number(SLOTS_PER_EPOCH) && chain.secondsPerSlot === 12;
    return [
      isKnown,
      `${chain.slotsPerEpoch} slots of ${chain.secondsPerSlot} s an epoch, genesis at ${chain.genesisTime}`,
    ];
  });
  const finalized = await list.run<Finality>(NODE_CHECKS.finality, async () => {
    const [chain, head, slot] = await Promise.all([
      beacon.chain(signal),
      beacon.head(signal),
      beacon.finalizedSlot(signal),
    ]);
    const epochs = (BigInt(head) - BigInt(slot)) / SLOTS_PER_EPOCH;
    return [
      epochs <= MOST_EPOCHS_TO_FINALITY,
      `head ${head}, final up to ${slot}: ${epochs} epochs behind`,
      { slot: BigInt(slot), headTime: chain.genesisTime + head * chain.secondsPerSlot },
    ];
  });
  await list.run("clock", () => clockFinding([standing?.block.timestamp, finalized?.headTime], clock.now()));
  await checkReading(list, nodes, standing, finalized?.slot, signal);
  await list.run("frame", () => {
    if (standing === undefined || finalized === undefined) return [false, "needs both layers"];
    const due = dueSlot(standing, finalized.slot);
    const text = due === undefined ? "nothing to report yet" : `slot ${due} is due`;
    const late = standing.nextRefSlot >= standing.oldestRefSlot + standing.slotsPerFrame;
    return [!late, `last report: slot ${standing.lastRefSlot}; ${text}${late ? ": a report is missing" : ""}`];
  });
  const signer = await list.run<Signer>(SIGNER_CHECK, async () => {
    const loaded = await loadSigner(config, protocol.provider);
    return [true, (await loaded.getAddress()).toLowerCase(), loaded];
  });
  const address = (await signer?.getAddress())?.toLowerCase();
  await list.run("signature", async () => {
    if (signer === undefined || address === undefined) return [false, "needs signer"];
    const domain = { name: "Estuary check", version: "1", chainId: protocol.chainId };
    const signature = await signer.signTypedData(domain, SAMPLE_TYPES, { account: address });
    const by = verifyTypedData(domain, SAMPLE_TYPES, { account: address }, signature).toLowerCase();
    return [by === address, by === address ? "typed data are signed (a sample, no report)" : `it signs as ${by}`];
  });
  await list.run("member", () => {
    if (standing === undefined || address === undefined) return [false, "needs execution node and signer"];
    const isMember = standing.members.has(address);
    const text = `version ${standing.committeeVersion}: ${standing.turns.length} members, ${standing.quorum} sign`;
    return [isMember, isMember ? text : `${address} is not a member (${text})`];
  });
  await list.run("account", async () => {
    if (address === undefined) return [false, "needs signer"];
    const balance = await protocol.provider.getBalance(address);
    return [balance >= LOW_BALANCE, `${formatEther(balance)} ETH for gas`];
  });
  await list.run("journal", async () => {
    if (address === undefined) return [false, "needs signer"];
    const oracle = await protocol.oracle.getAddress();
    const journal = new Journal(config.DATA_DIR, { chainId: protocol.chainId, oracle, member: address });
    journal.close();
    return [true, `${journal.signed.length} reports signed, ${journal.file}`];
  });
  await list.run("peers", async () => {
    if (peers.length === 0) return [false, "ESTUARY_PEERS is empty: nobody's signatures can be fetched"];
    const slot = standing?.nextRefSlot ?? 0n;
    const answers = await Promise.all(peers.map(async (peer) => ({ peer, answer: await peer.fetch(slot, signal) })));
    const silent = answers.filter(({ answer }) => !answer.reachable);
    const needed = standing === undefined ? 0 : standing.quorum - 1;
    const details = silent.map(({ peer, answer }) => `${peer.name}: ${answer.detail}`);
    const text = [`${peers.length - silent.length} of ${peers.length} answer, ${needed} are needed`, ...details];
    return [peers.length - silent.length >= needed, text.join("; ")];
  });
  return list.checks;
}
