/** What the developer panel can do with the simulated chain: all of it. */
import type { Provider as EthersProvider } from "ethers";
import { ValidatorReader } from "../../offchain/chain/validatorReader.ts";
import type { Hex } from "../../offchain/util/hex.ts";
import type { DevChain } from "./chain.ts";
import type { ControlState, Controls } from "./control.ts";
import { walletOf } from "./month.ts";

export const TEST_ETHER = 100n * 10n ** 18n;

export function simulatedControls(chain: DevChain, provider: EthersProvider, daySeconds: number): Required<Controls> {
  const { p } = chain;
  const reader = new ValidatorReader(p.validators, provider, 0);
  const slashable = async (): Promise<ControlState["validators"]> => {
    const [book, added] = await Promise.all([
      provider.getBlockNumber().then((block) => reader.bookAt(block)),
      p.operators.queryFilter(p.operators.filters.OperatorAdded()),
    ]);
    const names = new Map(added.map(({ args }) => [args.operatorId, args.name]));
    return [...book.values()]
      .filter(({ pubkey, status }) => status === "active" && p.beacon.stateAt().validator(pubkey)?.slashed === false)
      .map(({ pubkey, operatorId }) => ({ pubkey, operator: names.get(operatorId) ?? String(operatorId) }));
  };
  return {
    state: async () => ({
      network: "simulated",
      daySeconds,
      time: p.beacon.timeOf(p.beacon.head.slot),
      nextReference: p.beacon.timeOf(chain.nextReferenceSlot()),
      silentUntil: chain.isSilent() ? p.beacon.timeOf(chain.silentUntil) : undefined,
      validators: await slashable(),
      testEther: String(TEST_ETHER),
    }),
    testEther: async (to) => {
      const { address: from } = walletOf("faucet");
      const transaction = { from, to, value: `0x${TEST_ETHER.toString(16)}` };
      await chain.provider.request({ method: "eth_sendTransaction", params: [transaction] });
    },
    nextDay: () => chain.nextDay(),
    missReport: () => {
      chain.missReport();
      return Promise.resolve();
    },
    // and the block after it, so that the slashing can be proven
    slash: async (pubkey) => {
      await chain.slash(pubkey as Hex);
      await chain.advance(1);
      await chain.advance(1);
    },
  };
}
