export const build = {
  title: "Build",
  addresses: "Addresses",
  rate: "How to read the rate",
  rateNote:
    "One westETH is always the same number of shares. It is an ERC-4626 vault (convertToAssets) and answers the questions of wstETH (stEthPerToken). Before you price or pay at the rate, ask the pool whether it is calm.",
  abi: "Interfaces",
  abiNote: "JSON, with all events and errors.",
  download: (name: string) => `ABI of ${name}, as a file`,
  examples: "Examples",
  examplesNote: "Complete programs on the SDK. They are part of its tests.",
};

export type BuildWords = typeof build;
