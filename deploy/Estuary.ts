/**
 * The whole protocol as one Hardhat Ignition module. Every network, every test and the demo deploy with it. The deployer
 * is administrator until the last step, which passes the role on; `deploy/lib/inspect.ts` checks that it kept none.
 */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { id as keccakOfText } from "ethers";

/** AccessManager roles. 0 is the administrator: every restricted function that has no role of its own. */
export const ROLES = { admin: 0n, pauser: 1n, poolReplacer: 2n, finer: 3n } as const;

export default buildModule("Estuary", (m) => {
  const deployer = m.getAccount(0);
  const governor = m.getParameter<string>("governor");
  const authority = m.contract("AccessManager", [deployer], { id: "authority" });

  // --- ledger ---
  const queue = m.contract("WithdrawalQueue", [authority, m.getParameter("frameSeconds")]);
  const token = m.contract("StakedEther", [authority, queue]);
  const bound = m.call(queue, "bind", [token], { id: "bindQueue" });
  const wrapped = m.contract("WrappedStakedEther", [token]);
  const withdrawalVault = m.contract("WithdrawalVault", [token]);
  const rewardsVault = m.contract("RewardsVault", [token]);

  // --- validators ---
  const proxies = m.contract("RegistryProxies");
  const operatorsAt = m.staticCall(proxies, "operators", [], 0, { id: "operatorsAt" });
  const validatorsAt = m.staticCall(proxies, "validators", [], 0, { id: "validatorsAt" });
  const beaconProof = m.contract("BeaconProof", [
    m.getParameter("firstSummarySlot"),
    m.getParameter("electraSlot"),
    m.getParameter("gloasSlot"),
    m.getParameter("layoutEndSlot"),
  ]);
  const operatorsCode = m.contract("OperatorRegistry", [token, wrapped, validatorsAt], { id: "operatorsCode" });
  const validatorsCode = m.contract(
    "ValidatorRegistry",
    [token, withdrawalVault, operatorsAt, m.getParameter("depositContract"), m.getParameter("genesisTime")],
    { id: "validatorsCode" },
  );
  const proxied = m.call(
    proxies,
    "deploy",
    [
      operatorsCode,
      m.encodeFunctionCall(operatorsCode, "initialize", [authority], { id: "operatorsInit" }),
      validatorsCode,
      m.encodeFunctionCall(validatorsCode, "initialize", [authority, beaconProof], { id: "validatorsInit" }),
    ],
    { id: "deployProxies" },
  );
  const operators = m.contractAt("OperatorRegistry", operatorsAt, { id: "operators", after: [proxied] });
  const validators = m.contractAt("ValidatorRegistry", validatorsAt, { id: "validators", after: [proxied] });

  // --- oracle and pool ---
  const bounds = m.contract("ReportBounds");
  const oracle = m.contract("ReportOracle", [
    authority,
    token,
    bounds,
    m.getParameter("grid"),
    m.getParameter("committee"),
    m.getParameter("quorum"),
  ]);
  const pool = m.contract("StakingPool", [
    authority,
    {
      token,
      withdrawalVault,
      rewardsVault,
      operators,
      validators,
      oracle,
      depositContract: m.getParameter("depositContract"),
      predecessor: "0x0000000000000000000000000000000000000000",
    },
    m.getParameter("policy"),
  ]);
  const placed = m.call(token, "replacePool", [pool], { id: "placePool" });
  // the order gives the tiers their ids
  const curated = m.call(operators, "addTier", [m.getParameter("curatedTier")], {
    id: "curatedTier",
    after: [placed],
  });
  const community = m.call(operators, "addTier", [m.getParameter("communityTier")], {
    id: "communityTier",
    after: [curated],
  });
  const tier = m.call(operators, "addTier", [m.getParameter("classicTier")], { id: "classicTier", after: [community] });
  const opened = m.call(
    pool,
    "bootstrap",
    [m.getParameter("firstRefTime"), m.getParameter("openUntil"), m.getParameter("firstCutoff")],
    {
      value: m.getParameter("bootstrapWei"),
      after: [placed, bound],
    },
  );

  // --- roles: the deployer gives up its own last ---
  const restrict = (id: string, target: typeof pool, signature: string, role: bigint) =>
    m.call(authority, "setTargetFunctionRole", [target, [selector(signature)], role], {
      id,
      after: [opened, tier],
    });
  const roles = [
    restrict("pauseDepositsRole", pool, "pauseDeposits(bool)", ROLES.pauser),
    restrict("pauseRequestsRole", queue as never, "pauseRequests(bool)", ROLES.pauser),
    restrict("replacePoolRole", token as never, "replacePool(address)", ROLES.poolReplacer),
    restrict("lockFineRole", operators as never, "lockFine(uint256,uint256,bytes32)", ROLES.finer),
    m.call(authority, "grantRole", [ROLES.finer, m.getParameter("guardian"), 0], { id: "grantFiner" }),
    m.call(authority, "grantRole", [ROLES.pauser, m.getParameter("guardian"), 0], { id: "grantPauser" }),
    m.call(authority, "grantRole", [ROLES.poolReplacer, governor, m.getParameter("replacePoolDelay")], {
      id: "grantPoolReplacer",
      after: [placed],
    }),
    m.call(authority, "grantRole", [ROLES.admin, governor, m.getParameter("governanceDelay")], { id: "grantAdmin" }),
  ];
  m.call(authority, "renounceRole", [ROLES.admin, deployer], { id: "renounceAdmin", after: roles });

  return {
    authority,
    queue,
    token,
    wrapped,
    withdrawalVault,
    rewardsVault,
    operators,
    beaconProof,
    validators,
    bounds,
    oracle,
    pool,
  };
});

function selector(signature: string): string {
  return keccakOfText(signature).slice(0, 10);
}
