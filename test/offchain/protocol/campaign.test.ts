import { expect } from "chai";
import type { Random } from "./random.ts";
import { forSeeds, fuzzFactor } from "./random.ts";
import { World } from "./world.ts";

/** Sequences and steps of a plain `npm test`; FUZZ_FACTOR multiplies the sequences. */
const SEQUENCES = 80;
const STEPS = 600;

describe("the ledger under random use", () => {
  const counts = new Map<string, number>();

  it("keeps I1-I6, I9-I13, I15, I24 and I26, in books of its own", function () {
    this.timeout(0);
    forSeeds(SEQUENCES * fuzzFactor(), (random: Random) => {
      const world = new World(random);
      for (let n = 0; n < STEPS; n++) world.step();
      world.claimAll();
      for (const [name, count] of world.counts) counts.set(name, (counts.get(name) ?? 0) + count);
    });
  });

  it("took every action, and met everything that stops payments or fundings", () => {
    for (const name of [
      ...["deposit", "transfer", "transfer to oneself", "request", "claim", "continueFinalisation"],
      ...["fund", "fundOwn", "slash", "hold", "exit", "report"],
      ...["deposit: ReportOverdue", "fund: ReportOverdue", "fundOwn: ReportOverdue", "report: ReferenceTooOld"],
      ...["continueFinalisation: FinalisationNotAllowed", "calm with slashings in doubt"],
      "report that was overdue",
      "report after an announcement",
      "report after the next grid time",
      "report with ether on its way",
      "report that pays with slashings in doubt",
      "report with as many slashings as are tolerated",
      "report with one slashing more than are tolerated",
    ])
      expect(counts.get(name) ?? 0, name).to.be.greaterThan(20);
  });
});
