import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createRequire } from "node:module";
import { expect } from "chai";
import { REASONS as KEEPER_REASONS, ACTION_KINDS } from "../../offchain/keeper/actions.ts";
import { REASONS } from "../../offchain/oracle/metrics.ts";
import { KEEPER_FIELDS } from "../../offchain/keeper/config.ts";
import { ORACLE_FIELDS } from "../../offchain/oracle/config.ts";
import { DAEMON_FIELDS } from "../../offchain/util/daemon.ts";
import { EXIT } from "../../offchain/util/errors.ts";
import { fillTables, metricsOf } from "../../scripts/lib/operations.ts";
import { registries, runningTables } from "../../scripts/lib/runningTables.ts";

// it has no types of its own
const { load } = createRequire(import.meta.url)("js-yaml") as { load: (text: string) => unknown };

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(root(path), "utf8");

const METRICS = new Map(
  Object.values(registries())
    .flatMap(metricsOf)
    .map((metric) => [metric.name, metric]),
);
/** Every value that a label with a fixed set of them can have. */
const LABEL_VALUES = new Map<string, ReadonlySet<string>>([
  ["estuary_oracle_blocked/reason", new Set(REASONS)],
  ["estuary_keeper_blocked/reason", new Set(KEEPER_REASONS)],
  ["estuary_keeper_blocked/action", new Set(ACTION_KINDS)],
]);

/** What an expression of Prometheus names and the programs don't have. */
function unknownIn(expression: string): string[] {
  const problems: string[] = [];
  for (const [, name = "", selector = ""] of expression.matchAll(/\b(estuary_\w+)(?:\{([^}]*)\})?/g)) {
    const metric = METRICS.get(name);
    if (metric === undefined) {
      problems.push(name);
      continue;
    }
    for (const [, label = "", , values = ""] of selector.matchAll(/(\w+)(=~?)"([^"]*)"/g)) {
      if (!metric.labelNames.includes(label)) problems.push(`${name}{${label}}`);
      const known = LABEL_VALUES.get(`${name}/${label}`);
      if (known !== undefined)
        problems.push(
          ...values
            .split("|")
            .filter((value) => !known.has(value))
            .map((value) => `${label}=${value}`),
        );
    }
  }
  // labels that are grouped by come from the metrics named, or are Prometheus's own
  const labels = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = ""]) => names.split(/,\s*/));
  const names = [...expression.matchAll(/\bestuary_\w+/g)].map(([name]) => name);
  for (const label of labels)
    if (label !== "instance" && !names.some((name) => METRICS.get(name)?.labelNames.includes(label) === true))
      problems.push(`by (${label})`);
  return problems;
}

/** Pairs of name and expression, in the order of the file. */
function alertsOf(text: string): (readonly [name: string, expression: string])[] {
  return [...text.matchAll(/^ +- alert: (\w+)\n +expr: (.+)$/gm)].map(([, name = "", expression = ""]) => [
    name,
    expression,
  ]);
}

describe("docs/running.md", () => {
  it("shows the settings and metrics of the programs (npm run docs:running writes them)", () => {
    const text = read("docs/running.md");
    expect(fillTables(text, runningTables())).to.equal(text);
  });

  it("explains every reason not to report, and every exit code", () => {
    const text = read("docs/running.md");
    const reasons = [...text.matchAll(/^\| (`.*`) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name),
    );
    expect(reasons).to.include.members([...REASONS]);
    const codes = [...text.matchAll(/^\| (\d) \| /gm)].map(([, code]) => Number(code));
    expect(codes).to.deep.equal(Object.values(EXIT));
  });

  it("names only files that exist", () => {
    for (const [, path = ""] of read("docs/running.md").matchAll(/\]\(\.\.\/([^)]+)\)/g))
      expect(existsSync(root(path)), path).to.equal(true);
  });
});

