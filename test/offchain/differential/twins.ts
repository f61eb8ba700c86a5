/**
 * The deployed protocol and the ProtocolModel, side by side: every action goes to both, with the same outcome or the same refusal, and every
 * book is compared after it. The test speaks for the oracle and the registries.
 */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import { deployEstuary } from "../../../deploy/deploy.ts";
import type { Contracts } from "../../../deploy/deploy.ts";
import { LOCAL_SETTINGS } from "../../../deploy/lib/parameters.ts";
import { ProtocolError } from "../../../offchain/protocol/errors.ts";
import { countedTime, scheduleOf, slotTime } from "../../../offchain/protocol/frames.ts";
import type { Grid } from "../../../offchain/protocol/frames.ts";
import { max, saturatingSub } from "../../../offchain/protocol/integers.ts";
import { ProtocolModel } from "../../../offchain/protocol/model.ts";
import { oldestRoundEnd, payment } from "../../../offchain/protocol/queue.ts";
import { rateDown } from "../../../offchain/protocol/shares.ts";
import { SHARES_PER_UNIT, TOP_UP, bp, shares, wei } from "../../../offchain/protocol/units.ts";
import type { Shares, Wei } from "../../../offchain/protocol/units.ts";
import { wrapped as wrappedBy } from "../../../offchain/protocol/wrapped.ts";
import { connection, ethers, networkHelpers, provider } from "../../helpers/network.ts";
import { peersOf, policyOf } from "../../helpers/peersOf.ts";
import { decodedError } from "../../helpers/refusal.ts";
import { someKeys } from "../../helpers/someKeys.ts";
import { DEPOSIT_CONTRACT, installPredeploys } from "../../../devnet/predeploys.ts";

const GAS = { gasLimit: 16_000_000n };
const WEIGHT = 500n;
/** Validators that earn weight, of as many funded through the registry. */
const ACTIVE = 3n;
const MAX_HELD = 200_000_000n * 10n ** 18n;
const PLENTY = 10n ** 30n;
/** Room is left for those that are funded one by one. */
const MOST_FUNDED = 2n ** 24n - 10_000n;

export type Deployed = Awaited<ReturnType<typeof deployed>>;

/** The protocol without its beacon chain; deposits up to anything. */
export async function deployed() {
  const signers = await ethers.getSigners();
  const [deployer, governor, guardian, treasury, operator, ...stakers] = signers.slice(0, 10) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    ...HardhatEthersSigner[],
  ];
  await installPredeploys(provider);
  const { timestamp } = await latestBlock();
  const settings = { ...LOCAL_SETTINGS, depositCapGwei: 200_000_000n * 10n ** 9n };
  const contracts = await deployEstuary(
    connection,
    {
      genesisTime: BigInt(timestamp) - 100n * 384n,
      depositContract: DEPOSIT_CONTRACT,
      electraSlot: 0n,
      firstSummarySlot: 0n,
    },
    {
      governor: governor.address,
      guardian: guardian.address,
      treasury: treasury.address,
      committee: [deployer.address],
      quorum: 1n,
    },
    settings,
  );
  const { oracle, operators, token, validators, wrapped } = contracts;
  await operators.connect(governor).addOperator(0, operator.address, operator.address, "Operator One");
  const [oracleSelf, validatorsSelf, operatorsSelf] = await Promise.all([oracle, validators, operators].map(speakFor));
  if (!oracleSelf || !validatorsSelf || !operatorsSelf) throw new Error("nobody to speak for");
  for (let n = 0n; n < ACTIVE; n++) await operators.connect(validatorsSelf).onProven(1);
  await operators.connect(validatorsSelf).onFunded(1, ACTIVE, 0);
  for (const staker of stakers) {
    await networkHelpers.setBalance(staker.address, PLENTY);
    await token.connect(staker).approve(wrapped, 2n ** 256n - 1n);
  }
  const lens = await ethers.deployContract("LedgerLens");
  const byNumber = await fundingByNumber(contracts);
  const vaults = {
    withdrawal: await contracts.withdrawalVault.getAddress(),
    rewards: await contracts.rewardsVault.getAddress(),
  };
  return {
    ...contracts,
    vaults,
    byNumber,
    governor,
    guardian,
    treasury,
    stakers,
    oracleSelf,
    validatorsSelf,
    operatorsSelf,
    lens,
    settings,
  };
}

