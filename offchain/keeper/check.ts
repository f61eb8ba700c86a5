/** Every precondition of the keeper's work, with an explanation, and what it would do. Nothing is signed or sent. */
import { formatEther, formatUnits } from "ethers";
import { readMarket } from "../chain/write/price.ts";
import {
  CheckList,
  MAX_LAG_SECONDS,
  MOST_EPOCHS_TO_FINALITY,
  NODE_CHECKS,
  SIGNER_CHECK,
  clockFinding,
} from "../util/check.ts";
import type { Check } from "../util/check.ts";
import { wholeStates } from "../beacon/serving.ts";
import type { BeaconChain } from "../beacon/types.ts";
import type { Clock } from "../util/clock.ts";
import { loadSigner, namesSigner } from "../util/signer.ts";
import type { KeeperConfig } from "./config.ts";
import { ACTION_KINDS } from "./actions.ts";
import type { Reason, Rules } from "./actions.ts";
import { days, decide, tiedUp } from "./arbitrage.ts";
import type { ArbitrageRules, Trading } from "./arbitrage.ts";
import { planActions } from "./plan.ts";
import { nonces } from "./sender.ts";
import { readSnapshot } from "./snapshot.ts";
import type { Snapshot, Sources } from "./snapshot.ts";
import { TradingReader } from "./trading.ts";

/** Below it the account is nearly empty: some thirty proofs at 10 gwei. */
const LOW_BALANCE = 5n * 10n ** 16n;

/** Slots, 27 hours: EIP-4788 remembers as many roots, and what is proven later is proven in an older state. */
const PERIOD = 8_192;

