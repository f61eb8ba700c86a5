/** Files of deposit data, checked in the page: by the rules of `offchain/keys`, and with room to draw between two keys. */
import { checkDepositFile } from "../../../offchain/keys/depositFile.ts";
import type { CheckedFile, Expected } from "../../../offchain/keys/depositFile.ts";
import { isSignedBy } from "./bls.ts";

export interface CheckOptions extends Omit<Expected, "isSignedBy" | "onProgress"> {
  readonly onProgress: (done: number, count: number) => void;
}

/** @throws where `signal` ends it */
export function checkDeposits(text: string, { onProgress, ...expected }: CheckOptions): Promise<CheckedFile> {
  return checkDepositFile(text, {
    ...expected,
    isSignedBy,
    onProgress: async (done, count) => {
      onProgress(done, count);
      await new Promise((resolve) => setTimeout(resolve));
    },
  });
}
