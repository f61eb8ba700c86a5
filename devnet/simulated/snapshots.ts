/** Lets the beacon follow `evm_snapshot` and `evm_revert`: a test's fixture takes both layers back. */
import type { Provider } from "../provider.ts";

/** `restore` gets undefined when the chain goes back to a time before the observer was there, or at which `save` returned undefined. */
export function followSnapshots<T>(
  provider: Provider,
  save: () => T | undefined,
  restore: (saved: T | undefined) => void,
): void {
  const saved = new Map<string, T | undefined>();
  const request = provider.request.bind(provider);
  provider.request = async (args) => {
    const result = await request(args);
    if (args.method === "evm_snapshot") saved.set(String(result), save());
    if (args.method === "evm_revert" && result === true) {
      const id = String(args.params?.[0]);
      restore(saved.get(id));
      // A revert invalidates its own snapshot and every later one.
      const ids = [...saved.keys()];
      const from = saved.has(id) ? ids.indexOf(id) : 0;
      for (const later of ids.slice(from)) saved.delete(later);
    }
    return result;
  };
}
