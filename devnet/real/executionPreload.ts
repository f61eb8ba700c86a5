/**
 * Preloaded into the execution client, which offers no option for any of it: every socket that listens does so on loopback only; all its packages share the versions of the libraries that it pins; and they don't
 * compute the chain's parameters anew for every header that they read.
 */
import dgram from "node:dgram";
import { registerHooks } from "node:module";
import net from "node:net";

const LOOPBACK = "127.0.0.1";

// eslint-disable-next-line @typescript-eslint/unbound-method
const listen = net.Server.prototype.listen as (...values: unknown[]) => net.Server;
net.Server.prototype.listen = function (this: net.Server, ...values: unknown[]): net.Server {
  return listen.apply(this, onLoopback(values, "host"));
} as typeof net.Server.prototype.listen;

// eslint-disable-next-line @typescript-eslint/unbound-method
const bind = dgram.Socket.prototype.bind as (...values: unknown[]) => dgram.Socket;
dgram.Socket.prototype.bind = function (this: dgram.Socket, ...values: unknown[]): dgram.Socket {
  return bind.apply(this, onLoopback(values, "address"));
};

// npm puts 10.1 of these beside packages of the client that want 10.0, which it nests inside the client only
const PINNED = /^@ethereumjs\/(common|genesis|rlp|util)$/;
const WANTS_NEWER = "/@ethereumjs/binarytree/";
const client = import.meta.resolve("@ethereumjs/client");
registerHooks({
  resolve: (specifier, context, next) => {
    const isPinned = PINNED.test(specifier) && context.parentURL?.includes(WANTS_NEWER) !== true;
    return next(specifier, isPinned ? { ...context, parentURL: client } : context);
  },
});

type Parameters = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
// from here on the hook decides which one this is
const { Common } = (await import("@ethereumjs/common")) as unknown as {
  Common: { prototype: { _params: Parameters; _paramsCache: object; updateParams(params: Parameters): void } };
};
// eslint-disable-next-line @typescript-eslint/unbound-method
const { updateParams } = Common.prototype;
// a third of the client's time: each header copies the chain's parameters and merges the same constants into the copy
const merged = new WeakMap<object, Map<Parameters, object>>();
Common.prototype.updateParams = function (params) {
  // never changed in place: another fork or other EIPs mean another object
  const before = this._paramsCache;
  const results = merged.get(before) ?? new Map<Parameters, object>();
  merged.set(before, results);
  const known = results.get(params);
  const isThere = Object.entries(params).every(([eip, constants]) =>
    Object.entries(constants).every(([name, value]) => this._params[eip]?.[name] === value),
  );
  if (known !== undefined && isThere) {
    this._paramsCache = known;
    return;
  }
  updateParams.call(this, params);
  results.set(params, this._paramsCache);
};

/** The arguments of listen() or bind(): options first, or a port and perhaps a host. */
function onLoopback(values: readonly unknown[], key: "host" | "address"): unknown[] {
  const [first, second, ...rest] = values;
  if (typeof first === "object" && first !== null) {
    return "port" in first ? [{ ...first, [key]: LOOPBACK }, ...values.slice(1)] : [...values];
  }
  return typeof second === "string" ? [first, LOOPBACK, ...rest] : [first, LOOPBACK, ...values.slice(1)];
}
