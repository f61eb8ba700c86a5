/** Claims every finalised request of the account; says of the others when they may be paid. */
import { formatEther } from "ethers";
import { MOST_CLAIMS, claim, readWithdrawals } from "../../offchain/chain/index.ts";
import { open } from "./open.ts";

const context = await open();
const owner = await context.signer.getAddress();
const { requests } = await readWithdrawals(context.protocol, owner);
for (const { id, state, amount, wait } of requests) {
  const when =
    wait === undefined ? "" : `, expected ${new Date(Number(wait.expected) * 1_000).toISOString()} (${wait.reason})`;
  console.log(`request ${id}: ${formatEther(amount)} ETH, ${state}${when}`);
}

const ready = requests.filter(({ state }) => state === "claimable").map(({ id }) => id);
for (let first = 0; first < ready.length; first += MOST_CLAIMS) {
  const claimed = await (await claim(context, ready.slice(first, first + MOST_CLAIMS))).send();
  console.log(`claimed ${formatEther(claimed.outcome.amount)} ETH`);
}
