/** What the developer panel says, in each language of the app. Not part of its catalogue: a production build has nothing of it. */
import type { Locale } from "../lib/times.ts";

const en = {
  title: "Developer",
  about: "Only on this machine. It acts on the local network, not on your accounts.",
  time: "Time on the chain",
  next: "Next report",
  day: "A day lasts",
  silent: "The committee is silent until",
  nextDay: "Jump to the next report",
  nextDayDone: "A day has passed. Its report comes within seconds.",
  missReport: "Miss the next report",
  missReportDone: "The committee will say nothing of this day. What it is late with comes a day later.",
  validator: "Validator",
  slash: "Slash it",
  slashDone: "It signed two votes. The keeper proves it, and the next report counts the loss.",
  noValidator: "No validator is active.",
  testEther: (amount: string): string => `Give me ${amount}`,
  testEtherDone: "It is in your account.",
  testEtherConnect: "Connect an account to get test ether.",
  working: "Working on it",
  refused: (reason: string): string => `It could not be done: ${reason}.`,
  away: "The local network does not answer. Is npm run dev still running?",
  devnet:
    "These are real clients. Their time cannot be jumped, and validators and members are processes of their own: stop one to see a missed duty.",
};

type DeveloperWords = typeof en;

const de: DeveloperWords = {
  title: "Entwickler",
  about: "Nur auf diesem Rechner. Es wirkt auf das lokale Netz, nicht auf Ihre Konten.",
  time: "Zeit auf der Kette",
  next: "Nächster Bericht",
  day: "Ein Tag dauert",
  silent: "Das Komitee schweigt bis",
  nextDay: "Zum nächsten Bericht springen",
  nextDayDone: "Ein Tag ist vergangen. Sein Bericht kommt in wenigen Sekunden.",
  missReport: "Nächsten Bericht ausfallen lassen",
  missReportDone: "Zu diesem Tag schweigt das Komitee. Was fehlt, kommt einen Tag später.",
  validator: "Validator",
  slash: "Slashen",
  slashDone: "Er hat zwei Stimmen abgegeben. Der Keeper beweist es, der nächste Bericht zählt den Verlust.",
  noValidator: "Kein Validator ist aktiv.",
  testEther: (amount) => `${amount} für mich`,
  testEtherDone: "Es ist auf Ihrem Konto.",
  testEtherConnect: "Verbinden Sie ein Konto, um Test-Ether zu bekommen.",
  working: "Läuft",
  refused: (reason) => `Es ging nicht: ${reason}.`,
  away: "Das lokale Netz antwortet nicht. Läuft npm run dev noch?",
  devnet:
    "Das sind echte Clients. Ihre Zeit lässt sich nicht vorstellen, und Validatoren und Mitglieder sind eigene Prozesse: Halten Sie einen an, um ein Versäumnis zu sehen.",
};

export const DEVELOPER_WORDS: Readonly<Record<Locale, DeveloperWords>> = { en, de };
