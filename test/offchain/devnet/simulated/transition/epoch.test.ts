import { expect } from "chai";
import { processEpoch } from "../../../../../devnet/simulated/transition/epoch.ts";
import { rewardPerIncrementForApr } from "../../../../../devnet/simulated/transition/rewards.ts";
import { startSlotOf } from "../../../../../devnet/simulated/state/state.ts";
import type { CoreState } from "../../../../../devnet/simulated/state/state.ts";
import { ETH, RULES, add, stateAtEpoch } from "./states.ts";

const NEW = { activationEligibilityEpoch: Infinity, activationEpoch: Infinity };

/** Processes the epoch's end and moves to the last slot of the next. */
function turn(state: CoreState, epochs = 1): void {
  for (let i = 0; i < epochs; i++) {
    processEpoch(state, RULES, () => true);
    state.slot += 32;
  }
}

describe("simulated registry", () => {
  it("makes a validator eligible at 32 ETH of effective balance and activates it once that epoch is finalised", () => {
    const state = stateAtEpoch(10);
    const index = add(state, NEW);
    const poor = add(state, { ...NEW, effectiveBalanceGwei: 31 * ETH });
    turn(state); // end of epoch 10
    expect(state.validators[index]?.activationEligibilityEpoch).to.equal(11);
    turn(state, 2); // ends of 11 and 12; epoch 11 is finalised at the end of 12
    expect(state.finalizedEpoch).to.equal(11);
    expect(state.validators[index]?.activationEpoch).to.equal(12 + 1 + 4);
    expect(state.validators[poor]).to.include(NEW);
  });

  it("does not activate without finality", () => {
    const state = stateAtEpoch(10);
    state.behaviour.finalityStopped = true;
    const index = add(state, NEW);
    turn(state, 20);
    expect(state.validators[index]).to.include({ activationEligibilityEpoch: 11, activationEpoch: Infinity });
  });

  it("ejects an active validator whose effective balance is 16 ETH", () => {
    const state = stateAtEpoch(10);
    const index = add(state, { effectiveBalanceGwei: 16 * ETH });
    const other = add(state, { effectiveBalanceGwei: 17 * ETH });
    turn(state);
    expect(state.validators[index]?.exitEpoch).to.equal(15);
    expect(state.validators[other]?.exitEpoch).to.equal(Infinity);
  });
});

describe("simulated effective balances", () => {
  for (const [effective, balanceGwei, expected] of [
    [32, 31.75 * ETH, 32],
    [32, 31.75 * ETH - 1, 31],
    [31, 32.25 * ETH, 31],
    [31, 32.25 * ETH + 1, 32],
    [32, 40 * ETH, 32],
  ] as const) {
    it(`goes from ${effective} to ${expected} ETH at a balance of ${balanceGwei} gwei`, () => {
      const state = stateAtEpoch(10);
      state.behaviour.rewardPerIncrementGwei = 0;
      const index = add(state, { effectiveBalanceGwei: effective * ETH, balanceGwei });
      turn(state);
      expect(state.validators[index]?.effectiveBalanceGwei).to.equal(expected * ETH);
    });
  }
});

describe("simulated finality", () => {
  it("starts as on a new chain: epoch 2 is finalised at the end of epoch 3, and then one each epoch", () => {
    const state = stateAtEpoch(0);
    state.justificationBits = [false, false, false, false];
    state.previousQuorum = false;
    const finalized: number[] = [];
    for (let i = 0; i < 6; i++) {
      turn(state);
      finalized.push(state.finalizedEpoch);
    }
    expect(finalized).to.deep.equal([0, 0, 0, 2, 3, 4]);
  });

  it("keeps the finalised epoch two behind the head's", () => {
    const state = stateAtEpoch(10);
    turn(state, 5);
    expect(startSlotOf(15) <= state.slot).to.equal(true);
    expect(state).to.include({ finalizedEpoch: 13, currentJustifiedEpoch: 14, previousJustifiedEpoch: 13 });
  });

  it("stops while more than a third of the stake is offline, and resumes two epochs after its return", () => {
    const state = stateAtEpoch(10, 63);
    for (let i = 0; i < 22; i++) state.behaviour.offline.add(i);
    turn(state, 4);
    expect(state.finalizedEpoch).to.equal(8); // 9 is justified, and never finalised
    state.behaviour.offline.delete(0);
    turn(state);
    expect(state.finalizedEpoch).to.equal(8);
    turn(state);
    expect(state.finalizedEpoch).to.equal(14);
  });
});

describe("simulated rewards", () => {
  it("pays the base reward for each ETH of effective balance", () => {
    const state = stateAtEpoch(10);
    turn(state);
    expect(state.balancesGwei[0]).to.equal(32 * ETH + 32 * 347);
  });

  it("pays nobody in the first epoch, nor for an epoch before the activation", () => {
    const first = stateAtEpoch(0);
    turn(first);
    expect(first.balancesGwei[0]).to.equal(32 * ETH);
    const state = stateAtEpoch(10);
    const index = add(state, { activationEpoch: 10 });
    turn(state);
    expect(state.balancesGwei[index]).to.equal(32 * ETH);
    turn(state);
    expect(state.balancesGwei[index]).to.equal(32 * ETH + 32 * 347);
  });

  it("takes source and target, 40/64 of the base reward, from one that is offline", () => {
    const state = stateAtEpoch(10);
    state.behaviour.offline.add(0);
    turn(state);
    // 32 * 347 = 11,104: floor(11,104 * 14 / 64) = 2,429 and 11,104 * 26 / 64 = 4,511
    expect(state.balancesGwei[0]).to.equal(32 * ETH - 2_429 - 4_511);
    expect(state.inactivityScores[0], "the score falls back while the chain finalises").to.equal(0);
  });

  it("leaks: after four epochs without finality nobody earns and the offline lose quadratically", () => {
    const state = stateAtEpoch(10);
    state.behaviour.finalityStopped = true;
    state.behaviour.offline.add(0);
    turn(state, 3); // ends of 10 to 12
    expect(state.finalizedEpoch).to.equal(8);
    const [offlineBefore, onlineBefore] = state.balancesGwei as [number, number];
    turn(state, 2); // ends of 13 (12 - 8 = 4: not yet) and 14 (13 - 8 = 5)
    expect(state.balancesGwei[1]).to.equal(onlineBefore + 11_104);
    expect(state.inactivityScores[0]).to.equal(4);
    const inactivity = Math.floor((32 * ETH * 4) / (4 * 2 ** 24));
    expect(inactivity).to.equal(1_907);
    expect(state.balancesGwei[0]).to.equal(offlineBefore - 2 * 6_940 - inactivity);
  });

  it("charges a slashed validator like an offline one until it is withdrawable", () => {
    const state = stateAtEpoch(300);
    const locked = add(state, { slashed: true, exitEpoch: 290, withdrawableEpoch: 301 });
    const free = add(state, { slashed: true, exitEpoch: 290, withdrawableEpoch: 300 });
    turn(state);
    expect(state.balancesGwei[locked]).to.equal(32 * ETH - 6_940);
    expect(state.balancesGwei[free]).to.equal(32 * ETH);
  });

  it("derives the base reward from a yearly return", () => {
    // 1 ETH * 2.85% / 82,181.25 epochs = 346.8 gwei
    expect(rewardPerIncrementForApr(285)).to.equal(347);
  });
});
