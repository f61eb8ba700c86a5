/** The addresses files of public networks. `npm run pack:sdk` puts those of `deployments/` here, in the package only. */
export const FILES: readonly object[] = [];
