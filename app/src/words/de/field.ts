import type { FieldWords } from "../en/field.ts";

export const field: FieldWords = {
  negative: "Der Betrag muss über null liegen.",
  exponent: "Schreiben Sie die Zahl aus, ohne Exponent.",
  separator: "Schreiben Sie 1234,5: ein Komma für Dezimalstellen und keine Tausendertrennung.",
  "not-a-number": "Das ist keine Zahl.",
  "too-many-decimals": "Höchstens 18 Dezimalstellen.",
  "too-large": "Das ist mehr als aller Ether, den es gibt.",
  "too-much": (balance) => `Sie haben ${balance}.`,
  address: {
    empty: "Geben Sie eine Adresse ein.",
    "not-an-address": "Das ist keine Adresse.",
    checksum: "Die Prüfsumme stimmt nicht: Suchen Sie einen Tippfehler.",
  },
};
