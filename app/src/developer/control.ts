/** The control of the local network: JSON to the place that the page came from. */
import { z } from "zod";

const stateSchema = z.object({
  network: z.enum(["simulated", "devnet"]),
  daySeconds: z.number(),
  time: z.number(),
  nextReference: z.number(),
  silentUntil: z.number().optional(),
  validators: z.array(z.object({ pubkey: z.string(), operator: z.string() })),
  testEther: z.string().transform(BigInt),
  can: z.object({ nextDay: z.boolean(), missReport: z.boolean(), slash: z.boolean() }),
});
export type ControlState = z.output<typeof stateSchema>;

export type ControlAction =
  | { readonly action: "state" | "nextDay" | "missReport" }
  | { readonly action: "slash"; readonly pubkey: string }
  | { readonly action: "testEther"; readonly address: string };

/** The network answered that it can't. */
export class ControlRefusal extends Error {
  override readonly name = "ControlRefusal";
}

/** @throws ControlRefusal, or whatever `fetch` throws where nobody answers */
export async function control(url: string, action: ControlAction): Promise<ControlState> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(action),
  });
  const body: unknown = await response.json();
  if (response.ok) return stateSchema.parse(body);
  throw new ControlRefusal(z.object({ error: z.string() }).parse(body).error);
}
