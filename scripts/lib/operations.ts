/** The tables of docs/running.md that follow from the code: a test compares them, `npm run docs:running` writes them. */
import type { Registry } from "prom-client";
import { PREFIX } from "../../offchain/util/config.ts";
import type { Fields } from "../../offchain/util/config.ts";

export function settingsTable(fields: Fields): string {
  const rows = Object.entries(fields).map(([name, { about, fallback, parse, secret }]) => {
    const isOptional = parse.safeParse(undefined).success;
    const standard = fallback === undefined ? (isOptional ? "-" : "required") : `\`${fallback}\``;
    return `| \`${PREFIX}${name}\` | ${about}${secret === true ? " (secret: not shown)" : ""} | ${standard} |`;
  });
  return ["| Variable | Meaning | Default |", "|---|---|---|", ...rows].join("\n");
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

export function metricsOf(registry: Registry): Metric[] {
  // of a metric's own fields, prom-client's types show only some
  const metrics = registry.getMetricsAsArray() as unknown as (Omit<Metric, "type"> & {
    type?: string;
    constructor: { name: string };
  })[];
  return metrics.map(({ name, help, labelNames, constructor }) => ({
    name,
    help,
    type: constructor.name.toLowerCase(),
    labelNames,
  }));
}

export function metricsTable(registry: Registry): string {
  const rows = metricsOf(registry).map(({ name, help, type, labelNames }) => {
    const labels = labelNames.length === 0 ? "" : `{${labelNames.join(", ")}}`;
    return `| \`${name}${labels}\` | ${type} | ${help} |`;
  });
  return ["| Metric | Type | Meaning |", "|---|---|---|", ...rows].join("\n");
}

/** The document with each `<!-- table: name -->` ... `<!-- end -->` filled. @throws Error where a table has no place */
export function fillTables(text: string, tables: Readonly<Record<string, string>>): string {
  let filled = text;
  for (const [name, table] of Object.entries(tables)) {
    const place = new RegExp(`(<!-- table: ${name} -->\n)[\\s\\S]*?(<!-- end -->)`);
    if (!place.test(filled)) throw new Error(`no place for the table ${name}`);
    filled = filled.replace(place, (_, before: string, after: string) => `${before}${table}\n${after}`);
  }
  return filled;
}
