import type { WrapWords } from "../en/wrap.ts";

export const wrap: WrapWords = {
  title: "Umhüllen",
  intro:
    "estETH ändert mit jedem Bericht seine Zahl; westETH behält die Zahl und ändert seinen Wert. Es ist derselbe Ether.",
  toWrapped: "Umhüllen",
  toPlain: "Enthüllen",
  direction: "Richtung",
  approvedAlready: "freigegeben: eine Transaktion",
  youGet: "Sie bekommen",
  rate: "1 westETH ist",
  how: "Wie",
  bySignature: "eine Unterschrift, eine Transaktion",
  byApproval: "erst die Freigabe, dann das Umhüllen",
  approve: (amount) => `${amount} freigeben`,
  button: (amount) => `${amount} umhüllen`,
  buttonBack: (amount) => `${amount} enthüllen`,
  approved: (amount) => `Freigegeben. Jetzt können Sie ${amount} umhüllen.`,
  doneWrap: (amount) => `Umhüllt. Sie haben ${amount} bekommen.`,
  doneUnwrap: (amount) => `Enthüllt. Sie haben ${amount} bekommen.`,
  useApproval: "Lieber mit Freigabe",
  usePermit: "Lieber mit Unterschrift",
};
