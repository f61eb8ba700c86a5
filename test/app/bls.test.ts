import { expect } from "chai";
import { getBytes, sha256, toUtf8Bytes } from "ethers";
import { isSignedBy } from "../../app/src/lib/bls.ts";
import { isSignedBy as isSignedByC } from "../../offchain/keys/deposit.ts";
import { deriveKeys } from "../../offchain/keys/hd.ts";
import type { Hex } from "../../offchain/util/hex.ts";

const [FIRST, SECOND] = deriveKeys({
  mnemonic: "test test test test test test test test test test test junk",
  count: 2,
});

/** (0, 2) is on the curve y² = x³ + 4 of G1, outside the subgroup: nobody has a secret for it. */
const OUTSIDE: Hex = `0x80${"00".repeat(47)}`;

describe("signatures that a page checks", () => {
  it("are valid and invalid as the library of C has it", () => {
    if (FIRST === undefined || SECOND === undefined) throw new Error("no keys");
    const root = getBytes(sha256(toUtf8Bytes("a deposit")));
    const other = getBytes(sha256(toUtf8Bytes("another")));
    const good = FIRST.sign(root);
    const flipped = `${good.slice(0, -2)}${good.endsWith("00") ? "01" : "00"}` as Hex;
    const infinity: Hex = `0xc0${"00".repeat(95)}`;
    const cases: [string, Hex, Hex, Uint8Array, boolean][] = [
      ["its own", FIRST.pubkey, good, root, true],
      ["another key's", SECOND.pubkey, good, root, false],
      ["of something else", FIRST.pubkey, good, other, false],
      ["changed", FIRST.pubkey, flipped, root, false],
      ["infinity", FIRST.pubkey, infinity, root, false],
      ["infinity of infinity", `0xc0${"00".repeat(47)}`, infinity, root, false],
      ["zeros", FIRST.pubkey, `0x${"00".repeat(96)}`, root, false],
      ["no point", FIRST.pubkey, `0x${"ff".repeat(96)}`, root, false],
      ["no key", `0x${"ff".repeat(48)}`, good, root, false],
      ["key outside the subgroup", OUTSIDE, good, root, false],
      ["too short", FIRST.pubkey, "0x12", root, false],
    ];
    for (const [name, pubkey, signature, signed, expected] of cases) {
      expect(isSignedByC(pubkey, signature, signed), `${name}, by the library of C`).to.equal(expected);
      expect(isSignedBy(pubkey, signature, signed), `${name}, by the page`).to.equal(expected);
    }
  });
});
