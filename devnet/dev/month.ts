/**
 * The protocol's life so far on a local chain, as `npm run dev` and the browser tests begin: stakers, three operators, a slashing, a fall that
 * everybody bore, an exit, withdrawal requests that can be claimed and some that wait, an EtherPool that somebody lends to and somebody sold to.
 * Nothing in it depends on when it is made.
 */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { MaxUint256, ZeroAddress } from "ethers";
import type { HDNodeWallet } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { deployLiquidity } from "../../deploy/deployLiquidity.ts";
import type { LiquidityContracts } from "../../deploy/deployLiquidity.ts";
import type { ValidatorKey } from "../keys.ts";
import { fundedWallets } from "../real/executionGenesis.ts";
import { proveExiting, proveWithdrawn, slash } from "../simulated/localKeeper.ts";
import { openPool } from "../simulated/localLiquidity.ts";
import { fundValidators, predeposit, prove } from "../simulated/localProtocol.ts";
import type { LocalProtocol } from "../simulated/localProtocol.ts";

const ETH = 10n ** 18n;
/** Enough that the correlation penalty of one slashing stays small. */
export const STRANGERS = 320;
/** More than the validators' rewards would be an exceptional day. */
const TIPS_A_DAY = 6n * 10n ** 15n;
/** A validator may leave 256 epochs after its activation. */
const FIRST_EXIT_DAY = 3;
/** Nothing trades before the first report. */
const LENDING_DAY = 2;
/** LP that Erin gets: three tenths of it in ether, seven in estETH. */
const LENT = 57n * ETH;
/** Wei of ether, and units of estETH: more than they cost. */
const LENT_AT_MOST = 60n * ETH;
/** Fay leaves with half of it at once, for at most the highest fee there is. */
const FAY_STAKES = (3n * ETH) / 2n;
const LEAVING_FEE_BP = 300n;
/** The first keys of the mnemonic; those from 5 on are left to whoever tries a deposit. */
const KEYS = { operatorOne: 0, harbour: 3, tideline: 90, waiting: 91 };

/** The accounts of the local chain that are somebody, by their numbers in the mnemonic of local networks. */
export const NUMBERS = {
  deployer: 0,
  governor: 1,
  guardian: 2,
  treasury: 3,
  alice: 4,
  bob: 5,
  carol: 6,
  operatorOne: 7,
  keeper: 8,
  harbourNodes: 9,
  tideline: 10,
  erin: 11,
  fay: 12,
  dave: 15,
  faucet: 19,
} as const;

export function walletOf(name: keyof typeof NUMBERS): HDNodeWallet {
  const wallet = fundedWallets()[NUMBERS[name]];
  if (wallet === undefined) throw new Error(`no account for ${name}`);
  return wallet;
}

/** Whose keys the app's test wallet has. Dave holds nothing yet. */
export function walletAccounts(): { readonly name: string; readonly key: string }[] {
  const named = [
    ...([
      ["Alice", "alice"],
      ["Bob", "bob"],
      ["Carol", "carol"],
      ["Dave", "dave"],
      ["Erin", "erin"],
      ["Fay", "fay"],
    ] as const),
    ...([
      ["Operator One", "operatorOne"],
      ["Harbour Nodes", "harbourNodes"],
      ["Tideline", "tideline"],
      ["Guardian", "guardian"],
    ] as const),
  ];
  return named.map(([name, account]) => ({ name, key: walletOf(account).privateKey }));
}

/** Tips of the blocks that the pool's validators propose within a frame: they arrive with the next block. */
export async function earnTips(p: LocalProtocol): Promise<void> {
  p.beacon.creditExecutionReward(await p.rewardsVault.getAddress(), TIPS_A_DAY);
}

/** Another day, with its report. */
export async function day(p: LocalProtocol): Promise<void> {
  await earnTips(p);
  await p.committee.report();
}

