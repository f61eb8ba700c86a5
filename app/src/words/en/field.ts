export const field = {
  negative: "The amount must be above zero.",
  exponent: "Write the number out, without an exponent.",
  separator: "Write 1234.5: a point for decimals, and no separators between thousands.",
  "not-a-number": "This is not a number.",
  "too-many-decimals": "At most 18 decimals.",
  "too-large": "This is more than all ether there is.",
  "too-much": (balance: string) => `You have ${balance}.`,
  address: {
    empty: "Enter an address.",
    "not-an-address": "This is not an address.",
    checksum: "The checksum is wrong: look for a typing error.",
  },
};

export type FieldWords = typeof field;
