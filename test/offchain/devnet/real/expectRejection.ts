import { expect } from "chai";

/** Fails unless the promise is rejected with an error of this class. */
export async function expectRejection(
  promise: Promise<unknown>,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any constructor of an error
  type: new (...parameters: any[]) => Error,
): Promise<Error> {
  const outcome: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).to.be.instanceOf(type);
  return outcome as Error;
}
