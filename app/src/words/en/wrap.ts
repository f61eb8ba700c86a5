export const wrap = {
  title: "Wrap",
  intro:
    "estETH changes its number with each report; westETH keeps its number and changes its worth. They are the same ether.",
  toWrapped: "Wrap",
  toPlain: "Unwrap",
  direction: "Direction",
  approvedAlready: "approved: one transaction",
  youGet: "You get",
  rate: "1 westETH is",
  how: "How",
  bySignature: "one signature, one transaction",
  byApproval: "an approval first, then the wrapping",
  approve: (amount: string) => `Approve ${amount}`,
  button: (amount: string) => `Wrap ${amount}`,
  buttonBack: (amount: string) => `Unwrap ${amount}`,
  approved: (amount: string) => `Approved. Now wrap ${amount}.`,
  doneWrap: (amount: string) => `Wrapped. You got ${amount}.`,
  doneUnwrap: (amount: string) => `Unwrapped. You got ${amount}.`,
  useApproval: "Use an approval instead",
  usePermit: "Use a signature instead",
};

export type WrapWords = typeof wrap;
