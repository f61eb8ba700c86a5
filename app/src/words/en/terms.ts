export const terms = {
  apr: "What the balance grew by in the stated time, put as a yearly rate without compounding, after fees. It is the past; the next month may differ, and a slashing can make it negative.",
  estEth: "A balance of ether in the pool. The number in your wallet grows, or falls, with each daily report.",
  westEth: "The same, wrapped: the number stays, its worth in ether changes. Many applications need this form.",
  slashing:
    "A penalty of the network for a validator that signs contradicting messages. Its operator's bond pays first; what it cannot cover lowers balances.",
  buffer: "Ether that is in the pool and not at validators. Withdrawals are paid from it.",
  report:
    "Once a day a committee signs what all validators hold. The contracts check the report against the chain and change balances once.",
};

export type TermsWords = typeof terms;
