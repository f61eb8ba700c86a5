import { protocol } from "./en/protocol.ts";
import { pageWords } from "./page.ts";

export const protocolWords = pageWords({ protocol }, () => import("./de/protocol.ts"));
