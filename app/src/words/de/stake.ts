import type { StakeWords } from "../en/stake.ts";

export const stake: StakeWords = {
  title: "Staken",
  receive: "Sie erhalten",
  youGet: "Sie bekommen",
  apr: "APR, letzte 30 Tage",
  aprOver: (days) => `APR, letzte ${days}`,
  fromPool: (gain) =>
    `${gain} mehr als zum Kurs: Ein Teil wird denen abgekauft, die sofort aussteigen, solange ihrem Pool Ether fehlt.`,
  fee: "Gebühr",
  feeOf: (percent) => `${percent} der Erträge`,
  cost: "Netzkosten",
  costLater: "nach dem Verbinden",
  costNeedsAmount: "mit einem Betrag",
  under: (got, growth) => `Sie bekommen jetzt ${got}. Ihr Guthaben wächst mit jedem täglichen Bericht; ${growth}`,
  underWrapped: (got, growth) =>
    `Sie bekommen jetzt ${got}. Die Zahl bleibt, ihr Wert wächst mit jedem täglichen Bericht; ${growth}`,
  growth: (percent, span) => `letzte ${span}: ${percent} im Jahr nach Gebühren.`,
  growthUnknown: "wie stark, ist nach dem ersten Bericht bekannt.",
  button: (amount) => `${amount} staken`,
  buttonEmpty: "Staken",
  gasLeft: (amount) => `${amount} bleiben für die Netzkosten.`,
  risk: "Ihr ETH geht an Validatoren, die andere betreiben. Verlieren diese durch Slashing mehr als ihre Kaution, sinkt Ihr Guthaben. Die Verträge sind nicht geprüft. Zurück geht es durch eine Warteschlange: meist Tage.",
  riskAgree: "Ich habe verstanden",
  paused:
    "Gerade kann nichts gestakt werden: Ein Wächter hat Einzahlungen angehalten. Wann sie wieder öffnen, entscheiden der Wächter und die Verwaltung.",
  overdue: "Bis zum nächsten Bericht kann nichts gestakt werden. Er verspätet sich.",
  overdueSince: (time) => `Bis zum nächsten Bericht kann nichts gestakt werden. Fällig war er ${time}.`,
  capped: (time) => `Die Grenze bis zum nächsten Bericht ist erreicht. Er kommt ${time}.`,
  room: (amount) => `Vor dem nächsten Bericht können höchstens ${amount} gestakt werden.`,
  cannot: "Das kann nicht gesendet werden",
  done: (amount) => `Gestakt. Sie haben ${amount} bekommen.`,
  next: { rewards: "Ihre Erträge", withdraw: "Wie Sie aussteigen" },
};
