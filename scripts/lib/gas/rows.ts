/** The rows of the gas table: what is measured, the limit of each figure, and what peers pay. */
import { readFileSync } from "node:fs";
import { z } from "zod";

export interface Row {
  readonly id: string;
  readonly gas: number;
  /** At most this; null for figures that are only watched. */
  readonly limit: number | null;
  readonly peers: Readonly<Record<string, number>>;
}
/** Gas by row id. */
export type Figures = Readonly<Record<string, number>>;

const PEERS = new URL("../../../docs/data/gas-peers.json", import.meta.url);
const gas = z.number().int().positive();
const peersSchema = z.object({
  unit: z.string(),
  measured: z.string(),
  source: z.string(),
  rows: z.array(z.object({ id: z.string(), limit: gas, peers: z.record(gas), note: z.string().optional() })),
});
export type PeerData = z.infer<typeof peersSchema>;

export function readPeers(): PeerData {
  return peersSchema.parse(JSON.parse(readFileSync(PEERS, "utf8")));
}

/** Rows with a limit first, in the order of the peers' data, then the others in the order of measuring. */
export function rowsOf(figures: Figures, peers: PeerData): Row[] {
  const known = peers.rows.map(({ id, limit, peers: others }) => {
    const measured = figures[id];
    if (measured === undefined) throw new Error(`${id} was not measured`);
    return { id, gas: measured, limit, peers: others };
  });
  const ids = new Set(known.map((row) => row.id));
  const further = Object.entries(figures)
    .filter(([id]) => !ids.has(id))
    .map(([id, measured]) => ({ id, gas: measured, limit: null, peers: {} }));
  return [...known, ...further];
}
