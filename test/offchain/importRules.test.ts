import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect } from "chai";
import { checkImports } from "../../scripts/lib/importRules.ts";

describe("import rules", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "import-rules-"));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function found(files: Record<string, string>): string[] {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    return checkImports(root).map(({ file, line, rule }) => `${file}:${line} ${rule}`);
  }

  it("hold in this repository", () => {
    expect(checkImports(resolve(import.meta.dirname, "../.."))).to.deep.equal([]);
  });

  describe("of Solidity", () => {
    it("let anything import shared/, external/, packages and its own folder", () => {
      const imports = `
        import {Units} from "../shared/Units.sol";
        import {IDepositContract} from "../external/IDepositContract.sol";
        import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
        import {Helper} from "./Helper.sol";`;
      expect(found({ "contracts/pool/A.sol": imports, "contracts/lending/B.sol": imports })).to.deep.equal([]);
    });

    it("let only interfaces and types cross folders", () => {
      expect(
        found({
          "contracts/pool/A.sol": [
            'import {IToken} from "../token/IToken.sol";',
            'import {Kind} from "../token/types.sol";',
            'import {Kind} from "../token/TokenTypes.sol";',
            'import {Token} from "../token/Token.sol";',
            'import {Item} from "../token/Item.sol";',
          ].join("\n"),
        }),
      ).to.deep.equal(["contracts/pool/A.sol:4 interfaces-only", "contracts/pool/A.sol:5 interfaces-only"]);
    });

    it("keep products out of the core, interfaces included, and the core out of the foundations", () => {
      expect(
        found({
          "contracts/pool/A.sol": '\n\nimport {ILoan} from "../lending/ILoan.sol";',
          "contracts/lending/Loan.sol": 'import {IPool} from "../pool/IPool.sol";',
          "contracts/shared/Units.sol": 'import {IPool} from "../pool/IPool.sol";',
        }),
      ).to.deep.equal(["contracts/pool/A.sol:3 core-imports-product", "contracts/shared/Units.sol:1 foundation"]);
    });

    it("let interfaces and types alone float over compilers", () => {
      const floating = "pragma solidity >=0.8.20;\n";
      expect(
        found({
          "contracts/pool/IPool.sol": floating,
          "contracts/shared/BeaconTypes.sol": floating,
          "contracts/pool/Pool.sol": `\n${floating}`,
          "contracts/pool/Exact.sol": "pragma solidity 0.8.37;\n",
        }),
      ).to.deep.equal(["contracts/pool/Pool.sol:2 exact-compiler"]);
    });

    it("keep test code out of production, and tests where they are run", () => {
      expect(
        found({
          "contracts/pool/A.sol":
            'import {vm} from "../../test/helpers/Vm.sol";\nimport {console} from "hardhat/console.sol";',
          "contracts/pool/A.t.sol": "",
          "offchain/util/a.test.ts": "",
          "test/unit/pool/A.t.sol": 'import {A} from "../../../contracts/pool/A.sol";',
        }),
      ).to.deep.equal([
        "contracts/pool/A.sol:1 no-test-code",
        "contracts/pool/A.sol:2 no-test-code",
        "contracts/pool/A.t.sol:1 test-location",
        "offchain/util/a.test.ts:1 test-location",
      ]);
    });

    it("read every form of import, and not comments", () => {
      expect(
        found({
          "contracts/pool/A.sol": [
            'import "../token/A.sol";',
            'import * as B from "../token/B.sol";',
            "import {",
            "    C",
            "} from '../token/C.sol';",
            '// import {D} from "../token/D.sol";',
            '/* import {E} from "../token/E.sol";',
            '*/ import {F} from "../token/F.sol"; string constant URL = "https://x"; import {G} from "../token/G.sol";',
          ].join("\n"),
        }),
      ).to.deep.equal([1, 2, 3, 8, 8].map((line) => `contracts/pool/A.sol:${line} interfaces-only`));
    });
  });

  describe("of TypeScript", () => {
    it("let each layer import the layers before it", () => {
      expect(
        found({
          "offchain/protocol/a.ts": 'import { x } from "../util/x.ts";',
          "offchain/chain/a.ts":
            'import { x } from "../protocol/a.ts";\nimport type { T } from "../../typechain-types/index.ts";',
          "offchain/keeper/a.ts": 'import { x } from "../chain/a.ts";\nimport { readFile } from "node:fs";',
          "offchain/cli/a.ts": 'import { x } from "../keeper/a.ts";\nimport { y } from "../oracle/a.ts";',
          "app/src/a.tsx":
            'import { x } from "../../offchain/chain/a";\nimport { y } from "../../offchain/protocol/a";',
          "devnet/a.ts": 'import { x } from "../offchain/chain/a.ts";',
          "scripts/a.ts": 'import { x } from "../offchain/oracle/a.ts";\nimport { y } from "../devnet/a.ts";',
        }),
      ).to.deep.equal([]);
    });

    it("refuse the other direction, however it is written", () => {
      expect(
        found({
          "offchain/util/a.ts": 'import { x } from "../protocol/a.ts";',
          "offchain/protocol/a.ts": 'export { x } from "../chain/a.ts";',
          "offchain/chain/a.ts": '\nconst x = await import("../oracle/a.ts");',
          "offchain/oracle/a.ts": 'import { x } from "../keeper/a.ts";\nimport { y } from "../../devnet/a.ts";',
          "offchain/keeper/a.ts": 'type X = import("../cli/a.ts").X;',
          "offchain/cli/a.ts": 'import { x } from "../../scripts/a.ts";',
          "app/a.ts": 'import { x } from "../offchain/keeper/a.ts";',
          "devnet/a.ts": 'import { x } from "../test/helpers/network.ts";',
          "scripts/a.ts": 'import { x } from "../test/helpers/network.ts";',
        }),
      ).to.have.members([
        "offchain/util/a.ts:1 direction",
        "offchain/protocol/a.ts:1 direction",
        "offchain/chain/a.ts:2 direction",
        "offchain/oracle/a.ts:1 direction",
        "offchain/oracle/a.ts:2 direction",
        "offchain/keeper/a.ts:1 direction",
        "offchain/cli/a.ts:1 direction",
        "app/a.ts:1 direction",
        "devnet/a.ts:1 direction",
        "scripts/a.ts:1 direction",
      ]);
    });

    it("keep I/O out of protocol/ and out of what it reaches", () => {
      expect(
        found({
          "offchain/protocol/a.ts": [
            'import { AbiCoder, keccak256 } from "ethers";',
            'import { JsonRpcProvider as P } from "ethers";',
            'import * as ethers from "ethers";',
            'import { readFileSync } from "node:fs";',
            'import type { z } from "zod";',
            'import { x } from "../util/reached.ts";',
          ].join("\n"),
          "offchain/util/reached.ts": 'import "node:net";',
          "offchain/util/unreached.ts": 'import "node:net";',
        }),
      ).to.deep.equal([
        "offchain/protocol/a.ts:2 pure",
        "offchain/protocol/a.ts:3 pure",
        "offchain/protocol/a.ts:4 pure",
        "offchain/protocol/a.ts:5 pure",
        "offchain/util/reached.ts:1 pure",
      ]);
    });

    it("ask for the file extension", () => {
      expect(
        found({
          "offchain/util/a.ts": 'import { b } from "./b.js";\nimport { c } from "./c";\nimport d from "./d.json";',
        }),
      ).to.deep.equal(["offchain/util/a.ts:1 file-extension", "offchain/util/a.ts:2 file-extension"]);
    });
  });
});
