import { wrap } from "./en/wrap.ts";
import { pageWords } from "./page.ts";

export const wrapWords = pageWords({ wrap }, () => import("./de/wrap.ts"));
