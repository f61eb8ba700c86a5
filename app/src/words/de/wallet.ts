import type { WalletWords } from "../en/wallet.ts";

export const wallet: WalletWords = {
  title: "Wallet verbinden",
  choose:
    "Wählen Sie eine Wallet dieses Browsers. Die Seite sieht dann Ihre Adresse; ohne Ihre Unterschrift kann sie nichts bewegen.",
  nothing: "In diesem Browser wurde keine Wallet gefunden.",
  nothingHow: "Installieren Sie eine, die sich meldet (EIP-6963), etwa eine Erweiterung, und laden Sie die Seite neu.",
  connecting: "Bestätigen Sie in Ihrer Wallet.",
  rejected: "Sie haben nicht zugestimmt. Nichts wurde mitgeteilt.",
  locked: "Ihre Wallet ist gesperrt. Entsperren Sie sie, dann verbinden Sie.",
  "already-open": "In Ihrer Wallet ist eine Frage offen. Beantworten Sie sie zuerst.",
  failed: "Die Wallet hat nicht wie erwartet geantwortet.",
  wrongChain: (network) => `Ihre Wallet ist in einem anderen Netz. Diese Seite arbeitet auf ${network}.`,
  switch: (network) => `Zu ${network} wechseln`,
  switchFailed: (network) => `Ihre Wallet hat nicht gewechselt. Wählen Sie ${network} darin von Hand.`,
  account: "Konto",
  disconnect: "Trennen",
  recent: "Von dieser Seite gesendet",
  nothingSent: "Noch nichts.",
  network: (name) => `Netz: ${name}`,
  contract: "Dieses Konto ist ein Vertrag. Manche Schritte brauchen eine Freigabe statt einer Unterschrift.",
};
