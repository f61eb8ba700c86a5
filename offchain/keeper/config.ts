/** Settings of the keeper, from the environment. */
import { amountField, field, optionalAmount, wholeNumber, yesOrNo } from "../util/config.ts";
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
  ARBITRAGE: optionalAmount(ETH_DECIMALS, {
    about:
      "most ETH of the account that may be tied up in estETH that it buys from the EtherPool, queues and claims: all estETH of the account is queued. Unset, it buys nothing",
  }),
  ARBITRAGE_A_DAY: amountField(ETH_DECIMALS, { about: "most ETH of it that is spent within a day", fallback: "10" }),
  ARBITRAGE_PROFIT: amountField(ETH_DECIMALS, {
    about: "ETH that a purchase must bring, after gas and the cost of waiting",
    fallback: "0.001",
  }),
  ARBITRAGE_PROFIT_BP: field(wholeNumber(0, 500), {
    about: "the same in basis points, of each wei",
    fallback: "2",
  }),
  CAPITAL_COST_BP: field(wholeNumber(0, 10_000), {
    about: "what ETH costs that waits in the queue, in basis points a year",
    fallback: "300",
  }),
  GAS_RESERVE: amountField(ETH_DECIMALS, {
    about: "ETH of the account that buys nothing: it is for gas",
    fallback: "0.5",
  }),
};

export type KeeperConfig = Config<typeof KEEPER_FIELDS>;
