/** What lets a contract move an account's tokens: an approval, or a signature in its place (ERC-2612). */
import { Signature, formatEther } from "ethers";
import type { TypedContractMethod } from "../../../typechain-types/common.ts";
import type { Wei } from "../../protocol/units.ts";
import type { Protocol } from "../connect.ts";
import { ChainError, readable } from "../errors.ts";
import { call, readAll } from "../multicall.ts";
import { prepare } from "./prepare.ts";
import type { Amount, Context, Prepared, Target } from "./prepare.ts";

/** Of ours, those that are allowed and permitted. */
export type Token = Exclude<Amount["asset"], "ETH">;

/** The approval that `spender` lacks to move `amount` of the signer's tokens; undefined if it has enough. */
export async function approvalFor(
  context: Context,
  asset: Token,
  spender: Target | string,
  amount: Wei,
): Promise<Prepared<boolean, { readonly approved: Wei }> | undefined> {
  const { protocol, signer } = context;
  const address = typeof spender === "string" ? spender : (spender.target as string);
  const owner = await signer.getAddress();
  const contract = tokenOf(protocol, asset);
  const { values } = await readAll(protocol, { allowance: call(contract, contract.allowance, owner, address) });
  if (values.allowance >= amount) return undefined;
  return prepare(context, {
    label: `let ${address} use ${formatEther(amount)} ${asset}`,
    contract,
    method: contract.approve,
    args: [address, amount],
    outcome: () => ({ approved: amount }),
  });
}

/** @param deadline unix seconds @throws ChainError: the signature was refused */
export async function signPermit(
  { protocol, signer }: Context,
  contract: Permitting,
  spender: Target,
  value: bigint,
  deadline: bigint,
): Promise<Signature> {
  const owner = await signer.getAddress();
  const { values } = await readAll(protocol, {
    nonce: call(contract, contract.nonces, owner),
    domain: call(contract, contract.eip712Domain),
  });
  const { name, version, chainId, verifyingContract } = values.domain as {
    name: string;
    version: string;
    chainId: bigint;
    verifyingContract: string;
  };
  const signature = await readable(() =>
    signer.signTypedData({ name, version, chainId, verifyingContract }, PERMIT_TYPES, {
      ...{ owner, spender: spender.target, value, deadline },
      nonce: values.nonce,
    }),
  );
  return Signature.from(signature);
}

/** Any of our tokens. */
export function tokenOf({ token, wrapped, liquidity }: Protocol, asset: Token): Permitting & Approving {
  if (asset !== "LP") return asset === "westETH" ? wrapped : token;
  if (liquidity === undefined) throw new ChainError("refused", "the addresses file names no Router");
  return liquidity.etherPool;
}

type Contract = Parameters<typeof call>[0];

export interface Permitting extends Contract {
  readonly nonces: TypedContractMethod<[owner: string], [bigint], "view">;
  readonly eip712Domain: TypedContractMethod<[], [unknown], "view">;
}

interface Approving extends Contract {
  readonly allowance: TypedContractMethod<[owner: string, spender: string], [bigint], "view">;
  readonly approve: TypedContractMethod<[spender: string, amount: bigint], [boolean], "nonpayable">;
}

const PERMIT_TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};
