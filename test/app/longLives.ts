/** Lives that are too long to be lived in a test, on a local chain. */
import { ZeroAddress, parseEther, toQuantity } from "ethers";
import type { LocalChain } from "./localChain.ts";

const DAY = 86_400;
export const REQUESTS = 10_000;
/** As many as the transaction's gas limit takes. */
const IN_ONE = 160;
export const REPORTS = 3 * 365;

/** Bob has nine thousand requests that can be claimed and a thousand that wait, each made as anybody makes them. */
export async function requestMany(chain: LocalChain): Promise<void> {
  const { pool, queue, bob } = chain.p;
  await pool.connect(bob).deposit(bob, ZeroAddress, { value: parseEther("200") });
  const request = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= IN_ONE) {
      const amounts = Array<bigint>(Math.min(left, IN_ONE)).fill(parseEther("0.01"));
      await queue.connect(bob).requestWithdrawals(amounts, bob);
    }
  };
  await request(REQUESTS * 0.9);
  await chain.day();
  await chain.day();
  await request(REQUESTS * 0.1);
}

/**
 * Three years of reports at one a day. The way through the committee takes a tenth of a second a day, which is minutes: here the pool itself, whose
 * account is borrowed, tells the token what each report would, and its record of the last report's time is written to its storage.
 */
export async function liveThroughYears(chain: LocalChain): Promise<void> {
  const { p } = chain;
  const request = (method: string, params: readonly unknown[] = []): Promise<unknown> => chain.request(method, params);
  const pool = await p.pool.getAddress();
  const { lastReportTime } = await p.pool.books();
  const slot = await slotWith(chain, pool, lastReportTime);
  let time = Number(((await request("eth_getBlockByNumber", ["latest", false])) as { timestamp: string }).timestamp);
  await asPool(chain, async (signer) => {
    const token = p.token.connect(signer);
    const treasury = p.treasury.address;
    for (let day = 0; day < REPORTS; day++) {
      time += DAY;
      await request("evm_setNextBlockTimestamp", [time]);
      const { totalEther } = await p.token.totals();
      // 3% a year; once in a while a fall
      const etherDelta = day % 200 === 199 ? -totalEther / 20_000n : totalEther / 12_000n;
      const change = { etherDelta, etherPaid: 0n, feeShares: 0n, burnShares: 0n, elapsed: DAY, feeReceiver: treasury };
      await token.rebase(change, { gasLimit: 1_000_000n });
    }
  });
  const before = BigInt((await request("eth_getStorageAt", [pool, slot.place, "latest"])) as string);
  const after = before + ((BigInt(time) - lastReportTime) << slot.shift);
  await request("hardhat_setStorageAt", [pool, slot.place, `0x${after.toString(16).padStart(64, "0")}`]);
  await request("evm_mine");
  if ((await p.pool.books()).lastReportTime !== BigInt(time)) throw new Error("the pool does not know the last report");
}

/** Where a contract keeps a time: by what it answers, so that no layout is written down here. */
async function slotWith(
  chain: LocalChain,
  contract: string,
  time: bigint,
): Promise<{ readonly place: string; readonly shift: bigint }> {
  for (let place = 0; place < 64; place++) {
    const word = (await chain.request("eth_getStorageAt", [contract, toQuantity(place), "latest"])) as string;
    const at = word.indexOf(time.toString(16).padStart(10, "0"));
    if (at !== -1) return { place: toQuantity(place), shift: BigInt((word.length - at - 10) * 4) };
  }
  throw new Error(`${contract} does not keep ${time}`);
}

/** With the pool's own account, which pays no gas and has afterwards what it had. */
export async function asPool(
  chain: LocalChain,
  act: (signer: Awaited<ReturnType<typeof signerOf>>) => Promise<void>,
): Promise<void> {
  const pool = await chain.p.pool.getAddress();
  const balance = (await chain.request("eth_getBalance", [pool, "latest"])) as string;
  await chain.request("hardhat_impersonateAccount", [pool]);
  await chain.request("hardhat_setBalance", [pool, toQuantity(10n ** 24n)]);
  await act(await signerOf(chain, pool));
  await chain.request("hardhat_setBalance", [pool, balance]);
  await chain.request("hardhat_stopImpersonatingAccount", [pool]);
}

async function signerOf({ p }: LocalChain, address: string) {
  const provider = p.alice.provider as unknown as { getSigner(address: string): Promise<typeof p.alice> };
  return provider.getSigner(address);
}
