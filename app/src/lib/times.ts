/** Times for people: relative up to a day, then date and zone. Unix seconds throughout. */

export type Locale = "en" | "de";

interface TimeWords {
  readonly in: (span: string) => string;
  readonly ago: (span: string) => string;
  readonly now: string;
  readonly seconds: string;
  readonly minutes: string;
  readonly hours: string;
  readonly day: string;
  readonly days: string;
}

export const TIME_WORDS: Readonly<Record<Locale, TimeWords>> = {
  en: {
    in: (span) => `in ${span}`,
    ago: (span) => `${span} ago`,
    now: "now",
    seconds: "s",
    minutes: "min",
    hours: "h",
    day: "day",
    days: "days",
  },
  de: {
    in: (span) => `in ${span}`,
    ago: (span) => `vor ${span}`,
    now: "jetzt",
    seconds: "s",
    minutes: "min",
    hours: "h",
    day: "Tag",
    days: "Tage",
  },
};

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** "40 s", "12 min", "3 h 20 min", "5 days". */
export function showSpan(seconds: number, locale: Locale): string {
  const words = TIME_WORDS[locale];
  const size = Math.abs(Math.round(seconds));
  if (size < 90) return `${size} ${words.seconds}`;
  if (size < HOUR) return `${Math.round(size / MINUTE)} ${words.minutes}`;
  if (size < DAY) {
    const minutes = Math.round(size / MINUTE);
    const rest = minutes % 60;
    const hours = `${Math.floor(minutes / 60)} ${words.hours}`;
    return rest === 0 ? hours : `${hours} ${rest} ${words.minutes}`;
  }
  const days = Math.round(size / DAY);
  return `${days} ${days === 1 ? words.day : words.days}`;
}

export function showDate(time: number, locale: Locale): string {
  return new Intl.DateTimeFormat(tag(locale), { day: "numeric", month: "short", year: "numeric" }).format(time * 1_000);
}

/** Without the year: for axes. */
export function showDay(time: number, locale: Locale): string {
  return new Intl.DateTimeFormat(tag(locale), { day: "numeric", month: "short" }).format(time * 1_000);
}

export function showMoment(time: number, locale: Locale): string {
  return new Intl.DateTimeFormat(tag(locale), {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  }).format(time * 1_000);
}

/** Of the same day: "14:02 UTC". */
export function showClock(time: number, locale: Locale): string {
  return new Intl.DateTimeFormat(tag(locale), {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  }).format(time * 1_000);
}

/** "in 3 h 20 min", "40 s ago", beyond a day the date. */
export function showWhen(time: number, now: number, locale: Locale): string {
  const words = TIME_WORDS[locale];
  const distance = time - now;
  if (Math.abs(distance) < 1) return words.now;
  if (Math.abs(distance) >= DAY) return showMoment(time, locale);
  const span = showSpan(distance, locale);
  return distance > 0 ? words.in(span) : words.ago(span);
}

/** "about 3 to 5 days", as its two ends; in whole days, or hours below two. */
export function showRange(from: number, to: number, locale: Locale): string {
  const words = TIME_WORDS[locale];
  const [low, high] = [Math.max(0, from), Math.max(0, to)];
  const unit = high < 2 * DAY ? HOUR : DAY;
  const name = (count: number): string => {
    if (unit === HOUR) return words.hours;
    return count === 1 ? words.day : words.days;
  };
  const [a, b] = [Math.floor(low / unit), Math.max(1, Math.ceil(high / unit))];
  const join = locale === "de" ? "bis" : "to";
  return a >= b || a === 0
    ? a === 0 && b > 1
      ? `1 ${join} ${b} ${name(b)}`
      : `${b} ${name(b)}`
    : `${a} ${join} ${b} ${name(b)}`;
}

function tag(locale: Locale): string {
  return locale === "de" ? "de-DE" : "en-GB";
}
