export const holdings = {
  title: "You hold",
  worthBefore: "worth",
  lastReport: "with the last report",
  empty: "You hold nothing here yet.",
  wrap: "Wrap",
};

export type HoldingsWords = typeof holdings;
