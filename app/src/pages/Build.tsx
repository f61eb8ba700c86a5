import { examples } from "virtual:examples";
import { useState } from "react";
import type { ReactElement } from "react";
import { useProtocol } from "../data/chain.ts";
import { contractsOf } from "../data/contracts.ts";
import { download } from "../parts/download.ts";
import { Address, CopyButton } from "../parts/Address.tsx";
import { Card, Loaded } from "../parts/Card.tsx";
import { Choice } from "../parts/Choice.tsx";
import { useSpeech } from "../words/context.tsx";
import { buildWords } from "../words/build.ts";

const RATE = `// ETH for one westETH, 18 decimals
uint256 rate = IERC4626(westETH).convertToAssets(1e18);
// whether it may be relied on now, and the time that it is of
(bool isCalm, uint256 refTime) = IStakingPool(pool).calm();`;

export function Build(): ReactElement {
  const { t } = useSpeech(buildWords);
  const protocol = useProtocol();
  return (
    <div className="page wide">
      <h1>{t.build.title}</h1>
      <Card title={t.build.addresses}>
        <Loaded query={protocol} lines={8}>
          {(data) => (
            <ul className="contracts">
              {contractsOf(data).map(({ name, address, abi }) => (
                <li key={name}>
                  <span>{name}</span>
                  <Address address={address} long />
                  {abi !== undefined && (
                    <button
                      type="button"
                      className="link"
                      aria-label={t.build.download(name)}
                      onClick={() => download(`${name}.json`, abi, "application/json")}
                    >
                      ABI
                    </button>
                  )}
                </li>
              ))}
            </ul>
          )}
        </Loaded>
        <p className="quiet under">
          {t.build.abiNote} {t.common.contractsNote}
        </p>
      </Card>
      <Card title={t.build.rate} aside={<CopyButton text={RATE} />}>
        <p>{t.build.rateNote}</p>
        <Code text={RATE} name={t.build.rate} />
      </Card>
      <Examples />
    </div>
  );
}

function Examples(): ReactElement {
  const { t } = useSpeech(buildWords);
  const names = Object.keys(examples);
  const [chosen, setChosen] = useState(names[0] ?? "");
  const text = examples[chosen] ?? "";
  return (
    <Card title={t.build.examples} aside={<CopyButton text={text} />}>
      <p className="quiet">{t.build.examplesNote}</p>
      <Choice name={t.build.examples} value={chosen} options={names} onChange={setChosen} isNamed />
      <Code text={text} name={chosen} />
    </Card>
  );
}

function Code({ text, name }: { readonly text: string; readonly name: string }): ReactElement {
  return (
    <pre className="scroll" tabIndex={0} role="region" aria-label={name}>
      <code>{text}</code>
    </pre>
  );
}
