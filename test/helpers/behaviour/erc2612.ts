/** What permits of any token of the protocol do, signed by an ordinary account. */
import { expect } from "chai";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { Signature, TypedDataEncoder } from "ethers";
import type { StakedEther, WrappedStakedEther } from "../../../typechain-types/index.ts";
import { ethers, networkHelpers } from "../network.ts";

export interface Erc2612Setup {
  readonly token: StakedEther | WrappedStakedEther;
  readonly domainName: string;
  readonly owner: HardhatEthersSigner;
  readonly spender: HardhatEthersSigner;
}

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const PERMIT = "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)";
const PERMIT_BYTES = "permit(address,address,uint256,uint256,bytes)";
export const CHAIN = 31_337n;
export const DEADLINE = 2n ** 40n;
const VALUE = 7n;

const TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

/** A permit to sign: of any token with ERC-2612, for any spender. */
interface Signed {
  readonly token: { getAddress(): Promise<string>; nonces(owner: string): Promise<bigint> };
  readonly domainName: string;
  readonly owner: Pick<HardhatEthersSigner, "address" | "signTypedData">;
  readonly spender: { readonly address: string };
}

async function permitOf(
  { token, domainName, owner, spender }: Signed,
  chainId: bigint,
  deadline: bigint,
  value: bigint = VALUE,
) {
  return {
    domain: { name: domainName, version: "1", chainId, verifyingContract: await token.getAddress() },
    message: {
      owner: owner.address,
      spender: spender.address,
      value,
      nonce: await token.nonces(owner.address),
      deadline,
    },
  };
}

/** A permit of `VALUE` until `DEADLINE` with the owner's next nonce. */
export async function signPermit(
  setup: Signed,
  chainId = CHAIN,
  deadline = DEADLINE,
  value = VALUE,
): Promise<Signature> {
  const { domain, message } = await permitOf(setup, chainId, deadline, value);
  return Signature.from(await setup.owner.signTypedData(domain, TYPES, message));
}

/** What the token asks the owner to have signed next. */
async function digestOf(setup: Signed, deadline = DEADLINE): Promise<string> {
  const { domain, message } = await permitOf(setup, CHAIN, deadline);
  return TypedDataEncoder.hash(domain, TYPES, message);
}

export function behavesAsErc2612(setup: () => Promise<Erc2612Setup>): void {
  const send = ({ token, owner, spender }: Erc2612Setup, signature: Signature, value = VALUE, deadline = DEADLINE) =>
    token.connect(spender)[PERMIT](owner, spender, value, deadline, signature.v, signature.r, signature.s);

  const expectInvalid = async (s: Erc2612Setup, call: Promise<unknown>, digest?: string) => {
    await expect(call)
      .to.be.revertedWithCustomError(s.token, "PermitInvalid")
      .withArgs(s.owner, digest ?? (await digestOf(s)));
    expect(await s.token.allowance(s.owner, s.spender)).to.equal(0n);
  };

  it("approves by signature, once", async () => {
    const s = await setup();
    const signature = await signPermit(s);
    await expect(send(s, signature)).to.emit(s.token, "Approval").withArgs(s.owner, s.spender, VALUE);
    expect(await s.token.allowance(s.owner, s.spender)).to.equal(VALUE);
    expect(await s.token.nonces(s.owner)).to.equal(1n);
    await expect(send(s, signature))
      .to.be.revertedWithCustomError(s.token, "PermitInvalid")
      .withArgs(s.owner, await digestOf(s));
    expect(await s.token.nonces(s.owner)).to.equal(1n);
  });

  it("Security: malleable: the signature with s flipped is rejected, and the original works after it", async () => {
    const s = await setup();
    const signature = await signPermit(s);
    const high = ethers.toBeHex(CURVE_ORDER - BigInt(signature.s), 32);
    await expectInvalid(
      s,
      s.token.connect(s.spender)[PERMIT](s.owner, s.spender, VALUE, DEADLINE, 55 - signature.v, signature.r, high),
    );
    const flipped = ethers.concat([signature.r, high, ethers.toBeHex(55 - signature.v, 1)]);
    await expectInvalid(s, s.token[PERMIT_BYTES](s.owner, s.spender, VALUE, DEADLINE, flipped));
    expect(await s.token.nonces(s.owner)).to.equal(0n);
    await send(s, signature);
    expect(await s.token.allowance(s.owner, s.spender)).to.equal(VALUE);
  });

  it("Security: malleable: a shortened signature (EIP-2098), an empty one and one of zeros are rejected", async () => {
    const s = await setup();
    const { compactSerialized, serialized } = await signPermit(s);
    for (const bytes of [compactSerialized, "0x", `0x${"00".repeat(65)}`, `${serialized}00`])
      await expectInvalid(s, s.token[PERMIT_BYTES](s.owner, s.spender, VALUE, DEADLINE, bytes));
    await s.token[PERMIT_BYTES](s.owner, s.spender, VALUE, DEADLINE, serialized);
    expect(await s.token.allowance(s.owner, s.spender)).to.equal(VALUE);
  });

  it("takes a permit up to its deadline, and not a second later", async () => {
    const s = await setup();
    const deadline = BigInt(await networkHelpers.time.latest()) + 1_000n;
    const signature = await signPermit(s, CHAIN, deadline);
    const snapshot = await networkHelpers.takeSnapshot();
    await networkHelpers.time.setNextBlockTimestamp(deadline + 1n);
    await expect(send(s, signature, VALUE, deadline))
      .to.be.revertedWithCustomError(s.token, "PermitExpired")
      .withArgs(deadline);
    await snapshot.restore();
    await networkHelpers.time.setNextBlockTimestamp(deadline);
    await send(s, signature, VALUE, deadline);
    expect(await s.token.allowance(s.owner, s.spender)).to.equal(VALUE);
  });

  it("refuses a permit of another chain, another token, and other terms than were signed", async () => {
    const s = await setup();
    for (const signature of [await signPermit(s, 1n), await signPermit({ ...s, domainName: "Another" })])
      await expectInvalid(s, send(s, signature));
    const signature = await signPermit(s);
    const sooner = DEADLINE - 1n;
    await expect(send(s, signature, VALUE + 1n)).to.be.revertedWithCustomError(s.token, "PermitInvalid");
    await expectInvalid(s, send(s, signature, VALUE, sooner), await digestOf(s, sooner));
    // nor for another spender, nor from another owner
    await expect(
      s.token[PERMIT](s.owner, s.owner, VALUE, DEADLINE, signature.v, signature.r, signature.s),
    ).to.be.revertedWithCustomError(s.token, "PermitInvalid");
    await expect(
      s.token[PERMIT](s.spender, s.spender, VALUE, DEADLINE, signature.v, signature.r, signature.s),
    ).to.be.revertedWithCustomError(s.token, "PermitInvalid");
    await expect(
      s.token[PERMIT](ethers.ZeroAddress, s.spender, VALUE, DEADLINE, 27, ethers.ZeroHash, ethers.ZeroHash),
    ).to.be.revertedWithCustomError(s.token, "PermitInvalid");
  });

  it("says its domain (EIP-712, EIP-5267)", async () => {
    const s = await setup();
    const { domain } = await permitOf(s, CHAIN, DEADLINE);
    expect(await s.token.DOMAIN_SEPARATOR()).to.equal(TypedDataEncoder.hashDomain(domain));
    const [, name, version, chainId, verifyingContract] = await s.token.eip712Domain();
    expect({ name, version, chainId, verifyingContract }).to.deep.equal(domain);
  });
}
