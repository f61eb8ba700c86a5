export const leaving = {
  when: "When you get it",
  now: "now, for a fee",
  free: "later, free",
  getNow: "You get now",
  fee: "Fee, on average",
  feeMeaning: (limit: string) =>
    `The pool that pays you asks more as its ether grows scarce. What you sign: no part costs more than ${limit} on top; what would is requested instead. If others sell first, your average rises within that limit.`,
  getLater: "You get later, at most",
  laterFree: "as a withdrawal request (an NFT), without a fee",
  kept: "Stays with you",
  wait: "Time until paid",
  waitAbout: (range: string) => `about ${range}`,
  ahead: "Waiting before you",
  nextReport: "Next report",
  reason: {
    report: "There is ether for it: the first report after your round pays.",
    inflow: "It waits for ether that stakers and validators bring in.",
    exits: "It waits for validators to exit, which takes days.",
  },
  saidNow: (ether: string, fee: string) => `${ether} now, for ${fee} on average.`,
  saidLater: (ether: string) => `${ether} later, free.`,
  queued: (amount: string, limit: string, wait: string | undefined) =>
    `${amount} can't be sold within ${limit}: it becomes a withdrawal request, paid without a fee${wait === undefined ? "" : ` in ${wait}`}.`,
  none: "This deployment has no pool that pays at once: withdrawals wait in the line.",
  notCalm:
    "Nothing can be sold at once now: a report is late, or the last one stopped payments. It begins again with the next report that allows it. Requests are taken.",
  nothingSold:
    "The pool can't pay this at once: its ether is used up, or the amount is too small. It can be requested.",
  costAfter: "shown by your wallet, after the signature",
  how: "How",
  bySignature: "one signature, one transaction",
  byApproval: "an approval first, then the transaction",
  approvedAlready: "approved: one transaction",
  useApproval: "Use an approval instead",
  usePermit: "Use a signature instead",
  approve: (amount: string) => `Approve ${amount}`,
  approved: (amount: string) => `Approved. Now send ${amount}.`,
  buttonNow: (amount: string) => `Get ${amount} now`,
  buttonBoth: (amount: string) => `Get ${amount} now, the rest later`,
  doneNow: (amount: string) => `Done. ${amount} is in your account.`,
  doneBoth: (now: string, later: string) =>
    `Done. ${now} is in your account; at most ${later} come later: the place of your request is on the page Withdraw.`,
};

export type LeavingWords = typeof leaving;
