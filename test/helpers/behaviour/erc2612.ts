/** What permits of any token of the protocol do, signed by an ordinary account. */
import { expect } from "chai";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { Signature } from "ethers";
import type { StakedEther, WrappedStakedEther } from "../../../typechain-types/index.ts";
import { ethers } from "../network.ts";

export interface Erc2612Setup {
  readonly token: StakedEther | WrappedStakedEther;
  readonly domainName: string;
  readonly owner: HardhatEthersSigner;
  readonly spender: HardhatEthersSigner;
}

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const PERMIT = "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)";
const DEADLINE = 2n ** 40n;
const VALUE = 7n;

/** A permit of `VALUE` until `DEADLINE` with the owner's next nonce. */
export async function signPermit(
  setup: Omit<Erc2612Setup, "spender"> & { readonly spender: { readonly address: string } },
  chainId = 31_337n,
  deadline = DEADLINE,
): Promise<Signature> {
  const { token, domainName, owner, spender } = setup;
  const signed = await owner.signTypedData(
    { name: domainName, version: "1", chainId, verifyingContract: await token.getAddress() },
    {
      Permit: [
        { name: "owner", type: "address" },
        { name: "spender", type: "address" },
        { name: "value", type: "uint256" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    },
    { owner: owner.address, spender: spender.address, value: VALUE, nonce: await token.nonces(owner), deadline },
  );
  return Signature.from(signed);
}

export function behavesAsErc2612(setup: () => Promise<Erc2612Setup>): void {
  const send = ({ token, owner, spender }: Erc2612Setup, v: number, r: string, s: string, deadline = DEADLINE) =>
    token.connect(spender)[PERMIT](owner, spender, VALUE, deadline, v, r, s);

  it("approves by signature, once", async () => {
    const s = await setup();
    const { v, r, s: low } = await signPermit(s);
    await expect(send(s, v, r, low))
      .to.emit(s.token, "Approval")
      .withArgs(s.owner, s.spender, VALUE);
    expect(await s.token.allowance(s.owner, s.spender)).to.equal(VALUE);
    expect(await s.token.nonces(s.owner)).to.equal(1n);
    await expect(send(s, v, r, low)).to.be.revertedWithCustomError(s.token, "PermitInvalid");
  });

  it("refuses the same signature with s flipped", async () => {
    const s = await setup();
    const { v, r, s: low } = await signPermit(s);
    const high = ethers.toBeHex(CURVE_ORDER - BigInt(low), 32);
    await expect(send(s, 55 - v, r, high)).to.be.revertedWithCustomError(s.token, "PermitInvalid");
  });

  it("refuses a permit past its deadline", async () => {
    const s = await setup();
    const { v, r, s: low } = await signPermit(s, 31_337n, 1n);
    await expect(send(s, v, r, low, 1n))
      .to.be.revertedWithCustomError(s.token, "PermitExpired")
      .withArgs(1n);
  });

  it("refuses a permit of another chain or another token", async () => {
    const s = await setup();
    for (const signature of [await signPermit(s, 1n), await signPermit({ ...s, domainName: "Another" })])
      await expect(send(s, signature.v, signature.r, signature.s)).to.be.revertedWithCustomError(
        s.token,
        "PermitInvalid",
      );
  });
}
