/** How a contract gets what it is to move: a permit for who can sign, an approval for who can't, nothing where it may already. */
import { useState } from "react";
import type { ReactElement } from "react";
import { useAccountKind } from "../data/queries.ts";
import { Fact } from "./Card.tsx";

export interface Permission {
  /** Whether it may move that much already. */
  readonly isEnough: (amount: bigint) => boolean;
  readonly isByApproval: (amount: bigint) => boolean;
  /** Whether an approval must come first. */
  readonly needsApproval: (amount: bigint | undefined) => boolean;
  /** Whether the person may choose between the two. */
  readonly hasChoice: boolean;
  readonly prefersApproval: boolean;
  readonly setPrefersApproval: (prefers: boolean) => void;
}

/** @param allowance undefined while it is not known */
export function usePermission(address: string | undefined, allowance: bigint | undefined): Permission {
  const kind = useAccountKind(address);
  const [prefersApproval, setPrefersApproval] = useState(false);
  const isEnough = (amount: bigint): boolean => allowance !== undefined && allowance >= amount;
  // contracts can't sign; whoever approved already need not
  const isByApproval = (amount: bigint): boolean => kind.data === "contract" || prefersApproval || isEnough(amount);
  return {
    isEnough,
    isByApproval,
    needsApproval: (amount) => amount !== undefined && isByApproval(amount) && !isEnough(amount),
    hasChoice: kind.data !== "contract",
    prefersApproval,
    setPrefersApproval,
  };
}

export interface PermissionFactProps {
  readonly permission: Permission;
  readonly amount: bigint | undefined;
  readonly words: {
    readonly how: string;
    readonly approvedAlready: string;
    readonly byApproval: string;
    readonly bySignature: string;
    readonly useApproval: string;
    readonly usePermit: string;
  };
}

export function PermissionFact({ permission, amount, words }: PermissionFactProps): ReactElement {
  const { hasChoice, prefersApproval, setPrefersApproval } = permission;
  const isApproved = amount !== undefined && permission.isEnough(amount);
  const byApproval = amount === undefined ? prefersApproval || !hasChoice : permission.isByApproval(amount);
  return (
    <Fact name={words.how}>
      {byApproval ? (isApproved ? words.approvedAlready : words.byApproval) : words.bySignature}
      {hasChoice && !isApproved && (
        <button type="button" className="link block right" onClick={() => setPrefersApproval(!prefersApproval)}>
          {prefersApproval ? words.usePermit : words.useApproval}
        </button>
      )}
    </Fact>
  );
}
