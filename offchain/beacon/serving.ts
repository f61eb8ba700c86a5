/** What a configuration's beacon nodes serve, in words. Pure. */
import type { NodeServes } from "./types.ts";

export interface Served {
  readonly count: number;
  /** How many, which, and why the others do not. */
  readonly text: string;
}

export function wholeStates(nodes: readonly NodeServes[]): Served {
  const serving = nodes.filter(({ lacksStates }) => lacksStates === undefined);
  const names = serving.map(({ host }) => host).join(", ");
  const text = `${serving.length} of ${nodes.length} beacon nodes serve whole states: ${names}`;
  return { count: serving.length, text: text + reasons(nodes, "lacksStates") };
}

export function singleValidators(nodes: readonly NodeServes[]): Served {
  const count = nodes.filter(({ lacksIds }) => lacksIds === undefined).length;
  return { count, text: `${count} serve single validators${reasons(nodes, "lacksIds")}` };
}

/** Of the nodes that do not. */
export function reasons(nodes: readonly NodeServes[], lack: "lacksStates" | "lacksIds"): string {
  return nodes.flatMap((node) => (node[lack] === undefined ? [] : [`; ${node.host}: ${node[lack]}`])).join("");
}
