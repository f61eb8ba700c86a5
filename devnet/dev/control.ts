/**
 * What the developer panel asks for, over HTTP on loopback. A request is a POST of JSON whose Origin is the page that this server serves: another
 * site's page can't send one (its Origin is its own, and JSON needs a permission that is never given), nor can a name that leads here by DNS.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isAddress } from "ethers";
import { z } from "zod";
import { messageOf } from "../../offchain/util/errors.ts";
import { BodyTooLarge, readBody } from "../httpBody.ts";
import { answer } from "./pages.ts";

const MAX_BODY_BYTES = 10_000;

const address = z.string().refine((text) => isAddress(text), "an address");
const pubkey = z.string().regex(/^0x[0-9a-f]{96}$/, "a public key");

const actionSchema = z.discriminatedUnion("action", [
  z.object({ action: z.literal("state") }).strict(),
  z.object({ action: z.literal("nextDay") }).strict(),
  z.object({ action: z.literal("slash"), pubkey }).strict(),
  z.object({ action: z.literal("missReport") }).strict(),
  z.object({ action: z.literal("testEther"), address }).strict(),
]);
export type ControlAction = z.output<typeof actionSchema>;

export interface ControlState {
  readonly network: "simulated" | "devnet";
  /** Seconds of the wall that a day, which is a frame, takes. */
  readonly daySeconds: number;
  /** Of the chain, unix seconds. */
  readonly time: number;
  /** The reference slot that is next, by its time. */
  readonly nextReference: number;
  /** The committee is silent until then; undefined where it is not. */
  readonly silentUntil: number | undefined;
  /** Validators that can be slashed. */
  readonly validators: readonly { readonly pubkey: string; readonly operator: string }[];
  /** Wei that `testEther` gives. */
  readonly testEther: string;
}

/** What can be asked of a network; what can't be done there is left out. */
export interface Controls {
  state(): Promise<ControlState>;
  testEther(address: string): Promise<void>;
  nextDay?(): Promise<void>;
  missReport?(): Promise<void>;
  slash?(pubkey: string): Promise<void>;
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** For `also` of the pages, whose server has looked at Host. */
export function controlHandler(controls: Controls) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const send = (status: number, body: object): void =>
      answer(response, status, "application/json", JSON.stringify(body));
    try {
      send(200, await act(controls, await readAction(request)));
    } catch (error) {
      send(error instanceof Refusal ? error.status : 409, { error: messageOf(error) });
    }
  };
}

async function readAction(request: IncomingMessage): Promise<ControlAction> {
  const { method, headers } = request;
  if (method !== "POST") throw new Refusal(405, "POST only");
  if (headers.origin !== `http://${headers.host ?? ""}`) throw new Refusal(403, "not asked by this page");
  if (!/^application\/json(;|$)/.test(headers["content-type"] ?? "")) throw new Refusal(415, "application/json only");
  try {
    return actionSchema.parse(JSON.parse(await readBody(request, MAX_BODY_BYTES)));
  } catch (error) {
    if (error instanceof BodyTooLarge) throw new Refusal(413, error.message);
    throw new Refusal(400, error instanceof z.ZodError ? "no such action" : "the body is not JSON");
  }
}

async function act(controls: Controls, asked: ControlAction): Promise<object> {
  const unsupported = (): never => {
    throw new Refusal(501, "not on this network");
  };
  switch (asked.action) {
    case "state":
      break;
    case "testEther":
      await controls.testEther(asked.address);
      break;
    case "nextDay":
      await (controls.nextDay?.() ?? unsupported());
      break;
    case "missReport":
      await (controls.missReport?.() ?? unsupported());
      break;
    case "slash":
      await (controls.slash?.(asked.pubkey) ?? unsupported());
      break;
  }
  const can = { nextDay: "nextDay" in controls, missReport: "missReport" in controls, slash: "slash" in controls };
  return { ...(await controls.state()), can };
}
