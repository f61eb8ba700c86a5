import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, loadFirstPage } from "./App.tsx";
import { loadConfig } from "./config.ts";
import { ChainContext, openChain } from "./data/chain.ts";
import { queryClient } from "./data/client.ts";
import { Boundary } from "./parts/Boundary.tsx";
import { TxStore } from "./tx/store.ts";
import { TxContext } from "./tx/useTransactions.ts";
import { WalletStore } from "./wallet/store.ts";
import { WalletContext } from "./wallet/useWallet.ts";
import { LanguageProvider, preferredCatalogue } from "./words/context.tsx";
import { wordsIn } from "./words/page.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/parts.css";
import "./styles/fields.css";
import "./styles/tables.css";
import "./styles/charts.css";
import "./styles/identicon.css";

const place = document.getElementById("app");
if (place === null) throw new Error("no place for the app");
const root = createRoot(place);

async function start(): Promise<void> {
  const [config, words, testWallet, developer] = await Promise.all([
    loadConfig(),
    preferredCatalogue(),
    __IS_LOCAL__ ? import("./testWallet/announce.ts") : undefined,
    __IS_LOCAL__ ? import("./developer/Panel.tsx") : undefined,
    loadFirstPage(),
  ]);
  await wordsIn(words.locale);
  const chain = openChain(config);
  testWallet?.announceTestWallet(config);
  const wallets = new WalletStore();
  const sent = new TxStore(chain.chainId, config.deployment.token);
  root.render(
    <StrictMode>
      <LanguageProvider first={words}>
        <Boundary>
          <QueryClientProvider client={queryClient}>
            <ChainContext value={chain}>
              <WalletContext value={wallets}>
                <TxContext value={sent}>
                  <App />
                  {developer !== undefined && config.control !== undefined && (
                    <developer.DeveloperPanel url={config.control} />
                  )}
                </TxContext>
              </WalletContext>
            </ChainContext>
          </QueryClientProvider>
        </Boundary>
      </LanguageProvider>
    </StrictMode>,
  );
}

start().catch((error: unknown) => {
  place.textContent = error instanceof Error ? error.message : String(error);
});
