export const wallet = {
  title: "Connect a wallet",
  choose:
    "Choose one of the wallets in this browser. This page then sees your address; it can move nothing without your signature.",
  nothing: "No wallet found in this browser.",
  nothingHow: "Install one that announces itself (EIP-6963), such as a browser extension, and load this page again.",
  connecting: "Confirm in your wallet.",
  rejected: "You did not agree. Nothing was shared.",
  locked: "Your wallet is locked. Unlock it, then connect.",
  "already-open": "Your wallet has an open question. Answer it there first.",
  failed: "The wallet did not answer as expected.",
  wrongChain: (network: string) => `Your wallet is on another network. This page works on ${network}.`,
  switch: (network: string) => `Switch to ${network}`,
  switchFailed: (network: string) => `Your wallet did not switch. Choose ${network} in it by hand.`,
  account: "Account",
  disconnect: "Disconnect",
  recent: "Sent from this page",
  nothingSent: "Nothing yet.",
  network: (name: string) => `Network: ${name}`,
  contract: "This account is a contract. Some steps need an approval instead of a signature.",
};

export type WalletWords = typeof wallet;
