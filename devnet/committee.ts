/** Wallets and signatures of the committee, as both layers deploy it. */
import { HDNodeWallet, Mnemonic, Signature } from "ethers";
import { TEST_MNEMONIC } from "./keys.ts";

/** Wallets of the local committee, sorted by address as the oracle wants signatures. */
export function committeeWallets(count: number): HDNodeWallet[] {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(TEST_MNEMONIC), "m/44'/60'/1'/0");
  const wallets = Array.from({ length: count }, (_, index) => root.deriveChild(index));
  return wallets.sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
}

/** IReportOracle.Signature (EIP-2098). */
export interface CompactSignature {
  readonly r: string;
  readonly vs: string;
}

/** The 64-byte form of a 65-byte signature (r ++ s ++ v). */
export function compactSignature(signature: string): CompactSignature {
  const { r, yParityAndS } = Signature.from(signature);
  return { r, vs: yParityAndS };
}
