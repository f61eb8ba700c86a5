/**
 * The word lists of BIP-39 (ten, in nine languages), and what people make of their words: the first four letters, which backups of steel hold,
 * capitals, and Latin letters without their accents.
 */
import { sha256, toBeHex, wordlists } from "ethers";

export interface Reading {
  readonly language: string;
  /** Whole words in NFKD, as the seed is made of them, with single spaces. */
  readonly phrase: string;
}

export type Readings =
  | { readonly kind: "read"; readonly readings: readonly Reading[] }
  /** All words are on these lists, and their sum is wrong. */
  | { readonly kind: "checksum"; readonly languages: readonly string[] }
  /** On the list that has most of them these are missing, counted from 1. */
  | { readonly kind: "unknown words"; readonly language: string; readonly positions: readonly number[] };

interface WordList {
  readonly language: string;
  readonly words: readonly string[];
  /** Positions of whole words, and of beginnings and spellings without accents that only one word has. */
  readonly whole: ReadonlyMap<string, number>;
  readonly short: ReadonlyMap<string, number | undefined>;
}

const LANGUAGES: Readonly<Record<string, string>> = {
  en: "English",
  es: "Spanish",
  fr: "French",
  it: "Italian",
  pt: "Portuguese",
  cz: "Czech",
  ja: "Japanese",
  ko: "Korean",
  zh_cn: "simplified Chinese",
  zh_tw: "traditional Chinese",
};
const SIZE = 2_048;
const SHORTEST = 4;
const BITS_A_WORD = 11;

const lists = new Map<string, WordList>();

/**
 * What the words may be. Two readings where beginnings of words are ambiguous between languages; whole words have one.
 * @param words 12, 15, 18, 21 or 24, in NFKD and lower case
 */
export function readWords(words: readonly string[]): Readings {
  const all = Object.keys(LANGUAGES).map((code) => {
    const list = listOf(code);
    const exact = words.map((word) => list.whole.get(word));
    return { list, exact, indices: exact.map((index, at) => index ?? list.short.get(words[at] ?? "")) };
  });
  const known = all.filter(({ indices }) => indices.every((index) => index !== undefined));
  const right = known.filter(({ indices }) => hasChecksum(indices as number[]));
  if (right.length > 0) {
    const exact = right.filter((one) => one.exact.every((index) => index !== undefined));
    const readings = (exact.length > 0 ? exact : right).map(({ list, indices }) => ({
      language: list.language,
      phrase: indices.map((index) => list.words[index ?? 0]).join(" "),
    }));
    // the two Chinese lists share words: the same phrase, whichever it was
    return { kind: "read", readings: [...new Map(readings.map((reading) => [reading.phrase, reading])).values()] };
  }
  if (known.length > 0) return { kind: "checksum", languages: known.map(({ list }) => list.language) };
  const missing = all.map(({ list, indices }) => ({
    language: list.language,
    positions: indices.flatMap((index, at) => (index === undefined ? [at + 1] : [])),
  }));
  // where none has any, English comes first
  const nearest = missing.reduce((best, one) => (one.positions.length < best.positions.length ? one : best));
  return { kind: "unknown words", ...nearest };
}

/** BIP-39: after the entropy follow as many bits of its SHA-256 as it has words of 32 bits. */
function hasChecksum(indices: readonly number[]): boolean {
  const bits = indices.length * BITS_A_WORD;
  const checkBits = BigInt(Math.floor(bits / 33));
  const whole = indices.reduce((sum, index) => (sum << BigInt(BITS_A_WORD)) | BigInt(index), 0n);
  const entropy = toBeHex(whole >> checkBits, (bits - Number(checkBits)) / 8);
  const check = BigInt(sha256(entropy)) >> (256n - checkBits);
  return check === (whole & ((1n << checkBits) - 1n));
}

function listOf(code: string): WordList {
  const made = lists.get(code);
  if (made !== undefined) return made;
  const source = wordlists[code];
  if (source === undefined) throw new Error(`no word list ${code}`);
  const words = Array.from({ length: SIZE }, (_, index) => source.getWord(index).normalize("NFKD"));
  const short = new Map<string, number | undefined>();
  words.forEach((word, index) => {
    for (const beginning of beginningsOf(word))
      short.set(beginning, short.has(beginning) && short.get(beginning) !== index ? undefined : index);
  });
  const whole = new Map(words.map((word, index) => [word, index]));
  const list = { language: LANGUAGES[code] ?? code, words, whole, short };
  lists.set(code, list);
  return list;
}

/** At least four letters of it, with and without accents. A letter of NFKD may be several characters: they are counted as people do. */
function beginningsOf(word: string): Set<string> {
  const found = new Set<string>();
  for (const spelling of [word, word.replace(/\p{M}/gu, "")]) {
    if (spelling !== word) found.add(spelling);
    const letters = Array.from(spelling.normalize("NFC"));
    for (let count = SHORTEST; count < letters.length; count++)
      found.add(letters.slice(0, count).join("").normalize("NFKD"));
  }
  return found;
}
