/** Learns that the process which started this one is gone: SIGKILL is not passed on by anybody, nor SIGHUP by npm. */

const LOOK_MS = 250;

/** Calls `act` once, when the channel to the parent closes, or an orphan is given another parent. Keeps no finished program alive. */
export function onParentGone(act: () => void): void {
  const parent = process.ppid;
  let isGone = false;
  const tell = (): void => {
    if (isGone) return;
    isGone = true;
    clearInterval(look);
    act();
  };
  const look = setInterval(() => {
    if (process.ppid !== parent) tell();
  }, LOOK_MS).unref();
  process.once("disconnect", tell);
  process.channel?.unref();
}
