import { configSchema } from "./configSchema.ts";
import type { AppConfig } from "./configSchema.ts";

/** @throws Error where a local build finds no configuration beside the page */
export async function loadConfig(): Promise<AppConfig> {
  if (!__IS_LOCAL__) return absolute(configSchema.parse(__APP_CONFIG__));
  const response = await fetch("./config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`config.json: answered ${response.status}`);
  return absolute(configSchema.parse(await response.json()));
}

function absolute(config: AppConfig): AppConfig {
  return { ...config, rpc: config.rpc.map((url) => new URL(url, document.baseURI).href) };
}
