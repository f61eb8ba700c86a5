import { build } from "./en/build.ts";
import { pageWords } from "./page.ts";

export const buildWords = pageWords({ build }, () => import("./de/build.ts"));
