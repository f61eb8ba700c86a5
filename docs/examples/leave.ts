/** Leaves with 3 estETH: at once as far as 0.3% reaches, and the rest by a withdrawal request. Shown first, then sent. */
import { formatEther, parseEther } from "ethers";
import {
  leave,
  leaveApproval,
  readEtherPool,
  readOutlook,
  splitLeave,
  toSharesDown,
} from "../../offchain/chain/index.ts";
import { bp, wei } from "../../offchain/protocol/units.ts";
import { open } from "./open.ts";

const context = await open();
const [amount, maxFeeBp] = [wei(parseEther("3")), bp(30n)];
const market = await readEtherPool(context.protocol);
const quote = splitLeave(market, toSharesDown(amount, market.totals), maxFeeBp);
const wait = (await readOutlook(context.protocol)).waitFor(quote.queuedValue);
console.log(`now    ${formatEther(quote.ether)} ETH for ${formatEther(quote.ether + quote.fee)} estETH`);
console.log(
  `later  ${formatEther(quote.queuedValue)} ETH, about ${new Date(Number(wait.expected) * 1_000).toISOString()}`,
);

await (await leaveApproval(context, amount))?.send();
const { outcome } = await (await leave(context, amount, { maxFeeBp })).send();
console.log(`got    ${formatEther(outcome.ether)} ETH, and request ${outcome.requestIds.join() || "none"}`);
