/** The two registries' proxies: addresses known before there is any code. */
import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { DEPOSIT_CONTRACT } from "../../../devnet/predeploys.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { registries } from "./fixture.ts";

/** Another pair, and code for it; the code of operators names `validators`, its own pair's unless told otherwise. */
async function another(named: { validators?: string; operators?: string } = {}) {
  const { manager, token, wrapped, vault, beaconProof } = await loadFixture(registries);
  const proxies = await ethers.deployContract("RegistryProxies");
  const at = { validators: await proxies.validators(), operators: await proxies.operators(), ...named };
  const operators = await ethers.deployContract("OperatorRegistry", [token, wrapped, at.validators]);
  const validators = await ethers.deployContract("ValidatorRegistry", [
    token,
    vault,
    at.operators,
    DEPOSIT_CONTRACT,
    0n,
  ]);
  const [authority, proof] = [await manager.getAddress(), await beaconProof.getAddress()];
  const args = [
    await operators.getAddress(),
    operators.interface.encodeFunctionData("initialize", [authority]),
    await validators.getAddress(),
    validators.interface.encodeFunctionData("initialize", [authority, proof]),
  ] as const;
  return { proxies, args };
}

describe("RegistryProxies", () => {
  it("are where they said they would be, and name each other", async () => {
    const { proxies, operators, validators } = await loadFixture(registries);
    expect(await proxies.operators()).to.equal(await operators.getAddress());
    expect(await proxies.validators()).to.equal(await validators.getAddress());
    expect(await operators.validators()).to.equal(await validators.getAddress());
    expect(await validators.operators()).to.equal(await operators.getAddress());
  });

  it("are deployed by their deployer alone, who can't give them other code later", async () => {
    const { proxies, args } = await another();
    const [admin, mallory] = await ethers.getSigners();
    if (admin === undefined || mallory === undefined) throw new Error("nobody");
    await expect(proxies.connect(mallory).deploy(...args))
      .to.be.revertedWithCustomError(proxies, "OnlyDeployer")
      .withArgs(mallory);
    await proxies.deploy(...args);
    const operators = await ethers.getContractAt("OperatorRegistry", await proxies.operators());
    await expect(operators.initialize(mallory)).to.be.revertedWithCustomError(operators, "InvalidInitialization");
    await expect(proxies.deploy(...args)).to.be.revertedWithCustomError(proxies, "AlreadyDeployed");
  });

  it("must name each other", async () => {
    const elsewhere = ethers.Wallet.createRandom().address;
    for (const named of [{ validators: elsewhere }, { operators: elsewhere }, { operators: ZeroAddress }]) {
      const { proxies, args } = await another(named);
      const at = { validators: await proxies.validators(), operators: await proxies.operators(), ...named };
      await expect(proxies.deploy(...args))
        .to.be.revertedWithCustomError(proxies, "NotEachOther")
        .withArgs(at.operators, at.validators);
    }
  });
});