/** @param days at least 6: less is not enough for all that happens */
export async function liveThroughDays(
  p: LocalProtocol,
  connection: NetworkConnection,
  days: number,
  stop?: AbortSignal,
): Promise<LiquidityContracts> {
  const signers = await connection.ethers.getSigners();
  const signer = (name: keyof typeof NUMBERS): HardhatEthersSigner => {
    const found = signers[NUMBERS[name]];
    if (found === undefined) throw new Error("the network has too few accounts");
    return found;
  };
  const stake = (who: HardhatEthersSigner, amount: bigint) =>
    p.pool.connect(who).deposit(who, ZeroAddress, { value: amount });
  await stake(p.alice, 130n * ETH);
  await stake(p.bob, 3n * ETH + 200_100_000_000_000_007n);
  await p.wrapped.connect(p.carol).stake(p.carol, ZeroAddress, { value: 20n * ETH });
  await stake(signer("erin"), 60n * ETH);
  await stake(signer("fay"), FAY_STAKES);
  const liquidity = await deployLiquidity(connection, p);
  const [steady, , doubleVoter] = (await fundValidators(p, 3, KEYS.operatorOne)) as [
    ValidatorKey,
    ValidatorKey,
    ValidatorKey,
  ];
  const harbour = await join(p, signer("harbourNodes"), { tier: 1, name: "Harbour Nodes", bond: 6n * ETH });
  const tideline = await join(p, signer("tideline"), { tier: 2, name: "Tideline", bond: 16n * ETH });
  const [leaver] = (await fundValidators(p, 1, KEYS.tideline, signer("tideline"), tideline)) as [ValidatorKey];
  await fundValidators(p, 2, KEYS.harbour, signer("harbourNodes"), harbour);
  await prove(p, await predeposit(p, 1, KEYS.waiting, signer("harbourNodes"), harbour));
  const exitDay = Math.max(FIRST_EXIT_DAY, Math.floor(days * 0.3));
  let isLeaving = false;
  for (let count = 1; count <= days; count++) {
    stop?.throwIfAborted();
    if (isLeaving && (await proveWithdrawn(p, leaver.pubkey)) !== undefined) isLeaving = false;
    if (count === LENDING_DAY) await lend(p, liquidity, signer("erin"));
    if (count === days) await leaveAtOnce(p, liquidity, signer("fay"));
    if (count === exitDay) {
      p.beacon.voluntaryExit(leaver.pubkey);
      await proveExiting(p, leaver.pubkey);
      isLeaving = true;
    }
    if (count === Math.floor(days * 0.6)) await slash(p, doubleVoter.pubkey);
    // more than a day earns: a fall that everybody bears
    if (count === Math.floor(days * 0.8)) p.beacon.penalise(steady.pubkey, 40_000_000n);
    if (count === days - 4) await p.queue.connect(p.alice).requestWithdrawals([ETH / 2n, (3n * ETH) / 10n], p.alice);
    await day(p);
  }
  await p.queue.connect(p.alice).requestWithdrawals([(3n * ETH) / 2n, 110n * ETH], p.alice);
  return liquidity;
}

/** In both assets, and of estETH that is there: the protocol's own books do not move. */
async function lend(p: LocalProtocol, { etherPool }: LiquidityContracts, lender: HardhatEthersSigner): Promise<void> {
  await openPool(p, etherPool);
  await p.token.connect(lender).approve(etherPool, LENT_AT_MOST);
  await etherPool.connect(lender).enter(LENT, LENT_AT_MOST, lender, { value: LENT_AT_MOST });
  await p.token.connect(lender).approve(etherPool, 0n);
}

async function leaveAtOnce(
  p: LocalProtocol,
  { router }: LiquidityContracts,
  seller: HardhatEthersSigner,
): Promise<void> {
  const shares = (await p.token.sharesOf(seller)) / 2n;
  const least = ((await p.token.getPooledEthByShares(shares)) * (10_000n - LEAVING_FEE_BP)) / 10_000n;
  await p.token.connect(seller).approve(router, MaxUint256);
  await router.connect(seller).leaveShares(shares, LEAVING_FEE_BP, least, seller, MaxUint256);
  await p.token.connect(seller).approve(router, 0n);
}

/** @returns the operator's id */
async function join(
  { operators }: LocalProtocol,
  owner: HardhatEthersSigner,
  { tier, name, bond }: { readonly tier: number; readonly name: string; readonly bond: bigint },
): Promise<bigint> {
  await operators.connect(owner).join(tier, owner, name);
  const id = await operators.operatorCount();
  await operators.connect(owner).addBond(id, { value: bond });
  return id;
}
