import { leaving } from "./en/leaving.ts";
import type { LeavingWords } from "./en/leaving.ts";
import { pageWords } from "./page.ts";

export const leavingWords = pageWords({ leaving }, () => import("./de/leaving.ts"));

export interface LeavingPage {
  readonly leaving: LeavingWords;
}
