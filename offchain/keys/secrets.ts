/** Files that people take by mistake for deposit data, and that belong nowhere but to themselves. */

export type Secret = "keystore" | "mnemonic" | "key";

/** A file is looked through so deep. */
const MOST_DEPTH = 6;
const WORD_COUNTS: readonly number[] = [12, 15, 18, 21, 24];
const KEY = /^(0x)?[0-9a-f]{64}$/i;

/**
 * What of a person's secrets a text seems to be; undefined where it seems to be none. Words are counted, not looked up: one that is no
 * mnemonic is refused too.
 */
export function secretIn(text: string): Secret | undefined {
  const trimmed = text.trim();
  if (KEY.test(trimmed)) return "key";
  if (isPhrase(trimmed)) return "mnemonic";
  let json: unknown;
  try {
    json = JSON.parse(trimmed);
  } catch {
    return undefined;
  }
  return secretOf(json, 0);
}

/** Also numbered, a word a line, or shortened to four letters. */
function isPhrase(text: string): boolean {
  const words = text
    .replace(/\d+\s*[.):]/g, " ")
    .split(/[\s,;]+/)
    .filter((word) => word !== "" && !/^\d+$/.test(word));
  return WORD_COUNTS.includes(words.length) && words.every((word) => /^[\p{L}\p{M}]+$/u.test(word));
}

function secretOf(json: unknown, depth: number): Secret | undefined {
  if (typeof json === "string") return isPhrase(json) ? "mnemonic" : undefined;
  if (typeof json !== "object" || json === null || depth > MOST_DEPTH) return undefined;
  for (const [name, value] of Object.entries(json)) {
    const plain = name.toLowerCase().replaceAll(/[^a-z]/g, "");
    // EIP-2335, and the older ones of accounts
    if (plain === "crypto" && typeof value === "object") return "keystore";
    if (/^(mnemonic|seed|seedphrase)$/.test(plain)) return "mnemonic";
    if (/^(privatekey|secretkey|secret|sk|signingkey|withdrawalkey)$/.test(plain)) return "key";
    const found = secretOf(value, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
