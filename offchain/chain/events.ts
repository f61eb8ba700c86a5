/** Events of the protocol's contracts in logs and receipts, by name with named arguments. */
import type { Log, LogDescription } from "ethers";
import type { Hex } from "../util/hex.ts";
import type { Protocol } from "./connect.ts";
import { parsedLog } from "./logs.ts";

export type ContractName =
  "token" | "wrapped" | "pool" | "queue" | "operators" | "validators" | "oracle" | "withdrawalVault" | "etherPool";

const NAMES = [
  ...(["token", "wrapped", "pool", "queue", "operators", "validators", "oracle", "withdrawalVault"] as const),
];

export interface ChainEvent {
  readonly contract: ContractName;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly block: number;
  readonly logIndex: number;
  readonly transaction: Hex;
}

/** The events of the protocol among these logs; others' are passed over. */
export function decodeEvents(protocol: Protocol, logs: readonly Log[]): ChainEvent[] {
  const contracts = contractsOf(protocol);
  return logs.flatMap((log) => {
    const contract = contracts.get(log.address.toLowerCase());
    if (contract === undefined) return [];
    const parsed = parsedLog(contract.abi, log);
    if (parsed === undefined) return [];
    return [
      {
        contract: contract.name,
        name: parsed.name,
        args: namedArgs(parsed),
        block: log.blockNumber,
        logIndex: log.index,
        transaction: log.transactionHash as Hex,
      },
    ];
  });
}

/** The Router emits nothing. */
function contractsOf(protocol: Protocol): Map<string, { readonly name: ContractName; readonly abi: object }> {
  const { etherPool } = protocol.liquidity ?? {};
  const named = [
    ...NAMES.map((name) => [name, protocol[name]] as const),
    ...(etherPool === undefined ? [] : [["etherPool", etherPool] as const]),
  ];
  return new Map(
    named.map(([name, { target, interface: abi }]) => [(target as string).toLowerCase(), { name, abi }] as const),
  );
}

/** Arguments by name; those without one by place. */
export function namedArgs({ fragment, args }: Pick<LogDescription, "fragment" | "args">): Record<string, unknown> {
  return Object.fromEntries(
    fragment.inputs.map(({ name }, index) => [name === "" ? String(index) : name, args[index] as unknown]),
  );
}

/** The arguments of all events of one name. */
export function argsOf<T>(events: readonly ChainEvent[], contract: ContractName, name: string): T[] {
  return events.filter((event) => event.contract === contract && event.name === name).map(({ args }) => args as T);
}
