import { leaving } from "./en/leaving.ts";
import { leavingWords } from "./leaving.ts";
import { withdraw } from "./en/withdraw.ts";
import { pageWords } from "./page.ts";

export const withdrawWords = pageWords({ withdraw, leaving }, async () => {
  // parts that speak of leaving find their words there when they are opened
  const [own, shared] = await Promise.all([import("./de/withdraw.ts"), leavingWords.in("de")]);
  return { withdraw: own.withdraw, leaving: shared.leaving };
});
