import { expect } from "chai";
import { readPeers, rowsOf } from "../../scripts/lib/gas/rows.ts";
import { differences, readSnapshot } from "../../scripts/lib/gas/snapshot.ts";
import { renderTable } from "../../scripts/lib/gas/table.ts";

const NONE: ReadonlySet<string> = new Set();

describe("The gas table", () => {
  it("finds no difference where there is none", () => {
    expect(differences({ stake: 5, claim: 7 }, { claim: 7, stake: 5 }, NONE)).to.deep.equal([]);
  });

  it("tells a changed, a new and a missing figure in one line each", () => {
    const lines = differences({ stake: 5, claim: 7, report: 9 }, { stake: 6, claim: 4, wrap: 1 }, NONE);
    expect(lines).to.deep.equal([
      "stake: 5 -> 6 (+1)",
      "claim: 7 -> 4 (-3)",
      "report: 9 in the snapshot, not measured",
      "wrap: 1, not in the snapshot",
    ]);
  });

  it("lets a run leave slow figures out, but not change them", () => {
    const slow = new Set(["report.many"]);
    expect(differences({ "report.many": 9 }, {}, slow)).to.deep.equal([]);
    expect(differences({ "report.many": 9 }, { "report.many": 1_010 }, slow)).to.have.length(1);
  });

  it("forgives a few zero bytes where call data holds hashes, and nowhere else", () => {
    const before = { "proveValidator.x1": 5_000, "report.rewards": 5_000, claim: 5_000 };
    const after = { "proveValidator.x1": 5_096, "report.rewards": 4_903, claim: 5_012 };
    expect(differences(before, after, NONE)).to.deep.equal([
      "report.rewards: 5000 -> 4903 (-97)",
      "claim: 5000 -> 5012 (+12)",
    ]);
  });

  it("puts the rows with a limit first, and fails if one of them was not measured", () => {
    const peers = {
      unit: "gas",
      measured: "2026-11-22",
      source: "here",
      rows: [{ id: "claim", limit: 7, peers: { lido: 9 } }],
    };
    const rows = rowsOf({ extra: 3, claim: 8 }, peers);
    expect(rows).to.deep.equal([
      { id: "claim", gas: 8, limit: 7, peers: { lido: 9 } },
      { id: "extra", gas: 3, limit: null, peers: {} },
    ]);
    expect(renderTable(rows, peers)).to.match(/claim.*8 !.*7.*9/);
    expect(() => rowsOf({ extra: 3 }, peers)).to.throw("claim was not measured");
  });

  it("has a committed figure for every row of the peers' data", () => {
    const committed = readSnapshot();
    for (const { id } of readPeers().rows) expect(committed[id], id).to.be.a("number");
  });
});
