/** What comes with the first page, in English; `de` says the same. What further pages say comes with them: `pageWords`. */
import { field } from "./field.ts";
import { frame } from "./frame.ts";
import { holdings } from "./holdings.ts";
import { reverts } from "./reverts.ts";
import { stake } from "./stake.ts";
import { states } from "./states.ts";
import { terms } from "./terms.ts";
import { tx } from "./tx.ts";
import { wallet } from "./wallet.ts";

export const en = { ...frame, field, holdings, reverts, stake, states, terms, tx, wallet };

export type Words = typeof en;
