/** The catalogue as the tables of docs/hostile-nodes.md. */
import type { Behaviour } from "./behaviour.ts";
import { CATALOGUE } from "./catalogue.ts";

/** By the place in the document. */
export function catalogueTables(): Record<string, string> {
  const both = ({ layers }: Behaviour): boolean => layers.length > 1;
  return {
    "both layers": tableOf(CATALOGUE.filter(both)),
    "execution nodes": tableOf(CATALOGUE.filter((one) => !both(one) && one.layers.includes("execution"))),
    "beacon nodes": tableOf(CATALOGUE.filter((one) => !both(one) && one.layers.includes("beacon"))),
  };
}

function tableOf(behaviours: readonly Behaviour[]): string {
  const rows = behaviours.map(
    ({ name, by, what, effect, source }) =>
      `| ${name} | ${by.join(", ")} | ${what} | ${effect} | [${placeOf(source)}](${source}) |`,
  );
  return ["| Behaviour | Of | Answers | Alone it is | Source |", "|---|---|---|---|---|", ...rows].join("\n");
}

/** "owner/repository#7" of an issue, else the host. */
function placeOf(source: string): string {
  const { hostname, pathname } = new URL(source);
  const [, owner = "", repository = "", kind = "", number = ""] = pathname.split("/");
  if (hostname !== "github.com") return hostname;
  return kind === "issues" || kind === "pull" ? `${owner}/${repository}#${number}` : `${owner}/${repository}`;
}
