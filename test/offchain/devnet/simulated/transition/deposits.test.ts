import { expect } from "chai";
import { processDepositRequest, processPendingDeposits } from "../../../../../devnet/simulated/transition/deposits.ts";
import type { CoreState, Hex } from "../../../../../devnet/simulated/state/state.ts";
import { CREDENTIALS_01, CREDENTIALS_02, ETH, RULES, SIGNATURE, add, pubkeyOf, stateAtEpoch } from "./states.ts";

const ALL_VALID = (): boolean => true;
const NONE_VALID = (): boolean => false;
const FIRST_NEW = 1_000;

function deposit(
  state: CoreState,
  key: number,
  amountGwei: number,
  slot: number,
  credentials: Hex = CREDENTIALS_01,
): void {
  const at = state.slot;
  state.slot = slot;
  processDepositRequest(state, {
    pubkey: pubkeyOf(key),
    withdrawalCredentials: credentials,
    amountGwei,
    signature: SIGNATURE,
    index: BigInt(state.pendingDeposits.length),
  });
  state.slot = at;
}

describe("simulated deposits", () => {
  it("records the slot of the request and the first request's index", () => {
    const state = stateAtEpoch(10);
    state.eth1DepositIndex = 5;
    processDepositRequest(state, {
      pubkey: pubkeyOf(1),
      withdrawalCredentials: CREDENTIALS_01,
      amountGwei: ETH,
      signature: SIGNATURE,
      index: 5n,
    });
    expect(state.depositRequestsStartIndex).to.equal(5n);
    expect(state.pendingDeposits[0]).to.include({ slot: 351, amountGwei: ETH });
  });

  it("waits until the deposit's slot is finalised", () => {
    const state = stateAtEpoch(10); // finalised: epoch 8, slot 256
    deposit(state, FIRST_NEW, 32 * ETH, 256);
    deposit(state, FIRST_NEW + 1, 32 * ETH, 257);
    processPendingDeposits(state, RULES, ALL_VALID);
    expect(state.validators.length).to.equal(65);
    expect(state.pendingDeposits.map(({ slot }) => slot)).to.deep.equal([257]);
    expect(state.depositBalanceToConsumeGwei).to.equal(0);
  });

  it("lets 128 ETH an epoch in and carries the rest of the allowance when the next deposit does not fit", () => {
    const state = stateAtEpoch(10);
    for (let i = 0; i < 5; i++) deposit(state, FIRST_NEW + i, 31 * ETH, 10);
    processPendingDeposits(state, RULES, ALL_VALID);
    expect(state.pendingDeposits.length).to.equal(1);
    expect(state.depositBalanceToConsumeGwei).to.equal(4 * ETH);
    processPendingDeposits(state, RULES, ALL_VALID);
    expect(state.pendingDeposits.length).to.equal(0);
    expect(state.depositBalanceToConsumeGwei).to.equal(0);
  });

  it("processes at most 16 deposits an epoch", () => {
    const state = stateAtEpoch(10);
    for (let i = 0; i < 20; i++) deposit(state, FIRST_NEW + i, ETH, 10);
    processPendingDeposits(state, RULES, ALL_VALID);
    expect(state.validators.length).to.equal(64 + 16);
    expect(state.pendingDeposits.length).to.equal(4);
  });

  it("creates the validator with its amount rounded down to 1 ETH, capped by its credentials", () => {
    const state = stateAtEpoch(10);
    deposit(state, FIRST_NEW, 1.5 * ETH, 10);
    deposit(state, FIRST_NEW + 1, 40 * ETH, 10);
    deposit(state, FIRST_NEW + 2, 40 * ETH, 10, CREDENTIALS_02);
    processPendingDeposits(state, RULES, ALL_VALID);
    const created = state.validators.slice(64);
    expect(created.map(({ effectiveBalanceGwei }) => effectiveBalanceGwei / ETH)).to.deep.equal([1, 32, 40]);
    expect(state.balancesGwei.slice(64)).to.deep.equal([1.5 * ETH, 40 * ETH, 40 * ETH]);
    expect(created.map(({ activationEligibilityEpoch }) => activationEligibilityEpoch)).to.deep.equal([
      Infinity,
      Infinity,
      Infinity,
    ]);
  });

  it("loses a first deposit with an invalid signature; a later valid one of the same key creates the validator", () => {
    const state = stateAtEpoch(10);
    deposit(state, FIRST_NEW, 32 * ETH, 10);
    processPendingDeposits(state, RULES, NONE_VALID);
    expect(state.validators.length).to.equal(64);
    expect(state.pendingDeposits.length).to.equal(0);
    deposit(state, FIRST_NEW, ETH, 11);
    processPendingDeposits(state, RULES, ALL_VALID);
    expect(state.balancesGwei[64]).to.equal(ETH);
  });

  it("never looks at a top-up's signature, nor at its credentials", () => {
    const state = stateAtEpoch(10);
    deposit(state, 3, 5 * ETH, 10, CREDENTIALS_02);
    processPendingDeposits(state, RULES, NONE_VALID);
    expect(state.balancesGwei[3]).to.equal(37 * ETH);
    expect(state.validators[3]?.withdrawalCredentials).to.equal(CREDENTIALS_01);
  });

  it("moves a deposit to an exiting validator to the end of the queue, outside the allowance", () => {
    const state = stateAtEpoch(10);
    const exiting = add(state, { exitEpoch: 12, withdrawableEpoch: 268 });
    deposit(state, exiting, 100 * ETH, 10);
    deposit(state, FIRST_NEW, 128 * ETH, 11);
    deposit(state, FIRST_NEW + 1, ETH, 400);
    processPendingDeposits(state, RULES, ALL_VALID);
    expect(state.balancesGwei[exiting]).to.equal(32 * ETH);
    expect(state.pendingDeposits.map(({ slot }) => slot)).to.deep.equal([400, 10]);
  });

  it("credits a deposit to a withdrawable validator at once, outside the allowance", () => {
    const state = stateAtEpoch(300);
    const withdrawn = add(state, { exitEpoch: 44, withdrawableEpoch: 300, balanceGwei: 0 });
    const notYet = add(state, { exitEpoch: 45, withdrawableEpoch: 301, balanceGwei: 0 });
    deposit(state, withdrawn, 500 * ETH, 10);
    deposit(state, notYet, 500 * ETH, 10);
    processPendingDeposits(state, RULES, ALL_VALID);
    expect(state.balancesGwei[withdrawn]).to.equal(500 * ETH);
    expect(state.balancesGwei[notYet]).to.equal(0);
    expect(state.pendingDeposits.length).to.equal(1);
  });
});
