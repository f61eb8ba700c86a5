/** Single turns of the members of a committee. */
import type { Step } from "../../../offchain/oracle/step.ts";
import type { Committee, Place } from "./committee.ts";

export async function step(place: Place | undefined): Promise<Step> {
  if (place?.daemon === undefined) throw new Error("that member is down");
  return place.daemon.member.step();
}

export async function reasons(place: Place | undefined): Promise<readonly string[]> {
  return (await step(place)).reasons;
}

/** Members in the order of their turns for a slot. */
export async function inTurn(c: Committee, refSlot: bigint): Promise<[Place, Place, Place, Place, Place]> {
  const first = Number((refSlot / (await c.p.oracle.slotsPerFrame())) % BigInt(c.places.length));
  return c.places.map((_, place) => c.places[(first + place) % c.places.length]) as [Place, Place, Place, Place, Place];
}

/** As after a crash: what it held in memory is gone. */
export async function restart(c: Committee, place: Place): Promise<void> {
  await c.stop(place);
  await c.start(place);
}
