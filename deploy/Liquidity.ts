/**
 * EtherPool and Router over a deployed core, as a Hardhat Ignition module of its own: the core knows nothing of it, and nobody owns either.
 * The pool opens with ether alone; `bringToTarget` of `deployLiquidity.ts` follows once the protocol is calm.
 */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

export default buildModule("Liquidity", (m) => {
  const etherPool = m.contract("EtherPool", [m.getParameter("token"), m.getParameter("terms")], {
    value: m.getParameter("seedWei"),
  });
  const router = m.contract("Router", [etherPool, m.getParameter("wrapped")]);
  return { etherPool, router };
});
