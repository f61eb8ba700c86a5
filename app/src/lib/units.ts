/** Amounts as text, exactly: bigint in, never a float. */

export interface Separators {
  readonly decimal: string;
  readonly group: string;
}

export const SEPARATORS: Readonly<Record<"en" | "de", Separators>> = {
  en: { decimal: ".", group: "," },
  de: { decimal: ",", group: "." },
};

const DECIMALS = 18;
const ONE = 10n ** 18n;
const LARGE = 1_000n * ONE;
/** Decimals of amounts, and significant digits of those below one. */
const USUAL = 4;

export type Rounding = "nearest" | "up";

export interface Shown {
  readonly text: string;
  /** All decimals; equal to `text` where nothing was shortened. */
  readonly exact: string;
}

/**
 * Wei as ether: 4 decimals below 1,000, 4 significant digits below one, 2 decimals above.
 * @param round to the nearest, or for what one pays away from zero
 */
export function showEther(value: bigint, separators: Separators, round: Rounding = "nearest"): Shown {
  const size = value < 0n ? -value : value;
  const exact = plain(value, DECIMALS, separators, USUAL);
  const decimals = decimalsFor(size);
  const step = 10n ** BigInt(DECIMALS - decimals);
  const kept = ((size + (round === "up" ? step - 1n : step / 2n)) / step) * step;
  if (kept === size) {
    const least = size === 0n ? 0 : size >= LARGE ? 2 : USUAL;
    const text = plain(value, DECIMALS, separators, least);
    return { text, exact: text };
  }
  const text = plain(value < 0n ? -kept : kept, DECIMALS, separators, decimals);
  return { text, exact };
}

/** How many decimals are shown of an amount of this size. */
function decimalsFor(size: bigint): number {
  if (size >= LARGE) return 2;
  if (size >= ONE || size === 0n) return USUAL;
  const digits = size.toString().length; // of 18
  return Math.min(DECIMALS, DECIMALS - digits + USUAL);
}

/** All decimals that are not zero, and at least `least`. */
export function plain(value: bigint, decimals: number, { decimal, group }: Separators, least = 0): string {
  const size = value < 0n ? -value : value;
  const unit = 10n ** BigInt(decimals);
  const whole = (size / unit).toString().replace(/\B(?=(\d{3})+$)/g, group);
  const fraction = (size % unit).toString().padStart(decimals, "0").replace(/0+$/, "").padEnd(least, "0");
  const sign = value < 0n ? "−" : "";
  return decimals === 0 || fraction === "" ? `${sign}${whole}` : `${sign}${whole}${decimal}${fraction}`;
}

/** What a field is filled with: exact, no groups. */
export function editable(value: bigint, separators: Separators): string {
  return plain(value, DECIMALS, { ...separators, group: "" });
}

/** Basis points as percent with two decimals, without the sign for percent. */
export function showPercent(basisPoints: bigint, separators: Separators): string {
  return plain(basisPoints, 2, separators, 2);
}

/** For machines: a point, no groups, an ordinary minus. */
export function machine(value: bigint): string {
  return plain(value, DECIMALS, { decimal: ".", group: "" }).replace("−", "-");
}

export type AmountProblem =
  "empty" | "negative" | "exponent" | "separator" | "not-a-number" | "too-many-decimals" | "too-large";

export type ParsedAmount =
  { readonly wei: bigint; readonly problem?: never } | { readonly problem: AmountProblem; readonly wei?: never };

/** More than all ether, with room to spare. */
const MOST = 10n ** 12n * ONE;

/** What a person typed or pasted, in their own notation; what could mean two numbers is refused. */
export function parseAmount(text: string, { decimal }: Separators): ParsedAmount {
  const trimmed = text.trim();
  if (trimmed === "") return { problem: "empty" };
  if (/^[-−]/.test(trimmed)) return { problem: "negative" };
  if (/^\d*[.,]?\d*e[+-]?\d+$/i.test(trimmed)) return { problem: "exponent" };
  if (/^[\d.,\s'’_]+$/.test(trimmed) && !new RegExp(`^\\d*\\${decimal}?\\d*$`).test(trimmed))
    return { problem: "separator" };
  const match = new RegExp(`^(\\d*)(?:\\${decimal}(\\d*))?$`).exec(trimmed);
  const [, whole = "", fraction = ""] = match ?? [];
  if (match === null || whole + fraction === "") return { problem: "not-a-number" };
  if (fraction.length > DECIMALS) return { problem: "too-many-decimals" };
  const wei = BigInt(whole === "" ? "0" : whole) * ONE + BigInt(fraction.padEnd(DECIMALS, "0"));
  return wei > MOST ? { problem: "too-large" } : { wei };
}
