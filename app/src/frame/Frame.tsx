import { useEffect, useRef, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { useChain } from "../data/chain.ts";
import { useSpeech } from "../words/context.tsx";
import type { Words } from "../words/en/index.ts";
import { AccountButton } from "./AccountButton.tsx";
import { Icon } from "./Icon.tsx";
import type { IconName } from "./Icon.tsx";
import { StatusLine } from "./StatusLine.tsx";

interface Entry {
  readonly path: string;
  readonly name: IconName & keyof Words["nav"];
}

const ENTRIES: readonly Entry[] = [
  { path: "/", name: "stake" },
  { path: "/withdraw", name: "withdraw" },
  { path: "/wrap", name: "wrap" },
  { path: "/rewards", name: "rewards" },
  { path: "/protocol", name: "protocol" },
  { path: "/operators", name: "operators" },
  { path: "/liquidity", name: "liquidity" },
  { path: "/build", name: "build" },
];
/** Seven at most: wrapping is reached from what one holds. */
const LISTED = ENTRIES.filter(({ name }) => name !== "wrap");
/** Of the bar at the bottom; the others are behind "more". */
const FIRST: readonly string[] = ["stake", "withdraw", "rewards", "protocol"];

export function Frame({ children }: { readonly children: ReactNode }): ReactElement {
  const { t, locale, setLocale } = useSpeech();
  const { config } = useChain();
  const [path] = useLocation();
  const [isMore, setMore] = useState(false);
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  const current = ENTRIES.find((entry) => isAt(path, entry)) ?? ENTRIES[0];
  useEffect(() => {
    document.title = current === undefined ? t.name : `${t.nav[current.name]} · ${t.name}`;
    if (shown.current === path) return;
    shown.current = path;
    setMore(false);
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [path, current, t]);
  const link = (entry: Entry): ReactElement => (
    <Link key={entry.path} href={entry.path} className="nav-link" aria-current={isAt(path, entry) ? "page" : undefined}>
      <Icon name={entry.name} />
      <span>{t.nav[entry.name]}</span>
    </Link>
  );
  const others = LISTED.filter(({ name }) => !FIRST.includes(name));
  const language = (
    <label className="language">
      <span className="hidden">{t.common.language}</span>
      <select value={locale} onChange={(event) => setLocale(event.target.value === "de" ? "de" : "en")}>
        <option value="en">English</option>
        <option value="de">Deutsch</option>
      </select>
    </label>
  );
  return (
    <div className="frame">
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t.nav.skip}
      </a>
      <nav className="side" aria-label={t.nav.main}>
        <Link href="/" className="brand">
          <Icon name="mark" />
          <span>{t.name}</span>
        </Link>
        {LISTED.map(link)}
        <div className="side-foot">{language}</div>
      </nav>
      <header>
        <Link href="/" className="brand small-only">
          <Icon name="mark" />
          <span>{t.name}</span>
        </Link>
        <span className="network" title={t.wallet.network(config.network)}>
          {config.network}
        </span>
        <AccountButton />
      </header>
      <StatusLine />
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <nav className="bottom-bar" aria-label={t.nav.main}>
        {ENTRIES.filter(({ name }) => FIRST.includes(name)).map(link)}
        <button type="button" className="nav-link" aria-expanded={isMore} onClick={() => setMore(!isMore)}>
          <Icon name="more" />
          <span>{t.nav.more}</span>
        </button>
        {isMore && (
          <div className="more-menu">
            {others.map(link)}
            {language}
          </div>
        )}
      </nav>
    </div>
  );
}

function isAt(path: string, entry: Entry): boolean {
  return entry.path === "/" ? path === "/" : path === entry.path || path.startsWith(`${entry.path}/`);
}
