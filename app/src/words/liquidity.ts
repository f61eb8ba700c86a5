import { leaving } from "./en/leaving.ts";
import { leavingWords } from "./leaving.ts";
import { liquidity } from "./en/liquidity.ts";
import { pageWords } from "./page.ts";

export const liquidityWords = pageWords({ liquidity, leaving }, async () => {
  // parts that speak of leaving find their words there when they are opened
  const [own, shared] = await Promise.all([import("./de/liquidity.ts"), leavingWords.in("de")]);
  return { liquidity: own.liquidity, leaving: shared.leaving };
});
