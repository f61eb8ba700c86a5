/** What a page is told: which deployment it shows, and which nodes it asks. */
import { z } from "zod";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "an address");

export const configSchema = z.object({
  /** A word for people: "Ethereum", "Hoodi", "local". */
  network: z.string().min(1).max(24),
  deployment: z.object({
    chainId: z.number().int().positive(),
    token: address,
    wrapped: address,
    /** Of the EtherPool; undefined where there is none: pages say that nobody leaves at once there. */
    router: address.optional(),
    fromBlock: z.number().int().nonnegative(),
    /** Found one after the other where they are missing: a page is then read in more waits. */
    contracts: z
      .object({
        pool: address,
        queue: address,
        operators: address,
        validators: address,
        oracle: address,
        withdrawalVault: address,
        rewardsVault: address,
        etherPool: address.optional(),
      })
      .optional(),
  }),
  /** Absolute, or relative to the page. */
  rpc: z.array(z.string().min(1)).min(1),
  /** "https://etherscan.io": links only, nothing is asked of it. */
  explorer: z.string().url().optional(),
  /** Whose clock is right: the wall's, or on local chains the chain's own. */
  clock: z.enum(["wall", "chain"]).default("wall"),
  /** How often the page looks for something new. */
  pollSeconds: z.number().positive().default(12),
  /** 4 bytes: what deposits are signed for, where the chain is no public one. Default mainnet's, as local networks have it. */
  genesisForkVersion: z
    .string()
    .regex(/^0x[0-9a-f]{8}$/, "4 bytes")
    .optional(),
  /** Local development only: accounts of the test wallet. */
  accounts: z.array(z.object({ name: z.string(), key: z.string() })).default([]),
  /** Local development only: where the developer panel asks, beside the page. */
  control: z.string().min(1).optional(),
});

export type AppConfig = z.output<typeof configSchema>;
