import type { ReactElement } from "react";

const PATHS = {
  mark: "M3 8c4 0 4 3 9 3s5-3 9-3M3 14c4 0 4 3 9 3s5-3 9-3",
  stake: "M12 4v16M5 11l7-7 7 7",
  withdraw: "M12 20V4M5 13l7 7 7-7",
  wrap: "M4 8h12l-3-3M20 16H8l3 3",
  rewards: "M4 20V10M10 20V4M16 20v-8M21 20H3",
  protocol: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12L4 7.500",
  operators: "M4 5h16v5H4zM4 14h16v5H4zM7.500 7.500h.01M7.500 16.500h.01",
  liquidity: "M12 4c-4 5-6 7.500-6 10a6 6 0 0 0 12 0c0-2.500-2-5-6-10zM9 15a3 3 0 0 0 3 3",
  build: "M8 7l-5 5 5 5M16 7l5 5-5 5",
  more: "M5 12h.01M12 12h.01M19 12h.01",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): ReactElement {
  return (
    <svg className={`nav-icon ${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
