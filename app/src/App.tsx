import { Suspense, useEffect } from "react";
import type { ReactElement } from "react";
import { Redirect, Route, Router, Switch, useLocation } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";
import { useReadAgainWhenBack } from "./data/queries.ts";
import { Frame } from "./frame/Frame.tsx";
import { Stake } from "./pages/Stake.tsx";
import { loadedPage } from "./pages/loading.tsx";
import { Boundary } from "./parts/Boundary.tsx";
import { Card, Lines } from "./parts/Card.tsx";
import { useTracking } from "./tx/useTransactions.ts";

const Withdraw = loadedPage(async () => (await import("./pages/Withdraw.tsx")).Withdraw);
const Wrap = loadedPage(async () => (await import("./pages/Wrap.tsx")).Wrap);
const Rewards = loadedPage(async () => (await import("./pages/Rewards.tsx")).Rewards);
const Operators = loadedPage(async () => (await import("./pages/Operators.tsx")).Operators);
const Liquidity = loadedPage(async () => (await import("./pages/Liquidity.tsx")).Liquidity);
const Build = loadedPage(async () => (await import("./pages/Build.tsx")).Build);
const Protocol = loadedPage(async () => (await import("./pages/Protocol.tsx")).Protocol);
const LATER = {
  withdraw: Withdraw,
  wrap: Wrap,
  rewards: Rewards,
  operators: Operators,
  liquidity: Liquidity,
  build: Build,
  protocol: Protocol,
};

/** Loads the page that the address names while nothing is drawn yet: it asks the node as early as the frame does. */
export async function loadFirstPage(): Promise<void> {
  const name = /^#\/(\w+)/.exec(location.hash)?.[1] ?? "";
  if (name in LATER) await LATER[name as keyof typeof LATER].load();
}

/** A few kilobytes each: once the first page stands, so that the next one is there at once. */
function loadOtherPages(): void {
  for (const { load } of Object.values(LATER)) void load();
}

export function App(): ReactElement {
  return (
    <Router hook={useHashLocation}>
      <Pages />
    </Router>
  );
}

function Pages(): ReactElement {
  useTracking();
  useReadAgainWhenBack();
  const [path] = useLocation();
  useEffect(() => {
    const timer = setTimeout(loadOtherPages, 2_000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Frame>
      <Boundary key={path}>
        <Suspense fallback={<Coming />}>
          <Switch>
            <Route path="/" component={Stake} />
            <Route path="/withdraw" component={Withdraw} />
            <Route path="/wrap" component={Wrap} />
            <Route path="/rewards">
              <Rewards />
            </Route>
            <Route path="/rewards/:address">{({ address }) => <Rewards address={address} />}</Route>
            <Route path="/protocol" component={Protocol} />
            <Route path="/operators" component={Operators} />
            <Route path="/liquidity" component={Liquidity} />
            <Route path="/build" component={Build} />
            <Route>
              <Redirect to="/" />
            </Route>
          </Switch>
        </Suspense>
      </Boundary>
    </Frame>
  );
}

function Coming(): ReactElement {
  return (
    <div className="page narrow">
      <Card>
        <Lines count={6} />
      </Card>
    </div>
  );
}
