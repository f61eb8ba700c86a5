import { operators } from "./en/operators.ts";
import type { OperatorsWords } from "./en/operators.ts";
import { pageWords } from "./page.ts";

export const operatorsWords = pageWords({ operators }, () => import("./de/operators.ts"));

export interface OperatorsPage {
  readonly operators: OperatorsWords;
}
