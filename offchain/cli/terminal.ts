/** A person at a terminal. The prompts' library is loaded with the first question. */
import type * as clackPrompts from "@clack/prompts";
import type { Io, Prompts } from "./io.ts";

export const terminalPrompts: Prompts = {
  secret: async (message) => answer((clack) => clack.password({ message, ...ON_STDERR })),
  text: async (message, { initial, check }) =>
    answer((clack) =>
      clack.text({
        message,
        ...ON_STDERR,
        ...(initial === undefined ? {} : { initialValue: initial }),
        validate: (given) => check(given ?? ""),
      }),
    ),
  choose: async (message, choices) => answer((clack) => clack.select({ message, options: [...choices], ...ON_STDERR })),
};

/** No unless said otherwise. */
export const confirmOnTerminal: Io["confirm"] = async (message) =>
  (await answer((clack) => clack.confirm({ message, initialValue: false, ...ON_STDERR }))) ?? false;

const ON_STDERR = { output: process.stderr };

type Clack = typeof clackPrompts;

async function answer<T>(ask: (clack: Clack) => Promise<T>): Promise<Exclude<T, symbol> | undefined> {
  const given = await ask(await import("@clack/prompts"));
  return typeof given === "symbol" ? undefined : (given as Exclude<T, symbol>);
}
