/** What one page says: English comes with the page, the other languages when they are spoken. */
import type { Locale } from "../lib/times.ts";

/** `P` is one name for what the page says: `{ withdraw: ... }`. */
export interface PageWords<P extends object> {
  /** A promise where it has to be loaded first: the same one until it is there. */
  readonly in: (locale: Locale) => P | Promise<P>;
}

const made: PageWords<object>[] = [];

/** What the pages that are loaded say in a language is loaded too: a page is then drawn without waiting. */
export async function wordsIn(locale: Locale): Promise<void> {
  await Promise.all(made.map(async (words) => words.in(locale)));
}

/** @param de the module that says the same: the type makes sure that nothing is missing */
export function pageWords<P extends object>(en: P, de: () => Promise<P>): PageWords<P> {
  let german: P | Promise<P> | undefined;
  const words: PageWords<P> = {
    in: (locale) => {
      if (locale === "en") return en;
      german ??= de().then(
        (words) => (german = words),
        // offline: English until the app is loaded again
        () => (german = en),
      );
      return german;
    },
  };
  made.push(words);
  return words;
}
