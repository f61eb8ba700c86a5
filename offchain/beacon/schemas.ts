/** The Beacon API's JSON, as far as it is needed: fields that are not, and unknown ones, may be missing or there. */
import { z } from "zod";
import { bigintField, booleanField, hexField, numberField } from "./fields.ts";

export type Answer<Schema extends z.ZodTypeAny> = z.infer<Schema>;

export const syncingSchema = z.object({
  data: z.object({
    head_slot: numberField,
    is_syncing: booleanField,
    is_optimistic: booleanField.optional(),
    el_offline: booleanField.optional(),
  }),
});
export const genesisSchema = z.object({
  data: z.object({ genesis_time: numberField, genesis_fork_version: hexField, genesis_validators_root: hexField }),
});
export const specSchema = z.object({
  data: z.object({
    SECONDS_PER_SLOT: numberField.optional(),
    SLOT_DURATION_MS: numberField.optional(),
    SLOTS_PER_EPOCH: numberField,
    DEPOSIT_CHAIN_ID: bigintField.optional(),
    DEPOSIT_CONTRACT_ADDRESS: hexField.optional(),
  }),
});
export const depositContractSchema = z.object({ data: z.object({ chain_id: bigintField, address: hexField }) });
export const headerSchema = z.object({
  finalized: booleanField.optional(),
  data: z
    .object({
      root: hexField,
      canonical: booleanField.optional(),
      header: z.object({ message: z.object({ slot: numberField }) }),
    })
    .nullable(),
});
export const finalitySchema = z.object({
  finalized: booleanField.optional(),
  data: z.object({ finalized: z.object({ epoch: numberField }) }),
});
export const validatorsSchema = z.object({
  finalized: booleanField.optional(),
  data: z.array(
    z.object({
      index: numberField,
      balance: bigintField,
      validator: z.object({
        pubkey: hexField,
        withdrawal_credentials: hexField,
        effective_balance: bigintField,
        slashed: booleanField,
        activation_eligibility_epoch: bigintField,
        activation_epoch: bigintField,
        exit_epoch: bigintField,
        withdrawable_epoch: bigintField,
      }),
    }),
  ),
});
export const depositsSchema = z.object({
  finalized: booleanField.optional(),
  data: z.array(z.object({ pubkey: hexField, amount: bigintField })),
});
