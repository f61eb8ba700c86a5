/** The command line's exact words for what a page can't do: keys stay where they are. */
const ESTUARY = "npm run --silent estuary --";

export interface Command {
  readonly name: "settings" | "keys" | "prove" | "requeue" | "status" | "exit";
  readonly text: string;
}

/** @param network as `--network` takes it @param active a public key: the last command is for a validator that runs */
export function commandsFor(operatorId: bigint, network: string, active: string | undefined): readonly Command[] {
  // a fork version is no name of `init`: it asks for the nodes
  const init = network.startsWith("0x") ? "init" : `init --network ${network}`;
  return [
    { name: "settings", text: `${ESTUARY} ${init}` },
    { name: "keys", text: `${ESTUARY} operator keys --count 1 --network ${network}` },
    { name: "prove", text: `${ESTUARY} operator prove ${operatorId}` },
    { name: "requeue", text: `${ESTUARY} operator requeue ${operatorId}` },
    { name: "status", text: `${ESTUARY} operator exits ${operatorId}` },
    ...(active === undefined ? [] : [{ name: "exit" as const, text: exitCommand(active) }]),
  ];
}

export function exitCommand(pubkey: string): string {
  return `${ESTUARY} operator exit ${pubkey} --keystore keystore.json`;
}
