/** What the contracts refuse, under the name and with the values of the Solidity error. */
export class ProtocolError extends Error {
  readonly errorName: string;
  readonly values: readonly unknown[];

  constructor(errorName: string, values: readonly unknown[]) {
    super(`${errorName}(${values.map(String).join(", ")})`);
    this.name = "ProtocolError";
    this.errorName = errorName;
    this.values = values;
  }
}

/** `require(condition, Name(values))` */
export function ensure(condition: boolean, errorName: string, ...values: readonly unknown[]): asserts condition {
  if (!condition) throw new ProtocolError(errorName, values);
}
