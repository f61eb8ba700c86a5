/** What was started: one table. */

export interface Started {
  readonly appUrl: string;
  readonly rpcUrl: string;
  readonly beaconUrl: string;
  readonly chainId: number;
  readonly deploymentFile: string;
  readonly folder: string;
  /** By name, in their order. */
  readonly contracts: Readonly<Record<string, string>>;
  readonly accounts: readonly { readonly name: string; readonly address: string; readonly key: string }[];
}

const WIDTH = 17;

export function tableOf(started: Started): string {
  const { appUrl, rpcUrl, beaconUrl, chainId, deploymentFile, folder, contracts, accounts } = started;
  const row = (name: string, ...values: string[]): string => `${name.padEnd(WIDTH)} ${values.join("  ")}`;
  const line = (title: string): string => `── ${title} ${"─".repeat(Math.max(0, 76 - title.length))}`;
  return [
    line("open"),
    row("the app", appUrl),
    row("JSON-RPC", rpcUrl, `(chain ${chainId})`),
    row("Beacon API", beaconUrl),
    row("addresses file", deploymentFile),
    row("kept in", folder),
    line("contracts"),
    ...Object.entries(contracts).map(([name, address]) => row(name, address)),
    line("accounts, with keys that everybody knows"),
    ...accounts.map(({ name, address, key }) => row(name, address, key)),
    line("for a shell that uses it"),
    `export ESTUARY_EXECUTION_URLS='${rpcUrl}' ESTUARY_BEACON_URLS='${beaconUrl}' ESTUARY_DEPLOYMENT='${deploymentFile}'`,
  ].join("\n");
}
