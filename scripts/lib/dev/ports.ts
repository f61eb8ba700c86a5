/** Ports that people know by heart, before anything is started on them. */
import { createServer } from "node:net";
import { AppError, EXIT } from "../../../offchain/util/errors.ts";

export interface Ports {
  readonly port: number;
  readonly beaconPort: number;
  readonly appPort: number;
}

/** @throws AppError (unavailable), a line for each port that somebody else has */
export async function assertPortsFree({ port, beaconPort, appPort }: Ports): Promise<void> {
  const wanted = [
    { option: "--port", what: "JSON-RPC", number: port },
    { option: "--beacon-port", what: "Beacon API", number: beaconPort },
    { option: "--app-port", what: "the app", number: appPort },
  ];
  const taken = await Promise.all(wanted.map(async (one) => ({ ...one, isTaken: await isTaken(one.number) })));
  const problems = taken
    .filter((one) => one.isTaken)
    .map(
      ({ option, what, number }) =>
        `port ${number} (${what}) is in use, perhaps by another npm run dev: stop that, or give ${option} another, or 0 for a free one`,
    );
  if (problems.length > 0) throw new AppError(EXIT.unavailable, problems.join("\n"));
}

async function isTaken(port: number): Promise<boolean> {
  if (port === 0) return false;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return true;
  } finally {
    server.close();
  }
}
