/** Stakes 2 ETH, and asks for the withdrawal of 1 estETH. Nothing is sent that was not simulated. */
import { formatEther, parseEther } from "ethers";
import { ChainError, requestWithdrawals, stake } from "../../offchain/chain/index.ts";
import { wei } from "../../offchain/protocol/units.ts";
import { open } from "./open.ts";

const context = await open();
const action = await stake(context, wei(parseEther("2")));
await action.simulate(); // throws what the contract would refuse, in a sentence
const cost = await action.estimate();
console.log(`${action.label}: at most ${formatEther(cost.maxFee)} ETH for gas, ${formatEther(cost.total)} ETH in all`);

const staked = await action.send({ maxFee: cost.maxFee });
console.log(`staked ${formatEther(staked.outcome.amount)} ETH in block ${staked.receipt.blockNumber}`);

const request = await (await requestWithdrawals(context, wei(parseEther("1")))).send();
console.log(`requests ${request.outcome.ids.join(", ")} for ${formatEther(request.outcome.amount)} ETH`);

try {
  await (await requestWithdrawals(context, wei(1n))).simulate();
} catch (error) {
  if (!(error instanceof ChainError)) throw error;
  console.log(`${error.revert?.name ?? error.kind}: ${error.message}`);
}
