/** ERC-2612 permits of accounts that are not plain keys, for both tokens. */
import { expect } from "chai";
import { Signature, Wallet } from "ethers";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { protocol } from "../../helpers/protocol.ts";

const VALUE = 5n * 10n ** 18n;
const DEADLINE = 2n ** 40n;
const PERMIT = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

async function world() {
  const p = await loadFixture(protocol);
  const key = new Wallet(`0x${"42".repeat(32)}`, ethers.provider);
  await networkHelpers.setBalance(key.address, 10n ** 20n);
  const wallet = await ethers.deployContract("SignerWallet", [key.address]);
  return { p, key, wallet };
}

type World = Awaited<ReturnType<typeof world>>;

async function signPermit({ p, key }: World, name: "token" | "wrapped", owner: string): Promise<Signature> {
  const contract = p[name];
  const [, domainName, version, chainId, verifyingContract] = await contract.eip712Domain();
  const nonce = await contract.nonces(owner);
  const message = { owner, spender: p.bob.address, value: VALUE, nonce, deadline: DEADLINE };
  const text = await key.signTypedData({ name: domainName, version, chainId, verifyingContract }, PERMIT, message);
  return Signature.from(text);
}

for (const name of ["token", "wrapped"] as const) {
  describe(`Permits of ${name === "token" ? "estETH" : "westETH"}`, () => {
    it("are accepted from a contract account (ERC-1271)", async () => {
      const w = await world();
      const owner = await w.wallet.getAddress();
      const { v, r, s } = await signPermit(w, name, owner);
      await w.p[name]["permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"](
        owner,
        w.p.bob,
        VALUE,
        DEADLINE,
        v,
        r,
        s,
      );
      expect(await w.p[name].allowance(owner, w.p.bob)).to.equal(VALUE);
    });

    it("Security: contract signatures: refused when the account answers anything but the exact value", async () => {
      const w = await world();
      const owner = await w.wallet.getAddress();
      await w.wallet.setAnswer("0x1626ba7f");
      const { serialized } = await signPermit(w, name, owner);
      const permit = w.p[name]["permit(address,address,uint256,uint256,bytes)"](
        owner,
        w.p.bob,
        VALUE,
        DEADLINE,
        serialized,
      );
      await expect(permit).to.be.revertedWithCustomError(w.p[name], "PermitInvalid");
      expect(await w.p[name].allowance(owner, w.p.bob)).to.equal(0n);
    });

    it("are accepted from a key that delegated its code (EIP-7702)", async () => {
      const w = await world();
      const nonce = await w.key.getNonce();
      // the code it delegates to knows another owner: only its own key speaks for the account
      const code = await ethers.deployContract("SignerWallet", [w.p.carol.address]);
      const authorization = await w.key.authorize({
        address: await code.getAddress(),
        nonce: nonce + 1,
        chainId: 31_337n,
      });
      const sent = await w.key.sendTransaction({
        type: 4,
        to: w.key.address,
        nonce,
        gasLimit: 200_000n,
        authorizationList: [authorization],
        data: "0x8da5cb5b",
      });
      await sent.wait();
      expect(await ethers.provider.getCode(w.key.address)).to.match(/^0xef0100/);
      const { serialized } = await signPermit(w, name, w.key.address);
      await w.p[name]["permit(address,address,uint256,uint256,bytes)"](
        w.key.address,
        w.p.bob,
        VALUE,
        DEADLINE,
        serialized,
      );
      expect(await w.p[name].allowance(w.key.address, w.p.bob)).to.equal(VALUE);
    });
  });
}
