import { expect } from "chai";
import { parseAddress } from "../../app/src/lib/address.ts";
import { toCsv } from "../../app/src/lib/csv.ts";
import { showRange, showSpan, showWhen } from "../../app/src/lib/times.ts";
import { SEPARATORS, editable, machine, parseAmount, showEther, showPercent } from "../../app/src/lib/units.ts";

const { en, de } = SEPARATORS;
const ETH = 10n ** 18n;
const text = (value: bigint, round?: "nearest" | "up") => showEther(value, en, round).text;

describe("amounts of the app", () => {
  it("shows four decimals below 1,000 ETH, and two above", () => {
    expect(text((3n * ETH) / 2n)).to.equal("1.5000");
    expect(text(12_340_123_456_789_000_000n)).to.equal("12.3401");
    expect(text(1_234_567_890_123_456_789_012n)).to.equal("1,234.57");
    expect(text(120_000_000n * ETH)).to.equal("120,000,000.00");
  });

  it("shows four significant digits of what is small, down to one wei", () => {
    expect(text(ETH / 2n)).to.equal("0.5000");
    expect(text(900_000_000_000_000n)).to.equal("0.0009");
    expect(text(345_678_901_234_567n)).to.equal("0.0003457");
    expect(text(1n)).to.equal("0.000000000000000001");
    expect(text(0n)).to.equal("0");
  });

  it("keeps all decimals beside what it shortened, and says that nothing was where nothing was", () => {
    expect(showEther(ETH - 1n, en)).to.deep.equal({ text: "1.0000", exact: "0.999999999999999999" });
    expect(showEther(ETH, en)).to.deep.equal({ text: "1.0000", exact: "1.0000" });
    expect(showEther(1_000n * ETH + 1n, en).exact).to.equal("1,000.000000000000000001");
  });

  it("rounds up what is paid, and keeps the sign of a fall", () => {
    expect(text(1_000_010_000_000_000_001n, "up")).to.equal("1.0001");
    expect(text(-24_640_000_000_000_000n)).to.equal("−0.02464");
  });

  it("speaks each language's own notation", () => {
    expect(showEther(1_234n * ETH, de).text).to.equal("1.234,00");
    expect(showPercent(291n, de)).to.equal("2,91");
    expect(showPercent(-5n, en)).to.equal("−0.05");
    expect(machine(-ETH / 3n)).to.equal("-0.333333333333333333");
  });

  it("fills a field with what it reads back as the same number of wei", () => {
    for (const separators of [en, de])
      for (const value of [1n, ETH, 1_234n * ETH + 5n, 120_000_000n * ETH - 1n])
        expect(parseAmount(editable(value, separators), separators)).to.deep.equal({ wei: value });
  });

  it("reads what a person types, spaces around it left out", () => {
    expect(parseAmount("  1.5 ", en)).to.deep.equal({ wei: (3n * ETH) / 2n });
    expect(parseAmount(".5", en)).to.deep.equal({ wei: ETH / 2n });
    expect(parseAmount("1,5", de)).to.deep.equal({ wei: (3n * ETH) / 2n });
    expect(parseAmount("", en)).to.deep.equal({ problem: "empty" });
  });

  it("refuses what is no amount, each for its own reason", () => {
    const reasons: Record<string, string> = {
      "1,5": "separator",
      "1,000.5": "separator",
      "1 000": "separator",
      "1.2.3": "separator",
      "-1": "negative",
      "1e18": "exponent",
      "0.1234567890123456789": "too-many-decimals",
      "99999999999999999999": "too-large",
      NaN: "not-a-number",
      "0x10": "not-a-number",
      ".": "not-a-number",
    };
    for (const [typed, problem] of Object.entries(reasons))
      expect(parseAmount(typed, en), typed).to.deep.equal({ problem });
    expect(parseAmount("1.5", de)).to.deep.equal({ problem: "separator" });
  });
});

describe("times of the app", () => {
  it("are relative up to a day, then a date with its zone", () => {
    expect(showWhen(12_000, 0, "en")).to.equal("in 3 h 20 min");
    expect(showWhen(0, 40, "en")).to.equal("40 s ago");
    expect(showWhen(0, 600, "de")).to.equal("vor 10 min");
    expect(showWhen(86_400 * 30, 0, "en")).to.match(/31 Jan(uary)? 1970.*\d\d:\d\d/);
    expect(showSpan(30 * 86_400, "de")).to.equal("30 Tage");
  });

  it("are a range where they are one", () => {
    expect(showRange(3 * 86_400, 5 * 86_400, "en")).to.equal("3 to 5 days");
    expect(showRange(3_600 * 5, 3_600 * 20, "en")).to.equal("5 to 20 h");
    expect(showRange(86_400 * 2, 86_400 * 2, "en")).to.equal("2 days");
    expect(showRange(0, 3_000, "en")).to.equal("1 h");
  });
});

describe("what the app reads and writes", () => {
  it("takes an address in any one case, and refuses a wrong checksum", () => {
    const good = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
    expect(parseAddress(` ${good} `)).to.deep.equal({ address: good });
    expect(parseAddress(good.toLowerCase())).to.deep.equal({ address: good });
    expect(parseAddress(good.replace("34AA", "34aA"))).to.deep.equal({ problem: "checksum" });
    expect(parseAddress("0x12")).to.deep.equal({ problem: "not-an-address" });
  });

  it("quotes cells, and leaves no formula for a spreadsheet to run", () => {
    expect(toCsv([["a,b", 'c"d', "=1+1", "-0.5"]])).to.equal('"a,b","c""d",\'=1+1,-0.5\r\n');
  });
});