/** The pool with the same code and one function more, in its place: no key is needed for each of a million validators. */
async function fundingByNumber({ authority, pool }: Contracts) {
  const copy = await ethers.deployContract("PoolWithoutKeys", [authority, await peersOf(pool), await policyOf(pool)]);
  const code = await copy.getDeployedCode();
  if (code === null) throw new Error("no code");
  await networkHelpers.setCode(await pool.getAddress(), code);
  return ethers.getContractAt("PoolWithoutKeys", await pool.getAddress());
}

async function speakFor(contract: { getAddress(): Promise<string> }): Promise<HardhatEthersSigner> {
  const address = await contract.getAddress();
  await networkHelpers.impersonateAccount(address);
  await networkHelpers.setBalance(address, PLENTY);
  return ethers.getSigner(address);
}

async function latestBlock() {
  const block = await ethers.provider.getBlock("latest");
  if (block === null) throw new Error("no block");
  return block;
}

export interface ReportChoice {
  readonly frames?: bigint;
  /** Seconds after the reference, or now if that is later. */
  readonly delay?: bigint;
  readonly clBalance: Wei;
  /** The part of it that is on its way out; none unless told. */
  readonly leaving?: Wei;
  /** What each vault held at the reference; may be more than it holds. */
  readonly fromWithdrawalVault?: Wei;
  readonly fromRewardsVault?: Wei;
  readonly incident?: boolean;
}

export class Twins {
  readonly chain: Deployed;
  readonly model: ProtocolModel;
  readonly grid: Grid;
  now: bigint;
  lastRefSlot: bigint;
  /** By the guardian. */
  requestsPaused = false;
  readonly #accounts: readonly string[];
  readonly #wrapper: string;
  #weights = { total: WEIGHT * ACTIVE, active: ACTIVE };
  #funds = 0n;

  private constructor(
    chain: Deployed,
    model: ProtocolModel,
    grid: Grid,
    now: bigint,
    addresses: { readonly accounts: readonly string[]; readonly wrapper: string },
  ) {
    this.chain = chain;
    this.model = model;
    this.grid = grid;
    this.now = now;
    this.lastRefSlot = grid.firstRefSlot;
    this.#accounts = addresses.accounts;
    this.#wrapper = addresses.wrapper;
  }

  /**
   * Starts the model where the deployment has left the chain.
   * @param others accounts that will have shares
   */
  static async start(chain: Deployed, others: readonly string[] = []): Promise<Twins> {
    const { oracle, operators, pool, queue, stakers, treasury, settings, wrapped } = chain;
    const addressOf = (contract: { getAddress(): Promise<string> }) => contract.getAddress();
    const locked = await chain.token.LOCKED();
    const wrapper = await addressOf(wrapped);
    const model = new ProtocolModel({
      feeBp: bp(settings.feeBp),
      maxAprBp: bp(settings.maxAprBp),
      depositCap: wei(settings.depositCapGwei * 10n ** 9n),
      secondsPerFrame: await queue.frame(),
      queue: await addressOf(queue),
      operators: await addressOf(operators),
      treasury: treasury.address,
      locked,
    });
    const grid: Grid = {
      genesisTime: await oracle.genesisTime(),
      firstRefSlot: await oracle.lastRefSlot(),
      slotsPerFrame: await oracle.slotsPerFrame(),
      finalisationMargin: await oracle.finalisationMargin(),
      grace: await oracle.grace(),
    };
    const { lastRefTime } = await pool.books();
    model.bootstrap(wei(settings.bootstrapWei), lastRefTime, scheduleOf(grid.firstRefSlot, grid));
    const accounts = [
      ...stakers.map(({ address }) => address),
      ...[treasury.address, model.settings.queue, model.settings.operators, locked, wrapper, ...others],
    ];
    const { timestamp } = await latestBlock();
    const twins = new Twins(chain, model, grid, BigInt(timestamp), {
      accounts,
      wrapper,
    });
    await twins.compare();
    return twins;
  }

  // --- time ---

  wait(seconds: bigint): void {
    this.now += seconds;
  }

