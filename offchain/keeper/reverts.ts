/** Why a call would fail, as far as the keeper acts on it. */
import type { ErrorDescription } from "ethers";
import { IBeaconProof__factory } from "../../typechain-types/factories/contracts/validators/IBeaconProof__factory.ts";
import { OperatorRegistry__factory } from "../../typechain-types/factories/contracts/validators/OperatorRegistry__factory.ts";
import { StakingPool__factory } from "../../typechain-types/factories/contracts/pool/StakingPool__factory.ts";
import { ValidatorRegistry__factory } from "../../typechain-types/factories/contracts/validators/ValidatorRegistry__factory.ts";
import { WithdrawalVault__factory } from "../../typechain-types/factories/contracts/withdrawals/WithdrawalVault__factory.ts";
import { messageOf } from "../util/errors.ts";

const INTERFACES = [
  IBeaconProof__factory.createInterface(),
  OperatorRegistry__factory.createInterface(),
  StakingPool__factory.createInterface(),
  ValidatorRegistry__factory.createInterface(),
  WithdrawalVault__factory.createInterface(),
];

/** Errors by which one operator's keys spoil a batch; the first value is the operator's id. */
const ABOUT_AN_OPERATOR = new Set(["OperatorIsFrozen", "HasDebt", "BondTooSmall"]);

export interface Refusal {
  /** In one line. */
  readonly message: string;
  /** Whether a contract refused: the same again will be refused again. */
  readonly isRevert: boolean;
  readonly operatorId: bigint | undefined;
}

export function refusalOf(error: unknown): Refusal {
  const data = revertData(error);
  const parsed = data === undefined ? undefined : parse(data);
  if (parsed === undefined) return { message: messageOf(error), isRevert: data !== undefined, operatorId: undefined };
  const operatorId = ABOUT_AN_OPERATOR.has(parsed.name) ? (parsed.args[0] as bigint) : undefined;
  return { message: `${parsed.name}(${parsed.args.map(String).join(", ")})`, isRevert: true, operatorId };
}

function parse(data: string): ErrorDescription | undefined {
  for (const known of INTERFACES) {
    const parsed = known.parseError(data);
    if (parsed !== null) return parsed;
  }
  return undefined;
}

/** Where libraries and nodes put it. */
function revertData(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; typeof at === "object" && at !== null && depth < 6; depth++) {
    const { data, error: inner, cause, info } = at as Record<"data" | "error" | "cause" | "info", unknown>;
    if (typeof data === "string" && data.startsWith("0x") && data.length >= 10) return data;
    at = inner ?? cause ?? (typeof data === "object" ? data : undefined) ?? info;
  }
  return undefined;
}
