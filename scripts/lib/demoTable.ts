/** The demo's output for people. */
import Table from "cli-table3";
import { isEqual } from "../../devnet/demo/reconcile.ts";
import { show } from "../../devnet/demo/story.ts";
import type { Result, Step } from "../../devnet/demo/story.ts";

export function printStep({ name, gasUsed, seconds }: Step, detail: string): void {
  console.log(
    `${name.padEnd(22)} ${seconds.toFixed(1).padStart(5)} s ${gasUsed.toLocaleString("en").padStart(12)} gas  ${detail}`,
  );
}

export function printResult(result: Result): void {
  const { totals, validators, reconciliation } = result;
  const sums = new Table({ head: ["Totals", ""], style: { head: [], border: [] }, colAligns: ["left", "right"] });
  for (const [name, amount] of Object.entries(totals)) sums.push([name.replace(/Wei$/, ""), show(BigInt(amount))]);
  sums.push(["APR after fees, before the outage", `${(result.aprBp / 100).toFixed(2)} %`]);
  for (const [name, count] of Object.entries(validators)) sums.push([`validators ${name}`, count]);
  console.log(`\n${sums.toString()}`);
  const books = new Table({
    head: ["Reconciliation", "unit", "contracts", "independent books", ""],
    style: { head: [], border: [] },
    colAligns: ["left", "left", "right", "right", "left"],
  });
  for (const line of reconciliation)
    books.push([line.name, line.unit, String(line.chain), String(line.books), isEqual(line) ? "ok" : "DIFFERS"]);
  console.log(books.toString());
  console.log(
    result.ok
      ? `reconciled to the wei in ${result.seconds.toFixed(1)} s`
      : `NOT reconciled: ${result.residualWei} wei apart; see the lines that differ`,
  );
}
