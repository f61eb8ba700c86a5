/** What happens to bytes on the way, of both layers: proxies, load balancers, limits, the network. */
import { gzipSync } from "node:zlib";
import { Counts } from "../behaviour.ts";
import type { Behaviour, Dice, Effect, Layer } from "../behaviour.ts";
import { json } from "../proxy.ts";
import type { Reply, Tamper } from "../proxy.ts";

const BOTH: readonly Layer[] = ["execution", "beacon"];
/** Of all requests. */
const SELDOM = 0.03;
/** Milliseconds: slow, and well within any timeout. */
const SLOW = 60;

const PAGE = `<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body bgcolor="white">\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n`;

export const WIRE: readonly Behaviour[] = [
  {
    ...about("gzip", "harmless", "bodies are compressed", "https://github.com/Consensys-Incorporated/teku/pull/7457"),
    by: ["teku", "besu", "provider"],
    tamper: () =>
      changed((reply) => ({
        ...reply,
        headers: { ...reply.headers, "content-encoding": "gzip" },
        body: gzipSync(reply.body, { level: 1 }),
      })),
  },
  {
    ...about("text/plain", "harmless", "JSON as text/plain", "https://github.com/INFURA/infura/issues/158"),
    tamper: () =>
      changed((reply) =>
        reply.headers["content-type"]?.startsWith("application/json") === true
          ? { ...reply, headers: { ...reply.headers, "content-type": "text/plain; charset=utf-8" } }
          : reply,
      ),
  },
  {
    ...about(
      "slow bodies",
      "harmless",
      "bodies in pieces, without a length",
      "https://www.rfc-editor.org/rfc/rfc9112#section-7.1",
    ),
    tamper: (dice) => now(dice, 4 * SELDOM, async (forward) => ({ ...(await forward()), trickle: SLOW })),
  },
  {
    ...about(
      "slow to answer",
      "harmless",
      "the first byte comes late",
      "https://github.com/ObolNetwork/charon/issues/2037",
    ),
    tamper: (dice) => now(dice, 4 * SELDOM, async (forward) => ({ ...(await forward()), delay: SLOW })),
  },
  {
    ...about(
      "bodies cut off",
      "passing",
      "the connection ends in the middle of a body",
      "https://github.com/ethers-io/ethers.js/issues/2928",
    ),
    tamper: (dice) =>
      now(dice, SELDOM, async (forward) => {
        const reply = await forward();
        return { ...reply, cutAfter: Math.floor(reply.body.length / 2) };
      }),
  },
  {
    ...about(
      "connections dropped",
      "passing",
      "the connection ends before a body",
      "https://github.com/web3/web3.js/issues/390",
    ),
    tamper: (dice) => now(dice, SELDOM, async (forward) => ({ ...(await forward()), cutAfter: 0 })),
  },
  {
    ...about(
      "HTML in place of JSON",
      "passing",
      "502 and a page of the proxy now and then",
      "https://github.com/netgum/archanova/issues/83",
    ),
    tamper: (dice) => now(dice, SELDOM, async () => page(502)),
  },
  {
    ...about(
      "429 and a page",
      "passing",
      "429 and a page in place of JSON",
      "https://github.com/solana-labs/cluster/pull/26",
    ),
    tamper: (dice) => now(dice, SELDOM, async () => page(429)),
  },
  {
    ...about("empty bodies", "passing", "200 and nothing", "https://github.com/web3/web3.js/issues/5138"),
    tamper: (dice) =>
      now(dice, SELDOM, async () => ({
        status: 200,
        headers: { "content-type": "application/json" },
        body: Buffer.alloc(0),
      })),
  },
  {
    ...about(
      "403",
      "blinding",
      "403: the key or the caller is not accepted",
      "https://github.com/okx/xlayer-erigon/issues/685",
    ),
    tamper: () => async () => json(403, { message: "Forbidden" }),
  },
  {
    ...about(
      "429 with Retry-After",
      "passing",
      "429, and the second to come again",
      "https://www.rfc-editor.org/rfc/rfc6585#section-4",
    ),
    tamper: (dice) => now(dice, SELDOM, async () => json(429, { error: "slow down" }, { "retry-after": "1" })),
  },
  {
    ...about(
      "429 without Retry-After",
      "passing",
      "429, and nothing more",
      "https://support.quicknode.com/hc/en-us/articles/12002099702289-429-Errors-Explained",
    ),
    tamper: (dice) => now(dice, SELDOM, async () => json(429, { message: "Too many requests" })),
  },
  {
    ...about("402", "blinding", "402: the plan is used up", "https://github.com/enviodev/hyperindex/issues/715"),
    tamper: () => async () => json(402, { message: "Payment Required" }),
  },
  {
    ...about(
      "always a page",
      "blinding",
      "502 and a page, for good",
      "https://github.com/sc2-pulse/sc2-pulse/issues/262",
    ),
    tamper: () => async () => page(502),
  },
  {
    ...about(
      "no answer at all",
      "blinding",
      "requests are taken and never answered",
      "https://github.com/ObolNetwork/charon/issues/2037",
    ),
    tamper: () => async () => ({ ...json(200, {}), stalls: true }),
  },
];

function about(name: string, effect: Effect, what: string, source: string): Omit<Behaviour, "tamper"> {
  return { name, layers: BOTH, by: ["provider"], what, source, effect };
}

function changed(change: (reply: Reply) => Reply): Tamper {
  return async (_, forward) => change(await forward());
}

/** Never the first request: a start that fails is another test. */
function now(dice: Dice, probability: number, act: (forward: () => Promise<Reply>) => Promise<Reply>): Tamper {
  const counts = new Counts();
  return async (_, forward) =>
    counts.next("") > 1 && dice.chance(probability) ? act(async () => forward()) : forward();
}

function page(status: number): Reply {
  return { status, headers: { "content-type": "text/html" }, body: Buffer.from(PAGE) };
}
