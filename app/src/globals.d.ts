/** Replaced by the build; null in one for local development. */
declare const __APP_CONFIG__: unknown;
declare const __IS_LOCAL__: boolean;

/** The files of docs/examples, by name: the build puts them in. */
declare module "virtual:examples" {
  export const examples: Readonly<Record<string, string>>;
}
