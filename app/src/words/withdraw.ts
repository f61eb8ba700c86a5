import { withdraw } from "./en/withdraw.ts";
import { pageWords } from "./page.ts";

export const withdrawWords = pageWords({ withdraw }, () => import("./de/withdraw.ts"));
