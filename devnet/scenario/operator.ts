/** The operator of a scenario: registered by the governor, with all of the world's keys predeposited. */
import { signedDeposit } from "../keys.ts";
import type { Hex } from "../../offchain/util/hex.ts";
import { mined } from "./world.ts";
import type { World } from "./world.ts";

const PREDEPOSIT = 10n ** 18n;
const PREDEPOSIT_GWEI = 10n ** 9n;

/** The operator pays 1 ETH a key. */
export async function registerOperator({ contracts, actors, keys }: World): Promise<void> {
  const { operators, validators } = contracts;
  const owner = await actors.nodeOperator.getAddress();
  await mined(operators.connect(actors.governor).addOperator(0, owner, owner, "Operator One"));
  const credentials = (await validators.withdrawalCredentials()) as Hex;
  const data = keys.map((key) => signedDeposit(key, credentials, PREDEPOSIT_GWEI));
  await mined(
    validators.connect(actors.nodeOperator).predeposit(
      await operators.operatorCount(),
      data.map(({ pubkey }) => pubkey),
      data.map(({ signature }) => signature),
      data.map(({ depositDataRoot }) => depositDataRoot),
      { value: BigInt(keys.length) * PREDEPOSIT },
    ),
  );
}
