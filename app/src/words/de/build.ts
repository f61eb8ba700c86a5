import type { BuildWords } from "../en/build.ts";

export const build: BuildWords = {
  title: "Bauen",
  addresses: "Adressen",
  rate: "Wie man den Kurs liest",
  rateNote:
    "Ein westETH sind immer gleich viele Anteile. Es ist ein ERC-4626-Tresor (convertToAssets) und beantwortet die Fragen von wstETH (stEthPerToken). Fragen Sie den Pool, ob er ruhig ist (calm), bevor Sie zum Kurs bewerten oder zahlen.",
  abi: "Schnittstellen",
  abiNote: "JSON, mit allen Ereignissen und Fehlern.",
  download: (name) => `ABI von ${name} als Datei`,
  examples: "Beispiele",
  examplesNote: "Ganze Programme mit dem SDK. Sie gehören zu seinen Tests.",
};