describe("ops", () => {
  it("has alerts on metrics, labels and values that exist", () => {
    const text = read("ops/alerts.yml");
    const alerts = alertsOf(text);
    expect(alerts).to.have.length(text.split("- alert:").length - 1);
    for (const [name, expression] of alerts) {
      expect(expression, name).to.match(/estuary_/);
      expect(unknownIn(expression), name).to.deep.equal([]);
    }
  });

  it("notices what does not exist", () => {
    expect(unknownIn('estuary_oracle_blocked{reason="bored"}')).to.deep.equal(["reason=bored"]);
    expect(unknownIn('estuary_oracle_blocked{mood="x"}')).to.deep.equal(["estuary_oracle_blocked{mood}"]);
    expect(unknownIn("sum by (mood) (estuary_oracle_quorum)")).to.deep.equal(["by (mood)"]);
    expect(unknownIn("estuary_oracle_nothing")).to.deep.equal(["estuary_oracle_nothing"]);
  });

  it("has an alert for each reason that needs a person", () => {
    const usual = new Set(["no_new_frame", "not_final", "not_my_turn", "outvoted"]);
    const text = read("ops/alerts.yml");
    const alerted = new Set(
      [...text.matchAll(/reason=~?"([a-z_|]+)"/g)].flatMap(([, values = ""]) => values.split("|")),
    );
    expect(REASONS.filter((reason) => !usual.has(reason) && !alerted.has(reason))).to.deep.equal([]);
    expect(text).to.include("estuary_oracle_outvoted_total");
  });

  it("has a dashboard whose panels show metrics that exist, and that shows every metric", () => {
    const { panels } = JSON.parse(read("ops/dashboard.json")) as {
      panels: { id: number; title: string; targets: { expr: string }[] }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    for (const expression of expressions) expect(unknownIn(expression), expression).to.deep.equal([]);
    expect(
      [...METRICS.keys()].filter((name) => !expressions.some((expression) => expression.includes(name))),
    ).to.deep.equal([]);
  });

  it("starts programs that exist, with variables that they have", () => {
    const tables = Object.values(runningTables()).join("\n");
    const services = ["ops/estuary-oracle.service", "ops/estuary-keeper.service"];
    for (const file of [...services, "ops/Dockerfile"]) {
      const text = read(file);
      const programs = [...text.matchAll(/scripts\/\w+\.ts/g)].map(([path]) => path);
      expect(programs, file).to.not.be.empty;
      for (const path of programs) expect(existsSync(root(path)), path).to.equal(true);
      for (const [, name = ""] of text.matchAll(/\b(ESTUARY_\w+?)(?:_FILE)?=/g))
        expect(tables).to.include(`\`${name}\``);
    }
  });

  it("composes services of files, volumes and secrets that are there, with settings that their programs have", () => {
    const compose = yaml("ops/compose.yml") as Compose;
    const settings = { oracle: Object.keys(ORACLE_FIELDS), keeper: Object.keys(KEEPER_FIELDS) };
    for (const [name, { command, environment, secrets, volumes }] of Object.entries(compose.services)) {
      for (const volume of volumes ?? []) {
        const [source = ""] = volume.split(":");
        const isMine = ["./deployment.json"].includes(source);
        if (source.startsWith("./")) expect(isMine || existsSync(root(`ops/${source}`)), volume).to.equal(true);
        else expect(compose.volumes).to.have.property(source);
      }
      for (const secret of secrets ?? []) expect(compose.secrets).to.have.property(secret);
      if (name !== "oracle" && name !== "keeper") continue;
      expect(command).to.deep.equal([`scripts/${name}.ts`, "run"]);
      for (const [variable, value] of Object.entries(environment ?? {})) {
        const [, field = "", isFile] = /^ESTUARY_(\w+?)(_FILE)?$/.exec(variable) ?? [];
        expect(settings[name], variable).to.include(field);
        if (isFile !== undefined) expect(secrets).to.include(value.replace("/run/secrets/", ""));
      }
    }
  });

  it("scrapes the port that the daemons serve, under the names of their services, with rules that are there", () => {
    const { rule_files: rules, scrape_configs: jobs } = yaml("ops/prometheus.yml") as Prometheus;
    for (const file of rules) expect(existsSync(root(`ops/${file}`)), file).to.equal(true);
    const targets = jobs.flatMap(({ static_configs: configs }) => configs.flatMap((config) => config.targets));
    expect(targets).to.deep.equal(["oracle", "keeper"].map((name) => `${name}:${DAEMON_FIELDS.HEALTH_PORT.fallback}`));
    expect(Object.keys((yaml("ops/compose.yml") as Compose).services)).to.include.members(["oracle", "keeper"]);
    expect((yaml("ops/alerts.yml") as { groups: object[] }).groups).to.not.be.empty;
  });
});

interface Compose {
  readonly services: Record<
    string,
    {
      readonly command?: string[];
      readonly environment?: Record<string, string>;
      readonly secrets?: string[];
      readonly volumes?: string[];
    }
  >;
  readonly volumes: object;
  readonly secrets: object;
}

interface Prometheus {
  readonly rule_files: string[];
  readonly scrape_configs: { readonly static_configs: { readonly targets: string[] }[] }[];
}

function yaml(path: string): unknown {
  return load(read(path));
}
