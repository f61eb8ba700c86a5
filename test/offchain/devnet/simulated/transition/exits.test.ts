import { expect } from "chai";
import {
  activationExitChurnLimit,
  initiateExit,
  processVoluntaryExit,
  processWithdrawalRequest,
  slashValidator,
} from "../../../../../devnet/simulated/transition/exits.ts";
import { processEpoch } from "../../../../../devnet/simulated/transition/epoch.ts";
import type { CoreState, Hex } from "../../../../../devnet/simulated/state/state.ts";
import { CREDENTIALS_01, CREDENTIALS_02, ETH, OWNER, RULES, add, pubkeyOf, stateAtEpoch } from "./states.ts";

const STRANGER: Hex = `0x${"99".repeat(20)}`;

function request(state: CoreState, index: number, amountGwei = 0n, sourceAddress = OWNER): void {
  processWithdrawalRequest(state, RULES, { sourceAddress, pubkey: pubkeyOf(index), amountGwei });
}

describe("simulated exits: churn", () => {
  it("lets 128 ETH an epoch through while less than 8,388,608 ETH is active", () => {
    expect(activationExitChurnLimit(stateAtEpoch(300), RULES)).to.equal(128 * ETH);
  });

  it("lets 1/65536 of the active balance through, rounded down to 1 ETH, and at most 256 ETH", () => {
    const state = stateAtEpoch(300, 1);
    add(state, { effectiveBalanceGwei: 8_978_400 * ETH });
    expect(activationExitChurnLimit(state, RULES)).to.equal(137 * ETH); // 8,978,432 / 65,536 = 137.0
    add(state, { effectiveBalanceGwei: 32_767 * ETH });
    expect(activationExitChurnLimit(state, RULES)).to.equal(137 * ETH);
    add(state, { effectiveBalanceGwei: 34_000_000 * ETH });
    expect(activationExitChurnLimit(state, RULES)).to.equal(256 * ETH);
  });

  it("puts four exits of 32 ETH into the first possible epoch and the fifth into the next", () => {
    const state = stateAtEpoch(300);
    for (let i = 0; i < 5; i++) initiateExit(state, RULES, i);
    const exits = state.validators.slice(0, 5).map(({ exitEpoch }) => exitEpoch);
    expect(exits).to.deep.equal([305, 305, 305, 305, 306]); // 300 + 1 + MAX_SEED_LOOKAHEAD
    expect(state.validators[4]?.withdrawableEpoch).to.equal(306 + 256);
    expect(state.exitBalanceToConsumeGwei).to.equal(96 * ETH);
  });

  it("delays a large validator until its whole balance has passed", () => {
    const state = stateAtEpoch(300);
    const whale = add(state, { effectiveBalanceGwei: 2048 * ETH, withdrawalCredentials: CREDENTIALS_02 });
    initiateExit(state, RULES, whale);
    expect(state.validators[whale]?.exitEpoch).to.equal(305 + 15); // (2048 - 128 - 1 gwei) / 128 + 1
    initiateExit(state, RULES, whale);
    expect(state.validators[whale]?.exitEpoch, "a second call changes nothing").to.equal(320);
  });
});

describe("simulated exits: EIP-7002 requests", () => {
  it("starts a full exit for the owner of the credentials", () => {
    const state = stateAtEpoch(256);
    request(state, 3);
    expect(state.validators[3]?.exitEpoch).to.equal(261);
  });

  it("ignores every request that does not qualify", () => {
    const state = stateAtEpoch(256);
    const early = add(state, { activationEpoch: 1 });
    const queued = add(state, { activationEpoch: Infinity });
    const bls = add(state, { withdrawalCredentials: `0x00${CREDENTIALS_01.slice(4)}` });
    const exiting = add(state, { exitEpoch: 400, withdrawableEpoch: 656 });
    const before = structuredClone(state.validators);
    request(state, 3, 0n, STRANGER);
    for (const index of [early, queued, bls, exiting]) request(state, index);
    request(state, 1_000);
    expect(state.validators).to.deep.equal(before);
    expect(state.earliestExitEpoch).to.equal(0);
  });

  it("ignores a partial amount of a validator with 0x01 credentials", () => {
    const state = stateAtEpoch(256);
    const index = add(state, { balanceGwei: 40 * ETH });
    request(state, index, BigInt(5 * ETH));
    expect(state.pendingPartialWithdrawals).to.deep.equal([]);
    expect(state.validators[index]?.exitEpoch).to.equal(Infinity);
  });

  it("queues a partial amount of a compounding validator, at most what exceeds 32 ETH, and then refuses its full exit", () => {
    const state = stateAtEpoch(256);
    const index = add(state, { effectiveBalanceGwei: 40 * ETH, withdrawalCredentials: CREDENTIALS_02 });
    request(state, index, BigInt(5 * ETH));
    request(state, index, BigInt(5 * ETH));
    expect(state.pendingPartialWithdrawals).to.deep.equal([
      { validatorIndex: index, amountGwei: 5 * ETH, withdrawableEpoch: 261 + 256 },
      { validatorIndex: index, amountGwei: 3 * ETH, withdrawableEpoch: 261 + 256 },
    ]);
    request(state, index);
    expect(state.validators[index]?.exitEpoch).to.equal(Infinity);
    expect(processVoluntaryExit(state, RULES, index)).to.equal(false);
  });
});

