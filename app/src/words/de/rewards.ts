import type { RewardsWords } from "../en/rewards.ts";

export const rewards: RewardsWords = {
  title: "Erträge",
  address: "Adresse",
  show: "Zeigen",
  connect: "Verbinden Sie eine Wallet, oder geben Sie eine Adresse ein.",
  empty:
    "Diese Adresse hielt bisher bei keinem Bericht etwas. Nach dem ersten Bericht, den sie miterlebt, erscheinen hier ihre Erträge.",
  total: "Verdient",
  over: { month: "30 Tage", year: "1 Jahr", all: "alles" },
  range: "Zeitraum",
  week: "APR, 7 Tage",
  month: "APR, 30 Tage",
  value: "Jetzt wert",
  chart: (from, to) => `Mit jedem Bericht verdient, in ETH, ${from} bis ${to}`,
  table: "Bericht für Bericht",
  earned: "Verdient, ETH",
  worth: "Danach, ETH",
  fell: (date, amount) =>
    `Am ${date} fiel das Guthaben um ${amount}. Verluste, die Kautionen nicht decken, tragen alle gemeinsam.`,
  csv: "CSV herunterladen",
  rounding:
    "Erträge vor einer Bewegung von estETH können um das abweichen, was ein Wei verdient; mit westETH sind sie exakt.",
};
