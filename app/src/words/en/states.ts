/** Of validators. */
export const states = {
  predeposited: "waiting for proof",
  queued: "proven, waiting for ether",
  active: "active",
  exiting: "exiting",
  withdrawn: "withdrawn",
  dropped: "dropped",
};

export type StatesWords = typeof states;
