export const rewards = {
  title: "Rewards",
  address: "Address",
  show: "Show",
  connect: "Connect, or enter any address.",
  empty:
    "This address held nothing at any report so far. After the first report that it sees, its rewards appear here.",
  total: "Earned",
  over: { month: "30 days", year: "1 year", all: "all" },
  range: "Range",
  week: "APR, 7 days",
  month: "APR, 30 days",
  value: "Worth now",
  chart: (from: string, to: string) => `Earned with each report, in ETH, ${from} to ${to}`,
  table: "Report by report",
  earned: "Earned, ETH",
  worth: "Balance after, ETH",
  fell: (date: string, amount: string) =>
    `On ${date} the balance fell by ${amount}. Losses that bonds do not cover are shared by all.`,
  csv: "Download CSV",
  rounding: "Rewards before a movement of estETH can be off by what one wei earns; with westETH they are exact.",
};

export type RewardsWords = typeof rewards;
