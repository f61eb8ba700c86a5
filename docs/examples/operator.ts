/** The operators of an account: bond, rewards, and when queued keys will be funded. */
import { formatEther } from "ethers";
import { ValidatorReader, readOperator, readOperatorValidators, readOperatorsOf } from "../../offchain/chain/index.ts";
import { open } from "./open.ts";

const { protocol, signer } = await open();
const reader = new ValidatorReader(protocol.validators, protocol.provider, protocol.fromBlock);
for (const id of await readOperatorsOf(protocol, await signer.getAddress())) {
  const { bond, rewards, debt } = await readOperator(protocol, id);
  console.log(`operator ${id}: bond ${formatEther(bond.held)} of ${formatEther(bond.required)} ETH required`);
  console.log(
    `  free ${formatEther(bond.freeValue)} ETH, rewards ${formatEther(rewards.value)} ETH, debt ${formatEther(debt)} ETH`,
  );
  console.log(`  room for ${bond.moreKeys} more keys`);
  const { items, total } = await readOperatorValidators(protocol, reader, id, { limit: 20 });
  console.log(`  ${total} validators`);
  for (const { pubkey, status, funding } of items)
    console.log(`  ${pubkey.slice(0, 18)}  ${status}${funding === undefined ? "" : `, place ${funding.position}`}`);
}
