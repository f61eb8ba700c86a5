import { Suspense, lazy } from "react";
import type { ReactElement } from "react";
import { Redirect, Route, Router, Switch, useLocation } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";
import { useReadAgainWhenBack } from "./data/queries.ts";
import { Frame } from "./frame/Frame.tsx";
import { Stake } from "./pages/Stake.tsx";
import { Boundary } from "./parts/Boundary.tsx";
import { Card, Lines } from "./parts/Card.tsx";
import { useTracking } from "./tx/useTransactions.ts";

const Withdraw = lazy(async () => ({ default: (await import("./pages/Withdraw.tsx")).Withdraw }));
const Wrap = lazy(async () => ({ default: (await import("./pages/Wrap.tsx")).Wrap }));
const Rewards = lazy(async () => ({ default: (await import("./pages/Rewards.tsx")).Rewards }));
const Operators = lazy(async () => ({ default: (await import("./pages/Operators.tsx")).Operators }));
const Build = lazy(async () => ({ default: (await import("./pages/Build.tsx")).Build }));
const Protocol = lazy(async () => ({ default: (await import("./pages/Protocol.tsx")).Protocol }));

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
