import type { RevertsWords } from "../en/reverts.ts";

export const reverts: RevertsWords = {
  DepositsArePaused: "Einzahlungen sind angehalten",
  ReportOverdue: "der tägliche Bericht fehlt, bis er kommt, wird nichts angenommen",
  DepositCapReached: "die Grenze bis zum nächsten Bericht ist erreicht",
  RequestsArePaused: "neue Anträge sind angehalten",
  RequestTooSmall: "der Betrag ist für einen Antrag zu klein",
  RequestBelowUnit: "der Betrag ist für einen Antrag zu klein",
  NotFinalized: "der Antrag ist noch nicht bezahlt",
  AlreadyClaimed: "der Antrag ist schon abgeholt",
  NotRequestOwner: "der Antrag gehört jemand anderem",
  ERC721NonexistentToken: "den Antrag gibt es nicht mehr",
  ClaimFailed: "der Empfänger nahm den Ether nicht an",
  ERC20InsufficientBalance: "so viel haben Sie nicht",
  ERC20InsufficientAllowance: "es fehlt die Freigabe",
  SharesExceedBalance: "so viel haben Sie nicht",
  PermitExpired: "die Erlaubnis ist abgelaufen",
  PermitInvalid: "die Unterschrift der Erlaubnis passt nicht zum Konto",
  ZeroDeposit: "es wurde kein Ether gesendet",
  ZeroAmount: "der Betrag ist null",
};
