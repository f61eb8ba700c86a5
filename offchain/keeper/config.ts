/** Settings of the keeper, from the environment. */
import { amountField, field, wholeNumber, yesOrNo } from "../util/config.ts";
import type { Config } from "../util/config.ts";
import { DAEMON_FIELDS } from "../util/daemon.ts";
import { SIGNER_FIELDS } from "../util/signer.ts";
import { MAX_BATCH } from "./actions.ts";

const GWEI_DECIMALS = 9;
const ETH_DECIMALS = 18;

export const KEEPER_FIELDS = {
  ...DAEMON_FIELDS,
  ...SIGNER_FIELDS,
  DRY_RUN: field(yesOrNo, { about: "send nothing, only log what would be sent", fallback: "false" }),
  MAX_FEE_GWEI: amountField(GWEI_DECIMALS, { about: "most that a unit of gas may cost, in gwei", fallback: "30" }),
  URGENT_MAX_FEE_GWEI: amountField(GWEI_DECIMALS, {
    about: "the same for proofs of slashings and of withdrawals, which stop being possible",
    fallback: "300",
  }),
  REPLACE_AFTER: field(wholeNumber(12, 3_600), {
    about: "seconds after which a transaction that is not mined is replaced at a higher price",
    fallback: "120",
  }),
  REPLACEMENTS: field(wholeNumber(0, 20), { about: "how often", fallback: "5" }),
  ATTEMPTS: field(wholeNumber(1, 100), { about: "refusals after which an action rests for an hour", fallback: "5" }),
  BATCH: field(wholeNumber(1, MAX_BATCH), { about: "most keys in one transaction", fallback: "30" }),
  MIN_FINALISATION: amountField(ETH_DECIMALS, {
    about: "ETH that continuing a finalisation must pay at least",
    fallback: "0.1",
  }),
  MIN_TREASURY: amountField(ETH_DECIMALS, {
    about: "ETH of fees that are worth a payment to the treasury",
    fallback: "1",
  }),
};

export type KeeperConfig = Config<typeof KEEPER_FIELDS>;
