/**
 * The one chain of a test run. Test files share it through `loadFixture`, so the protocol is deployed once a process.
 *
 * A fixture may start by loading another one: `const base = await loadFixture(deployed)`. Snapshots form a stack, and going back to one
 * drops the later ones, so a fixture that everything builds on is loaded first and stays.
 */
import { network } from "hardhat";

export const connection = await network.create();
export const { ethers, ignition, networkHelpers, provider } = connection;

interface Snapshot {
  readonly fixture: () => Promise<unknown>;
  readonly data: unknown;
  id: string;
}

const snapshots: Snapshot[] = [];

/** Runs `fixture` the first time and restores the state that it left every other time. Its identity is its key: pass a named function. */
export async function loadFixture<T>(fixture: () => Promise<T>): Promise<T> {
  const index = snapshots.findIndex((snapshot) => snapshot.fixture === fixture);
  const found = snapshots[index];
  if (found !== undefined) {
    snapshots.length = index + 1;
    const restored: unknown = await provider.request({ method: "evm_revert", params: [found.id] });
    if (restored !== true)
      throw new Error(`the snapshot of ${fixture.name} is gone: was the chain reverted behind loadFixture?`);
    found.id = await takeSnapshot();
    return found.data as T;
  }
  const data = await fixture();
  snapshots.push({ fixture, data, id: await takeSnapshot() });
  return data;
}

async function takeSnapshot(): Promise<string> {
  return String(await provider.request({ method: "evm_snapshot" }));
}
