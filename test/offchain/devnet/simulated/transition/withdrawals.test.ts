import { expect } from "chai";
import { cloneState } from "../../../../../devnet/simulated/state/state.ts";
import type { CoreState } from "../../../../../devnet/simulated/state/state.ts";
import {
  processBlock,
  processCompressedSlots,
  processMissedSlots,
} from "../../../../../devnet/simulated/transition/transition.ts";
import { addSwept, processWithdrawals } from "../../../../../devnet/simulated/transition/withdrawals.ts";
import type { SweptGwei } from "../../../../../devnet/simulated/transition/withdrawals.ts";
import { CREDENTIALS_02, CREDENTIALS_BLS, ETH, OWNER, RULES, add, stateAtEpoch } from "./states.ts";

const CONTEXT = { rules: RULES, verify: () => true };
const EMPTY = { operations: [], deposits: [], withdrawals: [], sweeps: true } as const;

describe("simulated sweeps", () => {
  it("pays what exceeds 32 ETH, and everything once withdrawable", () => {
    const state = stateAtEpoch(300, 1);
    const rich = add(state, { balanceGwei: 32 * ETH + 7 });
    const done = add(state, { exitEpoch: 44, withdrawableEpoch: 300, balanceGwei: 31 * ETH });
    add(state, { exitEpoch: 45, withdrawableEpoch: 301 }); // not yet
    add(state, { balanceGwei: 32 * ETH + 7, withdrawalCredentials: CREDENTIALS_BLS }); // no address
    add(state, { balanceGwei: 33 * ETH, effectiveBalanceGwei: 31 * ETH }); // not at the maximum
    const paid = processWithdrawals(state);
    expect(paid).to.deep.equal([
      { index: 0, validatorIndex: rich, address: OWNER, amountGwei: 7 },
      { index: 1, validatorIndex: done, address: OWNER, amountGwei: 31 * ETH },
    ]);
    expect(state.balancesGwei[rich]).to.equal(32 * ETH);
    expect(state.balancesGwei[done]).to.equal(0);
    expect(state.nextWithdrawalIndex).to.equal(2);
    expect(state.nextWithdrawalValidatorIndex).to.equal(16_384 % 6);
  });

  it("pays sixteen a block, in the order of indices, and goes on where it stopped", () => {
    const state = stateAtEpoch(300, 40);
    state.balancesGwei.fill(32 * ETH + 1);
    state.nextWithdrawalValidatorIndex = 30;
    const first = processWithdrawals(state).map(({ validatorIndex }) => validatorIndex);
    expect(first).to.deep.equal([30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 0, 1, 2, 3, 4, 5]);
    expect(state.nextWithdrawalValidatorIndex).to.equal(6);
    expect(processWithdrawals(state)[0]?.validatorIndex).to.equal(6);
    expect(processWithdrawals(state).length).to.equal(8);
  });

  it("looks at no more than 16,384 validators", () => {
    const state = stateAtEpoch(300, 16_400);
    state.balancesGwei[16_390] = 33 * ETH;
    expect(processWithdrawals(state)).to.deep.equal([]);
    expect(state.nextWithdrawalValidatorIndex).to.equal(16_384);
    expect(processWithdrawals(state).length).to.equal(1);
  });

  it("pays requested partial amounts first, eight a block, and drops those of a validator that exits", () => {
    const state = stateAtEpoch(300, 0);
    const compounding = { withdrawalCredentials: CREDENTIALS_02, effectiveBalanceGwei: 50 * ETH };
    const index = add(state, compounding);
    const exiting = add(state, { ...compounding, exitEpoch: 400, withdrawableEpoch: 656 });
    const item = (validatorIndex: number, withdrawableEpoch = 300) => ({
      validatorIndex,
      amountGwei: 10 * ETH,
      withdrawableEpoch,
    });
    state.pendingPartialWithdrawals = [item(exiting), item(index), item(index), item(index, 301)];
    const paid = processWithdrawals(state);
    expect(paid.map(({ amountGwei }) => amountGwei / ETH)).to.deep.equal([10, 8]); // down to 32 ETH
    expect(state.pendingPartialWithdrawals).to.deep.equal([item(index, 301)]);
    state.pendingPartialWithdrawals = Array.from({ length: 9 }, () => item(exiting));
    processWithdrawals(state);
    expect(state.pendingPartialWithdrawals.length, "items that pay nothing do not count").to.equal(0);
  });
});

describe("simulated skipped slots", () => {
  const slotBySlot = (state: CoreState, target: number): number => {
    let paid = 0;
    while (state.slot < target) {
      processMissedSlots(state, CONTEXT, state.slot + 1);
      for (const { amountGwei } of processBlock(state, CONTEXT, EMPTY)) paid += amountGwei;
    }
    return paid;
  };

  it("end in the same state as a block in every slot", () => {
    const slow = stateAtEpoch(300, 100);
    add(slow, { exitEpoch: 44, withdrawableEpoch: 302 });
    const whale = add(slow, { withdrawalCredentials: CREDENTIALS_02, effectiveBalanceGwei: 50 * ETH });
    slow.pendingPartialWithdrawals = [{ validatorIndex: whale, amountGwei: ETH, withdrawableEpoch: 303 }];
    slow.behaviour.offline.add(9);
    slow.slot += 10;
    const fast = cloneState(slow);
    const target = slow.slot + 5 * 32 + 3;
    const paidSlowly = slotBySlot(slow, target);
    const swept: SweptGwei = new Map();
    processCompressedSlots(fast, CONTEXT, target, swept);
    addSwept(swept, processBlock(fast, CONTEXT, EMPTY));
    const paid = [...swept.values()].reduce((sum, amountGwei) => sum + amountGwei, 0);
    expect(fast).to.deep.equal(slow);
    expect(paid).to.equal(paidSlowly);
    expect(paid).to.be.greaterThan(33 * ETH);
  });

  it("sweep nothing when they are missed", () => {
    const state = stateAtEpoch(300, 4);
    processMissedSlots(state, CONTEXT, state.slot + 64);
    expect(state.nextWithdrawalIndex).to.equal(0);
    expect(state.balancesGwei[0]).to.equal(32 * ETH + 2 * 11_104);
  });
});
