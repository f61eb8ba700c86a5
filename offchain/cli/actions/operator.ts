/** What an operator does with its membership, bond and rewards. */
import { addBond, claimRewards, compoundRewards, fundOwn, join, withdrawBond } from "../../chain/write/operator.ts";
import { shares, wei } from "../../protocol/units.ts";
import { AppError, EXIT } from "../../util/errors.ts";
import { act } from "../act.ts";
import { ether } from "../format.ts";
import { operatorId, publicKey } from "../parse.ts";
import { parseAddress, parseAmount } from "../session.ts";
import type { Session } from "../session.ts";
import { stakedOf } from "./staker.ts";

export async function joinTier(
  session: Session,
  tier: string,
  name: string,
  options: { readonly rewardAddress?: string },
): Promise<void> {
  if (name.trim() === "") throw new AppError(EXIT.usage, "name: is empty");
  const given =
    options.rewardAddress === undefined ? undefined : parseAddress("--reward-address", options.rewardAddress);
  const context = await session.context();
  const rewardAddress = given ?? (await context.signer.getAddress());
  await act(session, await join(context, operatorId(tier), rewardAddress, name), {
    expected: (id) => [
      ["gets", `the operator's id, ${id} if nobody joins before`],
      ["rewards to", rewardAddress],
    ],
    details: (made) => [
      ["operator", `${made.operatorId}`],
      ["next", `estuary operator bond add ${made.operatorId} <ETH>, estuary operator keys`],
    ],
  });
}

export async function claimOperatorRewards(
  session: Session,
  text: string,
  options: { readonly wrapped?: boolean; readonly compound?: boolean },
): Promise<void> {
  const id = operatorId(text);
  const context = await session.context();
  const worth = async ({ shares: moved }: { readonly shares: bigint }) =>
    [["got", await stakedOf(session, moved)]] as const;
  const words = { expected: () => expectedRewards(session, id), details: worth };
  if (options.compound === true) await act(session, await compoundRewards(context, id), words);
  else await act(session, await claimRewards(context, id, options.wrapped === true ? "westETH" : "estETH"), words);
}

async function expectedRewards(session: Session, id: bigint) {
  const claimable = await session.protocol.operators.claimableShares(id);
  return [["gets", `what is worth about ${await stakedOf(session, claimable)}`]] as const;
}

export async function changeBond(session: Session, what: string, text: string, sum: string): Promise<void> {
  const id = operatorId(text);
  const amount = wei(parseAmount("amount", sum));
  const context = await session.context();
  if (what === "add") {
    await act(session, await addBond(context, id, amount), {
      expected: () => [["gets", `a bond of ${ether(amount)} more for operator ${id}`]],
      details: () => [["added", ether(amount)]],
    });
  } else if (what === "withdraw") {
    const part = await session.protocol.token.getSharesByPooledEth(amount);
    await act(session, await withdrawBond(context, id, shares(part)), {
      expected: () => [["gets", `about ${ether(amount, "estETH")}`]],
      details: async (change) => [["got", await stakedOf(session, change.shares)]],
    });
  } else {
    throw new AppError(EXIT.usage, `add or withdraw, not ${what}`);
  }
}

export async function fundOwnKey(session: Session, text: string): Promise<void> {
  const key = publicKey(text);
  await act(session, await fundOwn(await session.context(), key), {
    expected: () => [["gets", "about 31 estETH; the key is funded out of turn"]],
    details: () => [["funded", key]],
  });
}
