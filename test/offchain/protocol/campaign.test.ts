import { expect } from "chai";
import type { Random } from "./random.ts";
import { forSeeds, fuzzFactor } from "./random.ts";
import { World } from "./world.ts";

/** Sequences and steps of a plain `npm test`; FUZZ_FACTOR multiplies the sequences. */
const SEQUENCES = 80;
const STEPS = 600;

describe("the ledger under random use", () => {
  const counts = new Map<string, number>();

  it("keeps I1-I6, I9-I13 and I15, in books of its own", function () {
    this.timeout(0);
    forSeeds(SEQUENCES * fuzzFactor(), (random: Random) => {
      const world = new World(random);
      for (let n = 0; n < STEPS; n++) world.step();
      world.claimAll();
      for (const [name, count] of world.counts) counts.set(name, (counts.get(name) ?? 0) + count);
    });
  });

  it("took every action", () => {
    for (const action of ["deposit", "transfer", "request", "claim", "continueFinalisation", "fund", "slash", "report"])
      expect(counts.get(action) ?? 0, action).to.be.greaterThan(20);
  });
});
