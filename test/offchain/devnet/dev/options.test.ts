import { expect } from "chai";
import { AppError, EXIT } from "../../../../offchain/util/errors.ts";
import { readDevOptions } from "../../../../scripts/lib/dev/options.ts";

describe("the options of npm run dev", () => {
  it("have defaults that the usage names, and their own data for the real clients", () => {
    const { folder, ...rest } = readDevOptions([]);
    expect(rest).to.deep.equal({
      ...{ port: 8_545, beaconPort: 5_052, appPort: 4_173, daySeconds: 60 },
      ...{ fresh: false, devnet: false },
    });
    expect(folder).to.match(/[\\/]\.estuary[\\/]dev$/);
    expect(readDevOptions(["--devnet"]).folder).to.match(/[\\/]\.estuary[\\/]devnet$/);
  });

  it("take a day in seconds, minutes or hours", () => {
    const days: [string, number][] = [
      ["20s", 20],
      ["20", 20],
      ["10m", 600],
      ["24h", 86_400],
    ];
    for (const [text, seconds] of days) expect(readDevOptions(["--day", text]).daySeconds, text).to.equal(seconds);
  });

  it("refuse what is none, in a line that says what would be", () => {
    const wrong: [string[], RegExp][] = [
      [["--day", "4s"], /^--day: from 5s to 24h, such as 20s or 10m, not 4s$/],
      [["--day", "25h"], /not 25h/],
      [["--day", "1.5m"], /not 1\.5m/],
      [["--day", ""], /^--day: /],
      [["--port", "65536"], /^--port: a whole number from 0 to 65535, not 65536$/],
      [["--app-port", "0x10"], /^--app-port: /],
      [["--beacon-port", "-1"], /beacon-port/],
      [["--slot-seconds", "1"], /slot-seconds/],
      [["more"], /more/],
    ];
    for (const [args, sentence] of wrong)
      expect(() => readDevOptions(args), args.join(" "))
        .to.throw(AppError, sentence)
        .with.property("exitCode", EXIT.usage);
  });
});
