import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { killWhenItSays } from "../../../../devnet/real/daemons.ts";
import { ProcessError, Supervised } from "../../../../devnet/real/supervisor.ts";
import { expectRejection } from "./expectRejection.ts";

/** Says its environment, then `signed` each 50 ms; ends by itself where a file says so. */
const PROGRAM = `
  import { existsSync } from "node:fs";
  console.log(JSON.stringify({ msg: "started", inherited: process.env.ESTUARY_TEST ?? null, own: process.env.OWN }));
  setInterval(() => {
    console.log(JSON.stringify({ msg: "signed" }));
    if (existsSync(process.argv[2])) process.exit(3);
  }, 50);
`;

describe("supervised processes", () => {
  const folder = mkdtempSync(join(tmpdir(), "estuary-supervisor-"));
  const program = join(folder, "program.mjs");
  const endFile = join(folder, "end");
  const events: string[] = [];
  const running: Supervised[] = [];
  before(() => writeFileSync(program, PROGRAM));
  afterEach(async () => {
    await Promise.all(running.splice(0).map((process) => process.stop()));
    rmSync(endFile, { force: true });
    events.length = 0;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const logFile = (name: string): string => join(folder, `${name}.log`);
  const logOf = (name: string): string => readFileSync(logFile(name), "utf8");
  const make = (name: string, script = program): Supervised => {
    const process = new Supervised(
      {
        name,
        args: [script, endFile],
        env: { ESTUARY_TEST: undefined, OWN: "yes" },
        logFile: logFile(name),
        isHealthy: () => Promise.resolve(logOf(name).includes("started")),
      },
      (line) => events.push(line),
    );
    running.push(process);
    return process;
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await sleep(10);
  };

  it("get what they are given of the environment, and nothing that is taken away", async () => {
    process.env["ESTUARY_TEST"] = "of this shell";
    try {
      await make("environment").start();
    } finally {
      delete process.env["ESTUARY_TEST"];
    }
    expect(logOf("environment")).to.contain('"inherited":null,"own":"yes"');
  });

  it("are killed at the moment at which they say something new, and come back", async () => {
    const [first, second] = [make("first"), make("second")];
    await Promise.all([first.start(), second.start()]);
    const pids = [first.pid, second.pid];
    const killed = await killWhenItSays([first, second], "signed");
    const other = killed === first ? second : first;
    expect(killed.pid).to.be.a("number").that.is.not.oneOf(pids);
    expect(other.pid).to.be.oneOf(pids);
    expect(events).to.deep.equal([`${killed.spec.name} ended (SIGKILL): starting it again`]);
    expect([first.crashes, second.crashes], "nobody crashed").to.deep.equal([0, 0]);
  });

  it("count a crash as one, and start again after it", async () => {
    const process = make("crashing");
    await process.start();
    const { pid } = process;
    writeFileSync(endFile, "");
    await until(() => process.crashes === 1);
    rmSync(endFile);
    await until(() => process.isRunning);
    expect(process.pid).to.not.equal(pid);
    expect(events[0]).to.equal("crashing ended (3): starting it again");
  });

  it("are given up when they end again and again, with the end of their log", async () => {
    const hopeless = join(folder, "hopeless.mjs");
    writeFileSync(hopeless, 'console.log("no such folder"); process.exit(4);');
    const process = make("hopeless", hopeless);
    const error = await expectRejection(process.start(), ProcessError);
    expect(error.message).to.contain("no such folder");
    expect(events.at(-1)).to.match(/ended too often and stays down/);
    expect(process.isRunning).to.equal(false);
  });
});
