import { expect } from "chai";
import type { Provider } from "ethers";
import { TooExpensive, dearer, priceWithin, readMarket } from "../../../offchain/chain/write/price.ts";

const GWEI = 10n ** 9n;

/** A node with a base fee, that answers methods or does not have them. */
function nodeOf(base: bigint, answers: Readonly<Record<string, unknown>>): Provider {
  return {
    getBlock: () => Promise.resolve({ baseFeePerGas: base }),
    send: (method: string) =>
      method in answers ? Promise.resolve(answers[method]) : Promise.reject(new Error("method not found")),
  } as unknown as Provider;
}
const hex = (value: bigint): string => `0x${value.toString(16)}`;
const history = (...paid: bigint[]): unknown => ({ reward: paid.map((tip) => [hex(tip)]) });

describe("the price of a transaction", () => {
  it("is twice the base fee and the tip but at most the limit, and too dear only where the next block costs more", () => {
    const at = (base: bigint, tip: bigint, limit?: bigint) =>
      priceWithin({ base: base * GWEI, tip: tip * GWEI }, limit === undefined ? undefined : limit * GWEI);
    expect(at(10n, 2n)).to.deep.equal({ maxFeePerGas: 22n * GWEI, maxPriorityFeePerGas: 2n * GWEI });
    expect(at(110n, 2n, 200n)).to.deep.equal({ maxFeePerGas: 200n * GWEI, maxPriorityFeePerGas: 2n * GWEI });
    expect(at(198n, 2n, 200n).maxFeePerGas).to.equal(200n * GWEI);
    expect(() => at(199n, 2n, 200n)).to.throw(TooExpensive, "gas costs 201.0 gwei, the limit is 200.0");
    expect(at(1n, 9n, 5n), "a tip above the limit is not believed").to.deep.equal({
      maxFeePerGas: 3n * GWEI,
      maxPriorityFeePerGas: GWEI,
    });
  });

  it("has the tip that the node says, or what was paid lately where it says none, nothing or too much, or 1 gwei", async () => {
    const METHOD = "eth_maxPriorityFeePerGas";
    const paid = { eth_feeHistory: history(0n, 3n * GWEI, 2n * GWEI, 4n * GWEI) };
    for (const [answers, tip] of [
      [{ [METHOD]: hex(2n * GWEI) }, 2n * GWEI],
      [{ [METHOD]: hex(1n), ...paid }, 1n],
      [{ [METHOD]: "0x0", ...paid }, 3n * GWEI],
      [{ [METHOD]: hex(5_000n * GWEI), ...paid }, 3n * GWEI],
      [{ [METHOD]: null, ...paid }, 3n * GWEI],
      [{ [METHOD]: "none", ...paid }, 3n * GWEI],
      [paid, 3n * GWEI],
      [{ [METHOD]: "0x0", eth_feeHistory: { reward: null } }, GWEI],
      [{ [METHOD]: "0x0", eth_feeHistory: history(0n, 0n) }, GWEI],
      [{ eth_feeHistory: history(9_000n * GWEI) }, GWEI],
      [{}, GWEI],
    ] as const)
      expect(await readMarket(nodeOf(20n * GWEI, answers))).to.deep.equal({ base: 20n * GWEI, tip });
    expect((await readMarket(nodeOf(7n, { [METHOD]: hex(GWEI) }))).tip, "a base fee of nothing").to.equal(GWEI);
    const early = { getBlock: () => Promise.resolve(null) } as unknown as Provider;
    expect(await readMarket(early).catch((error: unknown) => (error as Error).message)).to.include("no base fee");
  });

  it("of a replacement is an eighth more on both or the market's, at most the limit, and none where that is no tenth", () => {
    const limit = 100n * GWEI;
    const before = { maxFeePerGas: 40n * GWEI, maxPriorityFeePerGas: 8n * GWEI };
    const quiet = dearer(before, { base: 1n, tip: 1n }, limit);
    expect(quiet).to.deep.equal({ maxFeePerGas: 45n * GWEI + 1n, maxPriorityFeePerGas: 9n * GWEI + 1n });
    expect(dearer(before, undefined, limit)).to.deep.equal(quiet);
    expect(dearer(before, { base: 30n * GWEI, tip: 20n * GWEI }, limit)).to.deep.equal({
      maxFeePerGas: 80n * GWEI,
      maxPriorityFeePerGas: 20n * GWEI,
    });
    expect(dearer(before, { base: 1_000n * GWEI, tip: 500n * GWEI }, limit)).to.deep.equal({
      maxFeePerGas: limit,
      maxPriorityFeePerGas: limit,
    });
    expect(dearer({ ...before, maxFeePerGas: limit }, { base: 1n, tip: 1n }, limit)).to.equal(undefined);
    expect(dearer({ ...before, maxFeePerGas: 92n * GWEI }, { base: 1n, tip: 1n }, limit)).to.equal(undefined);
    expect(dearer({ maxFeePerGas: 50n, maxPriorityFeePerGas: 0n }, undefined, limit)?.maxPriorityFeePerGas).to.equal(
      1n,
    );
  });
});
