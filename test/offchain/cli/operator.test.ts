/** estuary operator exits, drop, requeue; and what estuary status says of payments. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { network } from "hardhat";
import { fundValidators, predeposit, prove, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { ValidatorKey } from "../../../devnet/keys.ts";
import { pubkeyRoot } from "../../../devnet/keys.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { contractBalanceProof, contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { runCli } from "../../../offchain/cli/program.ts";
import { closeServer, portOf } from "../../../offchain/util/health.ts";

const ETH = 10n ** 18n;
const [QUEUED, DROPPED] = [2n, 6n];
// the eighth account of the usual development mnemonic
const OPERATOR_KEY = "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356";

describe("the command line, for operators", () => {
  let p: LocalProtocol;
  let server: Server;
  let folder: string;
  let env: Record<string, string>;
  let active: ValidatorKey[];
  let queued: ValidatorKey[];

  before(async () => {
    const connection = await network.create();
    p = await startLocalProtocol(connection);
    server = await serveRpc(connection.provider, 0);
    folder = mkdtempSync(join(tmpdir(), "estuary-operator-"));
    const [token, wrapped] = await Promise.all([p.token.getAddress(), p.wrapped.getAddress()]);
    const deployment = join(folder, "deployment.json");
    writeFileSync(deployment, JSON.stringify({ chainId: 31_337, token, wrapped, fromBlock: 0 }));
    env = {
      ESTUARY_EXECUTION_URLS: `http://127.0.0.1:${portOf(server)}`,
      ESTUARY_DEPLOYMENT: deployment,
      ESTUARY_PRIVATE_KEY: OPERATOR_KEY,
    };
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 100n * ETH });
    active = await fundValidators(p, 2, 0);
    queued = await predeposit(p, 3, 2);
    await prove(p, queued);
    const { beacon } = p;
    await beacon.advanceUntil((state) =>
      active.every(({ pubkey }) => (state.validator(pubkey)?.activationEpoch ?? Infinity) + 256 <= beacon.epoch),
    );
    await beacon.advanceSlots(2);
  });
  after(async () => {
    await closeServer(server);
    rmSync(folder, { recursive: true });
  });

  /** Runs one command. */
  async function estuary(line: string): Promise<{ code: number; out: string; err: string }> {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCli(line.split(" "), {
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      interactive: false,
      confirm: () => Promise.resolve(false),
      env,
    });
    return { code, out: out.join("\n"), err: err.join("\n") };
  }

  async function json(line: string): Promise<Record<string, unknown>> {
    const { code, out, err } = await estuary(`${line} --json`);
    expect(code, err).to.equal(0);
    return JSON.parse(out) as Record<string, unknown>;
  }

  const statuses = () =>
    Promise.all(queued.map(async ({ pubkey }) => (await p.validators.validator(pubkeyRoot(pubkey))).status));
  const proofOf = ({ pubkey }: ValidatorKey) => contractValidatorProof(p.beacon.proveValidator(pubkey));

  it("says that nobody leaves, and then who was asked to exit, and what to do", async () => {
    expect(await estuary("operator exits 1")).to.include({ code: 0, out: "no validator leaves, none was asked to" });
    const [poor] = active as [ValidatorKey];
    p.beacon.penalise(poor.pubkey, 1_500_000_000n);
    await p.beacon.advanceSlots(2);
    const balance = contractBalanceProof(p.beacon.proveBalance(poor.pubkey));
    const value = await p.withdrawalVault.exitFee();
    await p.validators.connect(p.keeper).ejectBelow(poor.pubkey, proofOf(poor), balance, { value });
    const { out } = await estuary("operator exits 1");
    expect(out).to.include("active, asked to exit").and.include("UTC; keep it running until it has left");
    const { ejection, validators } = await json("operator exits 1");
    expect(ejection).to.equal(undefined);
    expect(validators).to.have.length(1);
    await p.beacon.advanceSlots(2);
    await p.validators.connect(p.keeper).proveExiting(proofOf(poor));
    expect((await estuary("operator exits 1")).out).to.match(/exiting .*withdrawable in epoch \d+/);
    expect((await estuary("operator status 1")).out).to.match(/exiting .*withdrawable in epoch \d+/);
  });

  it("refuses to drop keys of an operator that nothing is wrong with, by what the contract says", async () => {
    const { code, err } = await estuary("operator drop 1 --yes");
    expect(code).to.equal(1);
    expect(err).to.include("operator 1 had no penalty, freeze or fine since its keys were proven");
  });

  it("says why validators of a frozen operator may be made to exit, and from when on", async () => {
    const [, other] = active as [ValidatorKey, ValidatorKey];
    p.beacon.slash(other.pubkey);
    await p.beacon.advanceSlots(2);
    await p.validators.connect(p.keeper).proveSlashed(proofOf(other));
    const { out } = await estuary("operator exits 1");
    expect(out)
      .to.include("may be made to exit when ether is needed because the operator is frozen; from ")
      .and.include("UTC on in any case")
      .and.include("made to exit: frozen operator");
    expect((await estuary("operator status 1")).out)
      .to.include("FROZEN")
      .and.include("the operator is frozen; from ");
    const { ejection } = await json("operator exits 1");
    expect(ejection).to.include({ cause: "frozen" });
  });

  it("drops and queues again all keys in one transaction, or those that are named", async () => {
    const dropped = await json("operator drop 1 --yes");
    expect(dropped["outcome"]).to.deep.equal({ keyRoots: queued.map(({ pubkey }) => pubkeyRoot(pubkey)) });
    expect(await statuses()).to.deep.equal([DROPPED, DROPPED, DROPPED]);
    expect(await estuary("operator drop 1 --yes")).to.include({ code: 0, out: "operator 1 has no queued key" });
    expect((await estuary("operator status 1 --status dropped")).out).to.include("operator requeue");
    const frozen = await estuary("operator requeue 1 --yes");
    expect(frozen).to.include({ code: 1 });
    expect(frozen.err).to.include("operator 1 is frozen");
    await p.operators.connect(p.governor).unfreeze(1);
    const one = queued[1]?.pubkey ?? "";
    expect(await estuary(`operator requeue 1 ${one} --yes`)).to.include({ code: 0 });
    expect(await statuses()).to.deep.equal([DROPPED, QUEUED, DROPPED]);
    const again = await estuary(`operator requeue 1 ${one} --yes`);
    expect(again).to.include({ code: 2, err: `error: ${one} is no dropped key of operator 1` });
    expect(await estuary("operator requeue 1 0x12 --yes")).to.include({ code: 2 });
    expect(await estuary("operator requeue 1 --yes")).to.include({ code: 0 });
    expect(await statuses()).to.deep.equal([QUEUED, QUEUED, QUEUED]);
  });

  it("shows whether payments are calm and why not, what is on its way, and slashings not yet reported", async () => {
    const slashed = await estuary("status");
    expect(slashed.out).to.include("not calm: no report was applied yet; slashings not yet reported: 1");
    await p.beacon.advanceEpochs(100);
    expect((await estuary("status")).out).to.include("not calm: a report is overdue, or waits for signatures");
    const passed = (BigInt(p.beacon.head.slot) - (await p.oracle.lastRefSlot())) / (await p.oracle.slotsPerFrame());
    await p.committee.report({}, 9, Number(passed) + 1);
    const after = await estuary("status");
    expect(after.out)
      .to.match(/on its way +\d/)
      .and.include("not calm: the last report forbids payments");
    p.beacon.setRewardRate(0);
    await p.committee.report();
    await p.committee.report();
    expect((await estuary("status")).out).to.match(/payments +calm\n/);
    const { payments, pool } = (await json("status")) as { payments: object; pool: Record<string, string> };
    expect(payments).to.deep.equal({ calm: true, unreportedSlashings: 0 });
    expect(BigInt(pool["leaving"] ?? 0)).to.equal((await p.pool.books()).leaving);
  });
});
