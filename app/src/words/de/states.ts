import type { StatesWords } from "../en/states.ts";

export const states: StatesWords = {
  predeposited: "wartet auf den Beweis",
  queued: "bewiesen, wartet auf Ether",
  active: "aktiv",
  exiting: "tritt aus",
  withdrawn: "ausgetreten",
  dropped: "gestrichen",
};
