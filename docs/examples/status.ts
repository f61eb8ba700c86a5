/** What the protocol holds and earns. */
import { formatEther } from "ethers";
import { aprSummary, monthAgo, readHistory, readProtocol } from "../../offchain/chain/index.ts";
import { open } from "./open.ts";

const { protocol } = await open();
const status = await readProtocol(protocol);
console.log(`staked       ${formatEther(status.totals.ether)} ETH`);
console.log(`depositable  ${formatEther(status.pool.depositable)} ETH`);
console.log(`waiting      ${formatEther(status.queue.waitingEther)} ETH to be withdrawn`);
console.log(`validators   ${status.validators.active} active, ${status.validators.queued} queued`);
console.log(`deposits     ${status.deposits.blocked ?? "open"}`);

const { items } = await readHistory(protocol, { fromBlock: await monthAgo(protocol) });
const { week } = aprSummary(items);
console.log(`APR, 7 days  ${week === undefined ? "no report yet" : `${Number(week.bp) / 100}%`}`);
