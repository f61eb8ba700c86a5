/** What goes wrong on single days. Days count from 1. */
import { toEtherDown } from "../../../offchain/protocol/shares.ts";
import { keysOf, stayingOf } from "./cast.ts";
import type { Cast } from "./cast.ts";
import type { OperatorAccount } from "./operatorBooks.ts";
import * as op from "./operators.ts";
import * as proofs from "./proofs.ts";
import * as stakers from "./stakers.ts";
import { ETH } from "./stakers.ts";
import type { Year } from "./story.ts";

/** What happens on a day out of the ordinary. */
export async function event(year: Year, cast: Cast, day: number): Promise<void> {
  const { world, refusals, counts, whale } = year;
  const { p, chain, ledger } = world;
  const lastOf = (account: OperatorAccount, count: number) => keysOf(world, account).slice(-count);
  const someOf = (account: OperatorAccount, count: number) => stayingOf(world, account).slice(-count);
  switch (day) {
    case 60:
      await op.predeposit(world, cast.late, 3);
      break;
    case 62:
      refusals["proofs without bond"] = await op.prove(world, lastOf(cast.late, 3));
      break;
    case 70:
      await op.addBond(world, cast.late, op.lackingBond(world, cast.late, 3));
      refusals["proofs with late bond"] = await op.prove(world, lastOf(cast.late, 3));
      break;
    case 75:
      await op.predepositAll(world, cast.dropped, 2);
      break;
    case 76: {
      const keys = lastOf(cast.dropped, 2);
      await op.prove(world, keys);
      const all = toEtherDown(cast.dropped.bond, ledger.totals);
      refusals["a fine above the bond"] = await chain.refusal(
        p.guardian.address,
        p.operators.lockFine.populateTransaction(cast.dropped.id, all + 1n, `0x${"11".repeat(32)}`),
      );
      await op.lockFine(world, cast.dropped, all);
      await op.drop(world, keys);
      counts.dropped += keys.length;
      break;
    }
    case 90:
      await op.lockFine(world, cast.fined, ETH / 2n);
      break;
    case 92:
      await op.confirmFine(world, cast.fined);
      break;
    case 95:
      await op.lockFine(world, cast.cleared, ETH);
      break;
    case 97:
      await op.cancelFine(world, cast.cleared);
      break;
    case 100:
      await slash(cast.slashed.slice(0, 1), 1);
      break;
    case 101: {
      const [frozen] = cast.slashed;
      if (frozen === undefined) break;
      const claim = p.operators.claimRewards.populateTransaction(frozen.id, frozen.owner);
      refusals["a claim while frozen"] = await chain.refusal(frozen.owner, claim);
      const withdraw = p.operators.withdrawBond.populateTransaction(frozen.id, 1n, frozen.owner);
      refusals["a bond while frozen"] = await chain.refusal(frozen.owner, withdraw);
      break;
    }
    case 107:
      // the fine lapsed after thirty days
      await op.releaseFine(world, cast.dropped);
      await op.requeue(world, cast.dropped, lastOf(cast.dropped, 2));
      break;
    case 110:
      for (const { key } of someOf(cast.failing, 2)) {
        p.beacon.setOffline(key.pubkey, true);
        p.beacon.penalise(key.pubkey, 4n * 10n ** 8n);
      }
      break;
    case 111:
      for (const validator of someOf(cast.failing, 2)) {
        await proofs.proveBelow(world, validator);
        counts.failing++;
      }
      break;
    case 120:
      await stakers.request(world, whale, [2_500n * ETH, 7n * ETH]);
      break;
    case 145:
      await unfreeze(cast.slashed.slice(0, 1));
      break;
    case 150:
      for (const { key } of someOf(cast.leaving, 5)) {
        p.beacon.voluntaryExit(key.pubkey);
        counts.exitsOwn++;
      }
      break;
    case 170: {
      // a little more than its whole bond
      const [victim] = someOf(cast.indebted, 1);
      if (victim === undefined) break;
      const loss = toEtherDown(cast.indebted.bond, ledger.totals) + 8n * 10n ** 15n;
      p.beacon.penalise(victim.key.pubkey, loss / 10n ** 9n);
      p.beacon.voluntaryExit(victim.key.pubkey);
      counts.exitsOwn++;
      break;
    }
    case 175: {
      year.debts.most = cast.indebted.debt;
      const keys = p.validators.predeposit.populateTransaction(
        cast.indebted.id,
        ["0x"],
        ["0x"],
        [`0x${"00".repeat(32)}`],
      );
      refusals["a key while in debt"] = await chain.refusal(cast.indebted.owner, keys, ETH);
      break;
    }
    case 190:
      await slash(cast.slashed.slice(1), 2);
      break;
    case 200:
      await op.predepositAll(world, cast.impatient, 1);
      break;
    case 201: {
      const [key] = lastOf(cast.impatient, 1);
      if (key === undefined) break;
      await op.prove(world, [key]);
      await op.fundOwn(world, key);
      counts.fundedOwn++;
      break;
    }
    case 240:
      await unfreeze(cast.slashed.slice(1));
      break;
    case 250: {
      await op.setBondNext(world, 1, (16n * ETH) / 10n);
      const one = p.operators.withdrawBond.populateTransaction(cast.late.id, 1n, cast.late.owner);
      refusals["a share of bond once the curve rose"] = await chain.refusal(cast.late.owner, one);
      break;
    }
    case 255:
      await op.addBond(world, cast.late, op.lackingBond(world, cast.late, 0) + ETH);
      year.bondFreed += await op.withdrawFreeBond(world, cast.late);
      break;
    case 260:
      await stakers.request(world, whale, [640n * ETH]);
      break;
    case 300:
      await op.claim(world, cast.indebted);
      year.debts.afterwards = cast.indebted.debt;
      break;
    case 310:
      await op.claimWrapped(world, cast.cleared);
      await op.addBondWrapped(world, cast.cleared);
      break;
    case 311:
      await op.claim(world, cast.fined);
      await op.addBondShares(world, cast.fined);
      break;
    case 320: {
      const all = p.operators.withdrawBond.populateTransaction(cast.late.id, cast.late.bond, cast.late.owner);
      refusals["a bond below the requirement"] = await chain.refusal(cast.late.owner, all);
      break;
    }
  }

  async function slash(accounts: readonly OperatorAccount[], each: number): Promise<void> {
    const victims = accounts.flatMap((account) => someOf(account, each));
    await proofs.slash(world, victims);
    counts.slashed += victims.length;
  }

  async function unfreeze(accounts: readonly OperatorAccount[]): Promise<void> {
    for (const account of accounts) await op.unfreeze(world, account);
  }
}
