/**
 * The whole protocol as one Hardhat Ignition module. Every network, every test and the demo deploy with it. The deployer
 * is administrator until the last step, which passes the role on; `deploy/lib/inspect.ts` checks that it kept none.
 */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { delayParameter, mappings, ROLE_NAMES, ROLES } from "./roles.ts";

export default buildModule("Estuary", (m) => {
  const deployer = m.getAccount(0);
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
    "0x0000000000000000000000000000000000000000",
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
  const targets = { token, pool, queue, operators, validators, oracle };
  const restricted = mappings().map(({ role, target, selectors }) =>
    m.call(authority, "setTargetFunctionRole", [targets[target], [...selectors], ROLES[role].id], {
      id: `${role}_${target}`,
      after: [opened, tier],
    }),
  );
  const granted = ROLE_NAMES.map((name) => {
    const { id, holder } = ROLES[name];
    const delay = m.getParameter<bigint>(delayParameter(name));
    return m.call(authority, "grantRole", [id, m.getParameter<string>(holder), delay], {
      id: `${name}_holder`,
      after: restricted,
    });
  });
  m.call(authority, "renounceRole", [ROLES.ADMIN.id, deployer], { id: "renounceAdmin", after: granted });

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