/** What can be asked without the key comes first; a check that needs a failed one says so. */
export async function checkKeeper(
  config: KeeperConfig,
  sources: Sources,
  rules: Rules,
  clock: Clock,
  signal?: AbortSignal,
): Promise<readonly Check[]> {
  const { protocol, beacon } = sources;
  const { provider } = protocol;
  const list = new CheckList();
  const blockTime = await list.run<number>(NODE_CHECKS.execution, async () => {
    const block = await provider.getBlock("latest");
    if (block === null) return [false, "it has no block"];
    const age = Math.floor(clock.now() - block.timestamp);
    return [
      age <= MAX_LAG_SECONDS,
      `chain ${protocol.chainId}, block ${block.number}${age > MAX_LAG_SECONDS ? `, ${age} s old` : ""}`,
      block.timestamp,
    ];
  });
  const chain = await list.run<BeaconChain>(NODE_CHECKS.chains, async () => {
    const [found, genesisTime] = await Promise.all([beacon.chain(signal), protocol.oracle.genesisTime()]);
    if (BigInt(found.genesisTime) !== genesisTime)
      return [false, `beacon genesis at ${found.genesisTime}, the contracts count from ${genesisTime}`];
    return [true, `chain ${found.chainId} on both layers, genesis at ${found.genesisTime}`, found];
  });
  const head = await list.run<number>(NODE_CHECKS.finality, async () => {
    const [newest, slot] = await Promise.all([beacon.head(signal), beacon.finalizedSlot(signal)]);
    const epochs = Math.floor((newest - slot) / (chain?.slotsPerEpoch ?? 32));
    return [
      epochs <= MOST_EPOCHS_TO_FINALITY,
      `head ${newest}, final up to ${slot}: ${epochs} epochs behind; proofs are of final states`,
      newest,
    ];
  });
  await list.run("clock", () => {
    const headTime = chain && head !== undefined ? chain.genesisTime + head * chain.secondsPerSlot : undefined;
    return clockFinding([blockTime, headTime], clock.now());
  });
  const snapshot = await list.run<Snapshot>("states", async () => {
    const read = await readSnapshot(sources, signal);
    return [
      true,
      `${read.book.size} keys in the registry; ${read.state.validators.size} of them read at slot ${read.state.block.slot}`,
      read,
    ];
  });
  await list.run("proofs", async () => {
    if (snapshot === undefined) return [false, "needs states"];
    const { block, validators: known } = snapshot.state;
    const [pubkey] = known.keys();
    if (pubkey === undefined) {
      const served = wholeStates(await beacon.serving(block, [], signal));
      return [served.count > 0, `no key to prove yet; ${served.text}`];
    }
    const { validators, fork } = await beacon.prove(block, [pubkey], signal);
    return [validators.length === 1, `one made from the ${fork} state at slot ${block.slot}`];
  });
  await list.run("old states", async () => {
    if (snapshot === undefined) return [false, "needs states"];
    const slot = snapshot.state.block.slot - PERIOD;
    if (slot < 0) return [true, "the chain is younger than what proofs may reach back to"];
    const served = wholeStates(await beacon.serving(await beacon.blockAtOrBefore(slot, signal), [], signal));
    if (served.count > 0) return [true, `of slot ${slot}, ${served.text}`];
    return [
      "warning",
      `of slot ${slot}, ${served.text}: what is not proven within ${PERIOD} slots never is, by this keeper`,
    ];
  });
  await list.run("plan", () => {
    if (snapshot === undefined) return [false, "needs states"];
    const plan = planActions(snapshot, rules);
    const counts = ACTION_KINDS.map((kind) => [kind, plan.actions.filter((one) => one.kind === kind).length] as const);
    const due = counts.filter(([, count]) => count > 0).map(([kind, count]) => `${kind} x${count}`);
    return [true, due.length === 0 ? "nothing to do now" : due.join(", ")];
  });
  const address = await list.run<string>(SIGNER_CHECK, async () => {
    if (config.DRY_RUN && !namesSigner(config)) return [true, "a dry run needs none"];
    const signer = await loadSigner(config, provider);
    const account = await signer.getAddress();
    return [true, account, account];
  });
  if (address !== undefined) {
    await list.run("account", async () => {
      const balance = await provider.getBalance(address);
      return [balance >= LOW_BALANCE, `${formatEther(balance)} ETH for gas`];
    });
    await list.run("arbitrage", async () => {
      if (rules.arbitrage === undefined) return [true, "switched off: ESTUARY_ARBITRAGE is not set"];
      return [true, sayTrading(await new TradingReader(protocol, address).read(signal), rules.arbitrage)];
    });
    await list.run("pending", async () => {
      const { mined, pending } = await nonces(provider, address);
      if (pending <= mined) return [true, "nothing of this account waits"];
      return [
        false,
        `${pending - mined} transactions wait from nonce ${mined} on; replaced after ${config.REPLACE_AFTER} s`,
      ];
    });
  }
  await list.run("gas", async () => {
    const { base, tip } = await readMarket(provider);
    const least = base + tip;
    const [limit, urgent] = [config.MAX_FEE_GWEI, config.URGENT_MAX_FEE_GWEI];
    const price = `${formatUnits(least, "gwei")} gwei a unit, the limits are ${formatUnits(limit, "gwei")} and ${formatUnits(urgent, "gwei")}`;
    return [least <= limit, least <= limit ? price : `${price}: only what is urgent would be sent, or nothing`];
  });
  return list.checks;
}

/** What it would buy now, and why, or why nothing. */
function sayTrading(trading: Trading | Reason, rules: ArbitrageRules): string {
  if (typeof trading === "string") return `buys nothing: ${trading}`;
  const state = `${formatEther(tiedUp(trading))} of ${formatEther(rules.most)} ETH are tied up, ${formatEther(trading.spentToday)} of ${formatEther(rules.mostADay)} spent today`;
  const decided = decide(trading, rules);
  if (typeof decided === "string") return `buys nothing: ${decided}; ${state}`;
  const { amount, value, gas, wait, waiting, profit } = decided;
  return `would buy for ${formatEther(amount)} ETH what is worth ${formatEther(value)}, and wait ${days(wait)} days: ${formatEther(profit)} ETH after ${formatEther(gas)} of gas and ${formatEther(waiting)} for the wait; ${state}`;
}
