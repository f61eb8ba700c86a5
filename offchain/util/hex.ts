/** Bytes as lower-case hexadecimal with 0x in front. */
export type Hex = `0x${string}`;
