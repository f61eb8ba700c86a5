/** Contract errors in the language's own words, by name; the SDK's sentences are English. */
export type RevertsWords = Readonly<Record<string, string>>;

export const reverts: RevertsWords = {};
