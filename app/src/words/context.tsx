import { createContext, startTransition, use, useContext, useEffect, useMemo, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { SEPARATORS, plain, showEther, showPercent } from "../lib/units.ts";
import type { Rounding, Separators, Shown } from "../lib/units.ts";
import { showClock, showDate, showDay, showMoment, showRange, showSpan, showWhen } from "../lib/times.ts";
import type { Locale } from "../lib/times.ts";
import { en } from "./en/index.ts";
import type { Words } from "./en/index.ts";
import type { PageWords } from "./page.ts";

/** Each but English is loaded when it is chosen. */
const CATALOGUES: Readonly<Record<Locale, () => Promise<Words>>> = {
  en: () => Promise.resolve(en),
  de: async () => (await import("./de/index.ts")).de,
};
const CHOSEN = "estuary.language";

/** A language with its words. */
export interface Catalogue {
  readonly locale: Locale;
  readonly t: Words;
}

interface Language extends Catalogue {
  readonly setLocale: (locale: Locale) => void;
}

const LanguageContext = createContext<Language>({ locale: "en", t: en, setLocale: () => undefined });

async function loaded(locale: Locale): Promise<Catalogue> {
  return { locale, t: await CATALOGUES[locale]() };
}

/** Of the language that was chosen here, or else the browser's; English where it can't be loaded. */
export async function preferredCatalogue(): Promise<Catalogue> {
  return loaded(preferred()).catch(() => ({ locale: "en", t: en }));
}

export function LanguageProvider(props: { readonly first: Catalogue; readonly children: ReactNode }): ReactElement {
  const [catalogue, setCatalogue] = useState(props.first);
  const { locale, t } = catalogue;
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
  const value = useMemo(
    () => ({
      locale,
      t,
      setLocale: (next: Locale) => {
        // offline it stays as it is; what is shown stays until the page's own words are there too
        loaded(next).then(
          (found) => startTransition(() => setCatalogue(found)),
          () => undefined,
        );
        try {
          localStorage.setItem(CHOSEN, next);
        } catch {
          // asked of the browser again next time
        }
      },
    }),
    [locale, t],
  );
  return <LanguageContext value={value}>{props.children}</LanguageContext>;
}

function preferred(): Locale {
  try {
    const chosen = localStorage.getItem(CHOSEN);
    if (chosen === "en" || chosen === "de") return chosen;
  } catch {
    // the browser's own
  }
  return navigator.language.toLowerCase().startsWith("de") ? "de" : "en";
}

/** With `P`, the words of one page too. */
export interface Speech<P extends object = object> extends Language {
  readonly t: Words & P;
  readonly separators: Separators;
  /** Wei as ether, shortened. */
  readonly ether: (value: bigint, round?: Rounding) => Shown;
  /** With its unit, shortened, as plain text. */
  readonly amount: (value: bigint, unit: string, round?: Rounding) => string;
  /** Basis points, with the sign for percent. */
  readonly percent: (basisPoints: bigint) => string;
  /** A count. */
  readonly count: (value: bigint | number) => string;
  readonly date: (time: number) => string;
  readonly day: (time: number) => string;
  readonly moment: (time: number) => string;
  readonly clock: (time: number) => string;
  readonly span: (seconds: number) => string;
  readonly range: (from: number, to: number) => string;
  readonly when: (time: number, now: number) => string;
}

const NOTHING = {};

/** Waits, where a page's words have to be loaded in this language, as for the page itself. */
export function useSpeech(): Speech;
export function useSpeech<P extends object>(page: PageWords<P>): Speech<P>;
export function useSpeech(page?: PageWords<object>): Speech {
  const { locale, t: common, setLocale } = useContext(LanguageContext);
  const found: object | Promise<object> = page === undefined ? NOTHING : page.in(locale);
  const own: object = found instanceof Promise ? use(found as Promise<object>) : found;
  return useMemo(() => {
    const t = { ...common, ...own };
    const separators = SEPARATORS[locale];
    return {
      locale,
      setLocale,
      t,
      separators,
      ether: (value, round) => showEther(value, separators, round),
      amount: (value, unit, round) => `${showEther(value, separators, round).text}\u00a0${unit}`,
      percent: (basisPoints) => `${showPercent(basisPoints, separators)}${locale === "de" ? "\u00a0%" : "%"}`,
      count: (value) => plain(BigInt(value), 0, separators),
      date: (time) => showDate(time, locale),
      day: (time) => showDay(time, locale),
      moment: (time) => showMoment(time, locale),
      clock: (time) => showClock(time, locale),
      span: (seconds) => showSpan(seconds, locale),
      range: (from, to) => showRange(from, to, locale),
      when: (time, now) => showWhen(time, now, locale),
    };
  }, [locale, common, own, setLocale]);
}
