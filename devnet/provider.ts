/** EIP-1193, as `connection.provider` of Hardhat: all that either layer needs of an execution client in this process. */
export interface Provider {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the type of EIP-1193
  request(args: { readonly method: string; readonly params?: readonly unknown[] }): Promise<any>;
}
