import { rewards } from "./en/rewards.ts";
import { pageWords } from "./page.ts";

export const rewardsWords = pageWords({ rewards }, () => import("./de/rewards.ts"));
