export const stake = {
  title: "Stake",
  receive: "Receive",
  youGet: "You get",
  apr: "APR, last 30 days",
  aprOver: (days: string) => `APR, last ${days}`,
  fromPool: (gain: string) =>
    `${gain} more than the rate: a part is bought of those who leave at once, as long as their pool is short of ether.`,
  fee: "Fee",
  feeOf: (percent: string) => `${percent} of rewards`,
  cost: "Network cost",
  costLater: "shown when you connect",
  costNeedsAmount: "shown with an amount",
  under: (got: string, growth: string) => `You get ${got} now. Your balance grows with each daily report; ${growth}`,
  underWrapped: (got: string, growth: string) =>
    `You get ${got} now. Its number stays, its worth grows with each daily report; ${growth}`,
  growth: (percent: string, span: string) => `last ${span} ${percent} a year after fees.`,
  growthUnknown: "the rate is known after the first report.",
  button: (amount: string) => `Stake ${amount}`,
  buttonEmpty: "Stake",
  gasLeft: (amount: string) => `${amount} stays for the network cost.`,
  risk: "Your ETH goes to validators run by others. If they are slashed beyond their bond, your balance falls. The contracts are not audited. You leave through a queue: usually days.",
  riskAgree: "I understand",
  paused:
    "Nothing can be staked now: a guardian paused deposits. When they open again is decided by the guardian and governance.",
  overdue: "Nothing can be staked until the next report comes. It is late.",
  overdueSince: (time: string) => `Nothing can be staked until the next report comes. It was due ${time}.`,
  capped: (time: string) => `The limit until the next report is reached. It comes ${time}.`,
  room: (amount: string) => `At most ${amount} can be staked before the next report.`,
  cannot: "This can't be sent",
  done: (amount: string) => `Staked. You got ${amount}.`,
  next: { rewards: "See your rewards", withdraw: "How to leave" },
};

export type StakeWords = typeof stake;
