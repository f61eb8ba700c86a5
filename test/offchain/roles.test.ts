/** deploy/roles.ts against every restricted function of the sources, and docs/roles.md against both. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { mappings } from "../../deploy/roles.ts";
import type { Mapping } from "../../deploy/roles.ts";
import { productionSources, restrictedFunctions } from "../../scripts/lib/restrictedFunctions.ts";
import { assign, namingProblems, rolesPage } from "../../scripts/lib/rolesPage.ts";
import { restricted, ROOT } from "../helpers/restricted.ts";

const MANAGED = '@openzeppelin/contracts/access/manager/AccessManaged.sol"';

/** What the scan finds in a source of its own. */
function found(source: string): string[] {
  const sources = { "contracts/A.sol": `pragma solidity 0.8.37;\nimport {AccessManaged} from "${MANAGED};\n${source}` };
  return restrictedFunctions(ROOT, sources).map(({ contract, name }) => `${contract}.${name}`);
}

describe("The scan of restricted functions", () => {
  it("finds inherited ones, with the modifier or through what they call, in contracts that can be deployed", () => {
    const source = `
      abstract contract Base is AccessManaged {
        function inherited() external restricted {}
        function open() external {}
        function byHook() external { _hook(); }
        function _hook() internal virtual;
        function byCheck() external { _checkCanCall(msg.sender, msg.data); }
      }
      contract Top is Base {
        constructor() AccessManaged(address(1)) {}
        function _hook() internal override { _deeper(); }
        function _deeper() private restricted {}
        // function commented() external restricted {}
      }`;
    expect(found(source)).to.deep.equal(["Top.byCheck", "Top.byHook", "Top.inherited"]);
  });

  it("goes by the function that is called: one that overrides a restricted one is open, unless it calls it", () => {
    const source = `
      abstract contract Base is AccessManaged {
        function opened() public virtual restricted {}
        function kept() public virtual restricted {}
        function closed() public virtual {}
      }
      contract Top is Base {
        constructor() AccessManaged(address(1)) {}
        function opened() public override {}
        function kept() public override { super.kept(); }
        function closed() public override restricted {}
      }`;
    expect(found(source)).to.deep.equal(["Top.closed", "Top.kept"]);
  });

  it("finds what is in the sources: upgrades by way of OpenZeppelin's, and the AccessManager's own", () => {
    const names = restricted().map(({ contract, name }) => `${contract}.${name}`);
    for (const registry of ["OperatorRegistry", "ValidatorRegistry"])
      expect(names).to.include(`${registry}.upgradeToAndCall`);
    expect(names).to.include.members(["StakedEther.replacePool", "ReportOracle.addMember", "AccessManager.grantRole"]);
    expect(new Set(restricted().map(({ contract, selector }) => `${contract}${selector}`)).size).to.equal(names.length);
  });

  it("fails where the compiler does", () => {
    expect(() => found("contract Top is Missing {}")).to.throw("Identifier not found");
  });
});

describe("deploy/roles.ts", () => {
  it("names restricted functions only, each once, of known contracts", () => {
    expect(namingProblems(restricted())).to.deep.equal([]);
  });

  it("gives every selector that it names the role that it names", () => {
    const assigned = assign(restricted());
    for (const { role, selectors } of mappings())
      for (const selector of selectors)
        expect(assigned.filter((each) => each.selector === selector).map((each) => each.role)).to.deep.equal([role]);
  });

  it("is refused with a name that no contract has, with one named twice, and without a contract that asks", () => {
    const named = (role: Mapping["role"], ...functions: string[]): Mapping => ({
      ...{ role, target: "pool", functions, selectors: [] },
    });
    const pool = restricted().filter(({ contract }) => contract === "StakingPool");
    const problems = namingProblems(
      [...pool, { contract: "Borrowing", name: "setCeiling", selector: "0x00000000" }],
      [named("TUNER", "setPolicy", "setFee"), named("REPAIR", "setPolicy", "deposit")],
    );
    expect(problems).to.deep.equal([
      "TUNER has StakingPool.setFee, which is no restricted function",
      "REPAIR has StakingPool.setPolicy, which is TUNER's",
      "REPAIR has StakingPool.deposit, which is no restricted function",
      "Borrowing has restricted functions and is no target",
    ]);
  });
});

describe("docs/roles.md", () => {
  const page = () => readFileSync(resolve(ROOT, "docs/roles.md"), "utf8");

  it("shows the roles and every restricted function (npm run docs:roles writes it)", () => {
    expect(page()).to.equal(rolesPage(restricted()));
  });

  it("lists a restricted function that is new and not named as ADMIN's", () => {
    const path = "contracts/token/StakedEther.sol";
    const sources = productionSources(ROOT);
    const marker = "    // --- governance ---\n";
    const changed = sources[path]?.replace(marker, `${marker}    function rescue() external restricted {}\n`) ?? "";
    const later = rolesPage(restrictedFunctions(ROOT, { ...sources, [path]: changed }));
    expect(later).not.to.equal(page());
    expect(later.split("\n").find((line) => line.startsWith("| ADMIN"))).to.include(
      "StakedEther: `replacePool`, `rescue`",
    );
  });
});
