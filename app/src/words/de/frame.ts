import type { FrameWords } from "../en/frame.ts";

export const frame: FrameWords = {
  name: "Estuary",
  nav: {
    stake: "Staken",
    withdraw: "Auszahlen",
    wrap: "Umhüllen",
    rewards: "Erträge",
    protocol: "Protokoll",
    operators: "Betreiber",
    liquidity: "Liquidität",
    build: "Bauen",
    more: "Mehr",
    skip: "Zum Inhalt",
    main: "Hauptmenü",
  },
  common: {
    connect: "Verbinden",
    close: "Schließen",
    cancel: "Abbrechen",
    retry: "Noch einmal versuchen",
    copy: "Kopieren",
    copied: "Kopiert",
    max: "alles",
    half: "Hälfte",
    of: (amount) => `von ${amount}`,
    notKnown: "noch nicht bekannt",
    amount: "Betrag",
    asset: "Währung",
    date: "Datum",
    language: "Sprache",
    loading: "Wird geladen",
    asTable: "Als Tabelle zeigen",
    asChart: "Als Diagramm zeigen",
    none: "keine",
    more: (count) => `${count} weitere zeigen`,
    contractsNote:
      "Die ersten zwei Adressen stehen fest in dieser Seite, was sie nennen, wurde aus der Kette gelesen. Vergleichen Sie sie mit einer Quelle, der Sie trauen, bevor Sie unterschreiben.",
  },
  state: {
    cardFailed: "Das konnte nicht gelesen werden.",
    nodeDown: (time) =>
      `Diese Seite erreicht ihren Knoten nicht. Was Sie sehen, ist der Stand von ${time}. Ihr Geld ist davon nicht betroffen.`,
    nodeDownAtFirst:
      "Diese Seite erreicht ihren Knoten nicht. Ihr Geld ist davon nicht betroffen. Sie versucht es von selbst wieder.",
    offline: "Sie sind offline. Ihr Geld ist davon nicht betroffen.",
    wrongDeployment: "Der Knoten kennt die Verträge dieser Seite nicht. Unterschreiben Sie hier nichts.",
    stale: (block, age) => `Stand von Block ${block}, ${age}.`,
    reportLate: (since) =>
      `Der tägliche Bericht verspätet sich, fällig war er ${since}. Bis er kommt, ändern sich keine Guthaben, und es kann nichts gestakt werden. Abholen geht weiter.`,
    incident:
      "Der letzte Bericht hat Zahlungen angehalten: ein Vorfall oder ein großer Verlust. Auszahlungen ruhen, bis ein späterer Bericht sie erlaubt. Was bereit ist, kann abgeholt werden.",
    depositsPaused: "Ein Wächter hat das Staken angehalten. Auszahlen und Abholen gehen weiter.",
    requestsPaused: "Ein Wächter hat neue Auszahlungsanträge angehalten. Was bereit ist, kann abgeholt werden.",
    broken: "In dieser Seite ist etwas kaputtgegangen. Ihr Geld ist davon nicht betroffen.",
    reload: "Seite neu laden",
  },
};
