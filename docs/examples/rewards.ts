/** What an account earned with each report, as a table of comma-separated values. A rebase emits no Transfer: this is how rewards are found. */
import { formatEther } from "ethers";
import { readHistory, rewardsOf } from "../../offchain/chain/index.ts";
import { open } from "./open.ts";

const { protocol, signer } = await open();
const history = await readHistory(protocol);
const { rewards, total } = await rewardsOf(protocol, await signer.getAddress(), history);
console.log("time,reward,value");
for (const { timestamp, amount, value } of rewards)
  console.log(`${new Date(Number(timestamp) * 1_000).toISOString()},${formatEther(amount)},${formatEther(value)}`);
console.log(`total,${formatEther(total)},`);
