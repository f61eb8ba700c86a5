export const frame = {
  name: "Estuary",
  nav: {
    stake: "Stake",
    withdraw: "Withdraw",
    wrap: "Wrap",
    rewards: "Rewards",
    protocol: "Protocol",
    operators: "Operators",
    liquidity: "Liquidity",
    build: "Build",
    more: "More",
    skip: "Skip to content",
    main: "Main",
  },
  common: {
    connect: "Connect",
    close: "Close",
    cancel: "Cancel",
    retry: "Try again",
    copy: "Copy",
    copied: "Copied",
    max: "max",
    half: "half",
    of: (amount: string) => `of ${amount}`,
    notKnown: "not known yet",
    amount: "Amount",
    asset: "Currency",
    date: "Date",
    language: "Language",
    loading: "Loading",
    asTable: "Show as a table",
    asChart: "Show as a chart",
    none: "none",
    more: (count: string) => `Show ${count} more`,
    contractsNote:
      "These addresses are part of this page's build, and what they name was read from the chain. Compare them with a source you trust before you sign.",
  },
  state: {
    cardFailed: "This could not be read.",
    nodeDown: (time: string) =>
      `This page cannot reach its node. What you see is as of ${time}. Your funds are not affected.`,
    nodeDownAtFirst: "This page cannot reach its node. Your funds are not affected. It tries again by itself.",
    offline: "You are offline. Your funds are not affected.",
    wrongDeployment: "The node does not serve the deployment of this page. Do not sign anything here.",
    stale: (block: string, age: string) => `As of block ${block}, ${age}.`,
    reportLate: (since: string) =>
      `The daily report is late: it was due ${since}. Balances do not change and nothing is staked until it comes. Claims go on.`,
    incident:
      "The last report stopped payments: an incident, or a large fall. Withdrawal requests are not paid until a later report allows it. What is ready can be claimed.",
    depositsPaused: "Staking is paused by a guardian. Withdrawals and claims go on.",
    requestsPaused: "New withdrawal requests are paused by a guardian. What is ready can be claimed.",
    broken: "Something in this page broke. Your funds are not affected.",
    reload: "Load the page again",
  },
};

export type FrameWords = typeof frame;
