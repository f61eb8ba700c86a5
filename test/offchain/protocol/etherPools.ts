/** EtherPools for tests of the twin. */
import { ETHER_POOL } from "../../../deploy/lib/parameters.ts";
import type { EtherPoolTerms } from "../../../offchain/protocol/etherPool.ts";
import { bp } from "../../../offchain/protocol/units.ts";

/** As networks get them. */
export const TERMS: EtherPoolTerms = {
  minFeeBp: bp(ETHER_POOL.terms.minFeeBp),
  maxFeeBp: bp(ETHER_POOL.terms.maxFeeBp),
  targetBp: bp(ETHER_POOL.terms.targetBp),
  rebateBp: bp(ETHER_POOL.terms.rebateBp),
  entryFeeBp: bp(ETHER_POOL.terms.entryFeeBp),
};