  get lastRefTime(): bigint {
    return slotTime(this.lastRefSlot, this.grid.genesisTime);
  }

  // --- stakers ---

  async deposit(staker: HardhatEthersSigner, amount: bigint): Promise<string> {
    return this.act(
      () => this.model.deposit(staker.address, wei(amount), this.now),
      () => this.chain.pool.connect(staker).deposit(staker, ethers.ZeroAddress, { ...GAS, value: amount }),
    );
  }

  async transfer(from: HardhatEthersSigner, to: HardhatEthersSigner, amount: bigint): Promise<string> {
    return this.act(
      () => this.model.transfer(from.address, to.address, wei(amount)),
      () => this.chain.token.connect(from).transfer(to, amount, GAS),
    );
  }

  async transferShares(from: HardhatEthersSigner, to: { readonly address: string }, amount: bigint): Promise<string> {
    return this.act(
      () => this.model.transferShares(from.address, to.address, shares(amount)),
      () => this.chain.token.connect(from).transferShares(to.address, amount, GAS),
    );
  }

  async wrap(staker: HardhatEthersSigner, amount: bigint): Promise<string> {
    const { model } = this;
    return this.act(
      () => {
        const units = wrappedBy(wei(amount), model.sharesOf(staker.address), model.totals);
        if (units === undefined) {
          throw new ProtocolError("ERC20InsufficientBalance", [
            staker.address,
            model.balanceOf(staker.address),
            amount,
          ]);
        }
        if (units === 0n) throw new ProtocolError("ZeroAmount", []);
        model.transferShares(staker.address, this.#wrapper, shares(units * SHARES_PER_UNIT));
      },
      () => this.chain.wrapped.connect(staker).wrap(amount, GAS),
    );
  }

  async request(owner: HardhatEthersSigner, amounts: readonly bigint[]): Promise<string> {
    return this.act(
      () => this.model.request(owner.address, amounts.map(wei), this.now),
      () => this.chain.queue.connect(owner).requestWithdrawals([...amounts], owner, GAS),
    );
  }

  async requestShares(owner: HardhatEthersSigner, amounts: readonly bigint[]): Promise<string> {
    return this.act(
      () => this.model.requestShares(owner.address, amounts.map(shares), this.now),
      () => this.chain.queue.connect(owner).requestWithdrawalsShares([...amounts], owner, GAS),
    );
  }

  /** Claims to an account that has nothing else. Hints may be anything. */
  async claim(caller: HardhatEthersSigner, ids: readonly number[], hints: readonly bigint[]): Promise<string> {
    const receiver = ethers.Wallet.createRandom().address;
    let owed = 0n;
    const attempt = this.model.clone();
    const outcome = await this.act(
      () => {
        // all or nothing
        for (const id of ids) attempt.claim(caller.address, id);
        for (const id of ids) owed += this.model.claim(caller.address, id);
      },
      () => this.chain.queue.connect(caller).claimWithdrawals([...ids], [...hints], receiver, GAS),
    );
    expect(await ethers.provider.getBalance(receiver)).to.equal(owed);
    return outcome;
  }

  // --- anyone, registries, oracle ---

  async continueFinalisation(): Promise<string> {
    const [anyone] = this.chain.stakers;
    if (anyone === undefined) throw new Error("nobody");
    return this.act(
      () => this.model.continueFinalisation(this.now),
      () => this.chain.pool.connect(anyone).continueFinalisation(GAS),
    );
  }

  /** Fewer where the pool, which counts 2^24 validators ever, 537 million ETH, would end. */
  async fund(wanted: bigint): Promise<string> {
    const left = max(0n, MOST_FUNDED - this.model.books.funded / (32n * 10n ** 18n));
    const count = wanted < left ? wanted : left;
    return this.act(
      () => this.model.fund(count, this.now),
      () => this.chain.byNumber.connect(this.chain.validatorsSelf).fundByNumber(count, GAS),
    );
  }

  async fundOwn(staker: HardhatEthersSigner): Promise<string> {
    const [key = ""] = someKeys(1n);
    return this.act(
      () => this.model.fundOwn(staker.address, this.now),
      () => this.chain.pool.connect(this.chain.validatorsSelf).fundOwn(key, staker, { ...GAS, value: TOP_UP }),
    );
  }

  async noteSlashing(slotTimeOfIt: bigint): Promise<string> {
    return this.act(
      () => this.model.noteSlashing(slotTimeOfIt),
      () => this.chain.pool.connect(this.chain.validatorsSelf).noteSlashing(slotTimeOfIt, GAS),
    );
  }

  async noteSlashings(slotTimeOfThem: bigint, count: bigint): Promise<string> {
    return this.act(
      () => {
        for (let n = 0n; n < count; n++) this.model.noteSlashing(slotTimeOfThem);
      },
      () => this.chain.byNumber.connect(this.chain.validatorsSelf).noteSlashings(slotTimeOfThem, count, GAS),
    );
  }

  /** The oracle announced a report. */
  async hold(): Promise<string> {
    return this.act(
      () => this.model.hold(this.now),
      () => this.chain.pool.connect(this.chain.oracleSelf).hold(GAS),
    );
  }

  /** Shares of the registry that are not owed to the treasury, now or once they are a whole unit. */
  async notTheTreasurys(): Promise<Shares> {
    const { operators } = this.chain;
    const owed = (await operators.treasuryShares()) + SHARES_PER_UNIT;
    return shares(saturatingSub(this.model.sharesOf(this.model.settings.operators), owed));
  }

  /** The registry moves shares of a bond to the queue and tells the pool. */
  async addCover(amount: Shares): Promise<string> {
    const { operatorsSelf, pool, queue, token } = this.chain;
    await this.#tick();
    await token.connect(operatorsSelf).transferShares(queue, amount, GAS);
    return this.act(
      () => this.model.addCover(amount),
      () => pool.connect(operatorsSelf).addCover(amount, GAS),
    );
  }

  /** A validator stops earning weight; the last one never does. */
  async stopWeight(): Promise<void> {
    if (this.#weights.total === WEIGHT) return;
    await this.#tick();
    await this.chain.operators.connect(this.chain.validatorsSelf).onWeightStopped(1, GAS);
    this.model.divideFees(this.#weights);
    this.#weights = { ...this.#weights, total: this.#weights.total - WEIGHT };
  }

  async payTreasury(): Promise<string> {
    return this.act(
      () => {
        this.model.divideFees(this.#weights);
        this.model.payTreasury();
      },
      () => this.chain.operators.connect(this.chain.governor).payTreasury(GAS),
    );
  }

  /** Never more than there could be. */
  async receive(vault: "withdrawal" | "rewards", amount: bigint): Promise<void> {
    const held = (await this.held(vault)) + amount;
    await networkHelpers.setBalance(this.chain.vaults[vault], held < MAX_HELD ? held : MAX_HELD);
  }

  async held(vault: "withdrawal" | "rewards"): Promise<bigint> {
    return ethers.provider.getBalance(this.chain.vaults[vault]);
  }

  /** Applies a report of the frame `frames` after the last. */
  async report(choice: ReportChoice): Promise<string> {
    const { grid, model } = this;
    const refSlot = this.lastRefSlot + (choice.frames ?? 1n) * grid.slotsPerFrame;
    const schedule = scheduleOf(refSlot, grid);
    const earliest = schedule.refTime + (choice.delay ?? 3_600n);
    if (this.now < earliest) this.now = earliest - 1n;
    const vault = async (name: "withdrawal" | "rewards", received = wei(0n)) => ({
      reported: received,
      held: wei(await this.held(name)),
    });
    const elapsed = countedTime(refSlot, this.lastRefSlot, grid);
    const withdrawalVault = await vault("withdrawal", choice.fromWithdrawalVault);
    const rewardsVault = await vault("rewards", choice.fromRewardsVault);
    const incident = choice.incident ?? false;
    const { clBalance, leaving = wei(0n) } = choice;
    const outcome = await this.act(
      () =>
        model.report({
          ...schedule,
          now: this.now,
          elapsed,
          clBalance,
          leaving,
          withdrawalVault,
          rewardsVault,
          incident,
        }),
      () =>
        this.chain.pool.connect(this.chain.oracleSelf).applyReport(
          {
            ...schedule,
            elapsed,
            clBalance,
            leaving,
            withdrawalVaultBalance: withdrawalVault.reported,
            rewardsVaultBalance: rewardsVault.reported,
            incident,
          },
          GAS,
        ),
    );
    if (outcome === "done") this.lastRefSlot = refSlot;
    return outcome;
  }

  // --- both sides ---

  async #tick(): Promise<void> {
    this.now += 1n;
    await networkHelpers.time.setNextBlockTimestamp(this.now);
  }

  /** Acts on both sides: "done", or the refusal that both give. */
  async act(act: () => unknown, send: () => Promise<ContractTransactionResponse>): Promise<string> {
    await this.#tick();
    const ours = nameOf(() => act());
    const theirs = await send().then(
      () => "done",
      (error: unknown) => customError(error, this.chain),
    );
    expect(theirs).to.equal(ours);
    await this.compare();
    return ours.replace(/\(.*/, "");
  }

  /** Every book, on both sides. */
  async compare(): Promise<void> {
    const { model } = this;
    const asked = this.now % 7n;
    const { lens, token, wrapped } = this.chain;
    const view = await lens.read(token, wrapped, [...this.#accounts], asked, 1);
    const theirs = view.books as unknown as Record<string, unknown>;
    // but for the flag of a role
    const theirBooks = Object.fromEntries(Object.keys(model.books).map((key) => [key, theirs[key]]));
    const { queue } = model;
    const count = queue.endUnits.length;
    const ids = Array.from({ length: count }, (_id, index) => index + 1);
    const claimable = ids.map((id) => (model.ownerOf(id) === undefined ? 0n : (payment(queue, id) ?? 0n)));
    expect({
      totals: [view.totalEther, view.totalShares, view.rate],
      shares: [...view.shares],
      balances: [...view.balances],
      books: theirBooks,
      etherAtValidators: view.etherAtValidators,
      buffer: view.buffer,
      promised: view.promised,
      depositable: view.depositable,
      exitDemand: view.exitDemand,
      calm: [view.isCalm, view.refTime],
      unfinalisedShares: view.unfinalisedShares,
      oldestRoundEnd: view.oldestRoundEnd,
      lastRequestId: view.lastRequestId,
      lastFinalizedId: view.lastFinalizedId,
      claimable: [...view.claimable],
      poolEther: view.poolEther,
    }).to.deep.equal({
      totals: [model.totals.ether, model.totals.shares, rateDown(model.totals)],
      shares: this.#accounts.map((account) => model.sharesOf(account)),
      balances: this.#accounts.map((account) => model.balanceOf(account)),
      books: { ...model.books },
      etherAtValidators: model.etherAtValidators(),
      buffer: model.buffer(),
      promised: model.promised(),
      depositable: model.depositable(),
      exitDemand: model.exitDemand(asked),
      calm: [!this.requestsPaused && model.isCalm(view.time), model.books.lastRefTime],
      unfinalisedShares: model.unfinalisedShares(),
      oldestRoundEnd: oldestRoundEnd(queue) ?? 0n,
      lastRequestId: BigInt(count),
      lastFinalizedId: BigInt(model.lastFinalizedId()),
      claimable,
      poolEther: model.buffer(),
    });
    const sum = view.shares.reduce((total, each) => total + each, 0n);
    expect(sum, "all accounts have all shares").to.equal(view.totalShares);
    expect(view.wrappedSum, "all accounts have all westETH").to.equal(view.wrapped);
    expect(model.sharesOf(this.#wrapper) >= view.wrapped * SHARES_PER_UNIT).to.be.true;
    expect(view.queueEther >= claimable.reduce<bigint>((sum, amount) => sum + amount, 0n)).to.be.true;
  }
}

function nameOf(act: () => unknown): string {
  try {
    act();
    return "done";
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
}

/** `Name(values)`, as the model says it: it names the vaults. */
function customError(error: unknown, { pool, queue, token, wrapped, vaults }: Deployed): string {
  const { name, args } = decodedError(error, [pool, queue, token, wrapped]);
  return `${name}(${args.map(String).join(", ")})`
    .replace(vaults.withdrawal, "withdrawalVault")
    .replace(vaults.rewards, "rewardsVault");
}