describe("simulated exits: voluntary", () => {
  it("needs 256 epochs of activity", () => {
    const state = stateAtEpoch(300);
    const young = add(state, { activationEpoch: 45 });
    const old = add(state, { activationEpoch: 44 });
    expect(processVoluntaryExit(state, RULES, young)).to.equal(false);
    expect(processVoluntaryExit(state, RULES, old)).to.equal(true);
    expect(state.validators[old]?.exitEpoch).to.equal(305);
    expect(processVoluntaryExit(state, RULES, old), "once only").to.equal(false);
  });
});

describe("simulated exits: slashing", () => {
  it("takes 1/4096 at once, exits the validator and locks it for 8192 epochs", () => {
    const state = stateAtEpoch(300);
    expect(slashValidator(state, RULES, 7)).to.equal(true);
    expect(state.balancesGwei[7]).to.equal(32 * ETH - 7_812_500);
    expect(state.validators[7]).to.include({ slashed: true, exitEpoch: 305, withdrawableEpoch: 300 + 8192 });
    expect(state.slashings).to.deep.equal(new Map([[300, 32 * ETH]]));
    expect(slashValidator(state, RULES, 7), "once only").to.equal(false);
  });

  it("reaches a validator that has exited but is not withdrawable yet, and no other", () => {
    const state = stateAtEpoch(300);
    const exited = add(state, { exitEpoch: 290, withdrawableEpoch: 546 });
    const gone = add(state, { exitEpoch: 20, withdrawableEpoch: 276 });
    const queued = add(state, { activationEpoch: Infinity });
    expect(slashValidator(state, RULES, exited)).to.equal(true);
    expect(state.validators[exited]).to.include({ exitEpoch: 290, withdrawableEpoch: 8492 });
    expect(slashValidator(state, RULES, gone)).to.equal(false);
    expect(slashValidator(state, RULES, queued)).to.equal(false);
  });

  it("takes three times the slashed share of the balance half-way, at epoch + 4096", () => {
    const state = stateAtEpoch(300);
    state.behaviour.rewardPerIncrementGwei = 0;
    slashValidator(state, RULES, 7);
    const before = state.balancesGwei[7] as number;
    for (const [epoch, penalty] of [
      [4395, 0],
      [4396, 1_523_809_504], // 3 * 32 ETH / 2016 active ETH = 47,619,047 gwei per ETH, times 32
      [4397, 1_523_809_504],
    ] as const) {
      state.slot = epoch * 32 + 31;
      state.finalizedEpoch = epoch - 2;
      state.inactivityScores.fill(0);
      processEpoch(state, RULES, () => false);
      expect(before - (state.balancesGwei[7] as number), `epoch ${epoch}`).to.equal(penalty);
    }
  });

  it("takes at most the effective balance, however many are slashed", () => {
    const state = stateAtEpoch(300, 4);
    state.behaviour.rewardPerIncrementGwei = 0;
    for (let i = 0; i < 3; i++) slashValidator(state, RULES, i);
    state.balancesGwei[0] = 40 * ETH;
    state.slot = 4396 * 32 + 31;
    state.finalizedEpoch = 4394;
    processEpoch(state, RULES, () => false);
    expect(state.balancesGwei.slice(0, 3)).to.deep.equal([8 * ETH, 0, 0]); // min(3 * 96, 32) / 32 = 100%
  });

  it("forgets a slashing after 8192 epochs", () => {
    const state = stateAtEpoch(300);
    slashValidator(state, RULES, 7);
    state.slot = (300 + 8191) * 32 + 31;
    processEpoch(state, RULES, () => false);
    expect(state.slashings.size).to.equal(0);
  });
});
