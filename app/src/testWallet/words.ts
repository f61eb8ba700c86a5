/** What is to be signed, in words. */
import { Interface, formatEther, formatUnits } from "ethers";
import { CONTRACT_ABIS } from "../../../offchain/chain/abis.ts";

const INTERFACES = CONTRACT_ABIS.map((abi) => new Interface(abi));

const SENTENCES: Readonly<Record<string, (args: readonly unknown[], value: bigint) => string>> = {
  deposit: (_, value) => `Stake ${formatEther(value)} ETH for estETH.`,
  // of the wrapper, or of the Router, which is told which one
  stake: (args, value) =>
    `Stake ${formatEther(value)} ETH for ${args.length > 2 && args[3] !== true ? "estETH" : "westETH"}.`,
  wrap: ([amount]) => `Wrap ${ether(amount)} estETH.`,
  wrapWithPermit: ([amount]) => `Wrap ${ether(amount)} estETH, with the permit signed before.`,
  unwrap: ([amount]) => `Unwrap ${ether(amount)} westETH.`,
  approve: ([spender, amount]) => `Let ${String(spender)} use ${ether(amount)} of your balance.`,
  requestWithdrawals: ([amounts]) => `Request withdrawals of ${[...(amounts as bigint[])].map(ether).join(", ")}.`,
  leaveShares: leaving("shares of estETH"),
  leaveSharesWithPermit: leaving("shares of estETH"),
  leaveWrapped: leaving("westETH"),
  leaveWrappedWithPermit: leaving("westETH"),
  provide: (_, value) => `Lend ${formatEther(value)} ETH to the pool.`,
  enter: ([lp], value) => `Enter the pool with ${ether(lp)} LP, for ${formatEther(value)} ETH and estETH at most.`,
  exit: ([lp]) => `Exit the pool with ${ether(lp)} LP, for both assets.`,
  exitToEther: leaving("LP of the pool"),
  exitToEtherWithPermit: leaving("LP of the pool"),
  claimWithdrawals: ([ids, , receiver]) =>
    `Claim requests ${[...(ids as bigint[])].join(", ")} to ${String(receiver)}.`,
};

/** A signature of `amount, maxFeeBp, ...`. */
function leaving(what: string) {
  return ([amount, maxFeeBp]: readonly unknown[]): string =>
    `Leave with ${what === "shares of estETH" ? formatUnits(amount as bigint, 27) : ether(amount)} ${what}: sold up to ${String(maxFeeBp)} bp, the rest requested.`;
}

export function describeTransaction({
  to = "",
  data = "0x",
  value = "0x0",
}: Readonly<Record<string, string>>): string[] {
  const sent = BigInt(value);
  const parsed = INTERFACES.map((one) => one.parseTransaction({ data, value: sent })).find((found) => found !== null);
  const sentence =
    parsed === undefined
      ? `Call ${to} with data that this wallet does not know.`
      : (SENTENCES[parsed.name]?.([...parsed.args], sent) ??
        `Call ${parsed.name}(${[...parsed.args].map(String).join(", ")}).`);
  return [sentence, `To ${to}, with ${formatEther(sent)} ETH.`];
}

/** By the names in their domains (EIP-712). */
const TOKENS: Readonly<Record<string, string>> = {
  "Estuary Staked Ether": "estETH",
  "Estuary Wrapped Staked Ether": "westETH",
  "Estuary Ether Pool": "LP of the pool",
};

export function describeTypedData(token: string, message: Readonly<Record<string, unknown>>): string[] {
  const { spender, value, deadline } = message;
  if (typeof spender !== "string" || typeof value !== "string") return [`Sign this: ${JSON.stringify(message)}`];
  const until = new Date(Number(deadline) * 1_000).toISOString();
  const what = TOKENS[token] ?? `of ${token}`;
  return [`Let ${spender} use ${ether(BigInt(value))} ${what}, until ${until}.`, "It costs nothing."];
}

function ether(amount: unknown): string {
  return formatEther(amount as bigint);
}
