/** Settings of a member, from the environment (docs/running.md shows the table; a test compares). */
import { amountField, field, httpUrl, list, optional, text, wholeNumber } from "../util/config.ts";
import type { Config } from "../util/config.ts";
import { DAEMON_FIELDS } from "../util/daemon.ts";
import { SIGNER_FIELDS } from "../util/signer.ts";

const GWEI_DECIMALS = 9;

export const ORACLE_FIELDS = {
  ...DAEMON_FIELDS,
  ...SIGNER_FIELDS,
  PEERS: optional(list(httpUrl), { about: "the other members, separated by commas" }),
  DATA_DIR: field(text, { about: "folder of the journal of signatures: keep it, and never run one key with two" }),
  LISTEN_HOST: field(text, { about: "address that peers reach", fallback: "127.0.0.1" }),
  LISTEN_PORT: field(wholeNumber(0, 65_535), { about: "its port; 0 picks a free one", fallback: "9465" }),
  TAKE_OVER_DELAY: field(wholeNumber(1, 86_400), {
    about: "seconds that each further member waits before it submits in another's place",
    fallback: "60",
  }),
  MAX_FEE_GWEI: amountField(GWEI_DECIMALS, { about: "most that a unit of gas may cost, in gwei", fallback: "200" }),
  RECEIPT_TIMEOUT: field(wholeNumber(1, 3_600), {
    about: "seconds until a report that is not mined is sent again with a higher fee",
    fallback: "120",
  }),
};

export type OracleConfig = Config<typeof ORACLE_FIELDS>;
