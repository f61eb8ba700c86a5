import type { TermsWords } from "../en/terms.ts";

export const terms: TermsWords = {
  apr: "Worum das Guthaben in der genannten Zeit gewachsen ist, auf ein Jahr gerechnet, ohne Zinseszins, nach Gebühren. Es ist die Vergangenheit; der nächste Monat kann anders sein, und ein Slashing kann die Zahl negativ machen.",
  estEth: "Ein Guthaben an Ether im Pool. Die Zahl in Ihrer Wallet wächst oder fällt mit jedem täglichen Bericht.",
  westEth: "Dasselbe, umhüllt: Die Zahl bleibt, ihr Wert in Ether ändert sich. Viele Anwendungen brauchen diese Form.",
  slashing:
    "Eine Strafe des Netzes für einen Validator, der Widersprüchliches unterschreibt. Zuerst zahlt die Kaution seines Betreibers; was sie nicht deckt, senkt die Guthaben.",
  buffer: "Ether, der im Pool liegt und nicht bei Validatoren ist. Aus ihm werden Auszahlungen bezahlt.",
  report:
    "Einmal am Tag unterschreibt ein Komitee, was alle Validatoren halten. Die Verträge prüfen den Bericht an der Kette und ändern die Guthaben einmal.",
};
