import type { LeavingWords } from "../en/leaving.ts";

export const leaving: LeavingWords = {
  when: "Wann Sie es bekommen",
  now: "jetzt, gegen Gebühr",
  free: "später, kostenlos",
  getNow: "Sie bekommen jetzt",
  fee: "Gebühr im Mittel",
  feeMeaning: (limit) =>
    `Der Pool, der Sie bezahlt, verlangt mehr, je knapper sein Ether wird. Was Sie unterschreiben: Kein Teil kostet mehr als ${limit} Aufschlag; was mehr kosten würde, wird beantragt. Verkaufen andere vorher, steigt Ihr Mittel innerhalb dieser Grenze.`,
  getLater: "Später bekommen Sie höchstens",
  laterFree: "als Auszahlungsantrag (ein NFT), ohne Gebühr",
  kept: "Bleibt bei Ihnen",
  wait: "Zeit bis zur Zahlung",
  waitAbout: (range) => `etwa ${range}`,
  ahead: "Wartet vor Ihnen",
  nextReport: "Nächster Bericht",
  reason: {
    report: "Der Ether dafür ist da: Der erste Bericht nach Ihrer Runde zahlt.",
    inflow: "Es wartet auf Ether, den Stakende und Validatoren bringen.",
    exits: "Es wartet, bis Validatoren ausgetreten sind. Das dauert Tage.",
  },
  saidNow: (ether, fee) => `${ether} jetzt, im Mittel für ${fee}.`,
  saidLater: (ether) => `${ether} später, kostenlos.`,
  queued: (amount, limit, wait) =>
    `${amount} lassen sich nicht innerhalb von ${limit} verkaufen: Daraus wird ein Auszahlungsantrag, der ohne Gebühr bezahlt wird${wait === undefined ? "" : `, in ${wait}`}.`,
  none: "Hier gibt es keinen Pool, der sofort zahlt: Auszahlungen warten in der Reihe.",
  notCalm:
    "Gerade lässt sich nichts sofort verkaufen: Ein Bericht verspätet sich, oder der letzte hat Zahlungen angehalten. Mit dem nächsten Bericht, der es erlaubt, geht es weiter. Anträge werden angenommen.",
  nothingSold:
    "Sofort kann der Pool das nicht bezahlen: Sein Ether ist verbraucht, oder der Betrag ist zu klein. Es lässt sich beantragen.",
  costAfter: "zeigt Ihre Wallet nach der Unterschrift",
  how: "Wie",
  bySignature: "eine Unterschrift, eine Transaktion",
  byApproval: "erst die Freigabe, dann die Transaktion",
  approvedAlready: "freigegeben: eine Transaktion",
  useApproval: "Lieber mit Freigabe",
  usePermit: "Lieber mit Unterschrift",
  approve: (amount) => `${amount} freigeben`,
  approved: (amount) => `Freigegeben. Jetzt können Sie ${amount} senden.`,
  buttonNow: (amount) => `${amount} jetzt bekommen`,
  buttonBoth: (amount) => `${amount} jetzt, den Rest später`,
  doneNow: (amount) => `Erledigt. ${amount} sind auf Ihrem Konto.`,
  doneBoth: (now, later) =>
    `Erledigt. ${now} sind auf Ihrem Konto; höchstens ${later} kommen später: Der Platz Ihres Antrags steht auf der Seite Auszahlen.`,
};
