/** The committed figures, and how new ones differ from them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Figures } from "./rows.ts";

const SNAPSHOT = new URL("../../../docs/data/gas-snapshot.json", import.meta.url);
const snapshotSchema = z.record(z.number().int().positive());

/** An empty one if none was written yet. */
export function readSnapshot(): Figures {
  return existsSync(SNAPSHOT) ? snapshotSchema.parse(JSON.parse(readFileSync(SNAPSHOT, "utf8"))) : {};
}

/** Keeps figures that were not measured this time: the slow ones are measured only when asked for. */
export function writeSnapshot(figures: Figures): void {
  writeFileSync(SNAPSHOT, `${JSON.stringify({ ...readSnapshot(), ...figures }, null, 2)}\n`);
}

/**
 * Proofs and signatures hold hashes: how many of their bytes are zero, at 12 gas a byte, changes with anything that moves an address or a
 * root. A difference of a few bytes in these rows says nothing about the contracts.
 */
const HASHES_IN_CALLDATA = /^(proveValidator|validatorLifecycle|report)\./;
const ZERO_BYTES_GAS = 96;

/**
 * One line per difference, none if all is as committed.
 * @param optional ids that a run may leave out
 */
export function differences(committed: Figures, measured: Figures, optional: ReadonlySet<string>): string[] {
  const ids = new Set([...Object.keys(committed), ...Object.keys(measured)]);
  return [...ids].flatMap((id) => {
    const [was, is] = [committed[id], measured[id]];
    if (was === is || (is === undefined && optional.has(id))) return [];
    if (was === undefined) return [`${id}: ${is}, not in the snapshot`];
    if (is === undefined) return [`${id}: ${was} in the snapshot, not measured`];
    if (HASHES_IN_CALLDATA.test(id) && Math.abs(is - was) <= ZERO_BYTES_GAS) return [];
    return [`${id}: ${was} -> ${is} (${is > was ? "+" : ""}${is - was})`];
  });
}
