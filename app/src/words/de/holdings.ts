import type { HoldingsWords } from "../en/holdings.ts";

export const holdings: HoldingsWords = {
  title: "Sie halten",
  worthBefore: "wert",
  lastReport: "mit dem letzten Bericht",
  empty: "Sie halten hier noch nichts.",
  wrap: "Umhüllen",
};
